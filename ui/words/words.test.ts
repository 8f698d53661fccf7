// @vitest-environment happy-dom
/** The panel says again what the node says, where translators find it. Here the two are held together. */
import { afterEach, expect, test } from "vitest";
import { passwordLength as ofProtocol, PasswordChange } from "#protocol/api/account.ts";
import { Username } from "#protocol/api/deployment.ts";
import { fill, problems } from "#protocol/problem.ts";
import { restart, setPassword } from "../../node/deployments/care.ts";
import { records } from "../../node/deployments/deploy.ts";
import { historySentences } from "../../node/deployments/history.ts";
import { erase, remove } from "../../node/deployments/remove.ts";
import { stagesTo, stepsBack } from "../../node/engines/local/stages.ts";
import { stagesTo as stagesOnMachines } from "../../node/engines/nixops4/stages.ts";
import { arrive } from "../../node/migrations/arrive.ts";
import { leave } from "../../node/migrations/leave.ts";
import { noticeSentences } from "../../node/notices/notice.ts";
import { catalogue } from "../../node/services/catalogue.ts";
import { newPassword, passwordLength, username } from "./checks.ts";
import { catalogueSentences, problemSentences, stepSentences } from "./from-the-node.ts";
import { setLanguage } from "./language.ts";
import { knownKinds, noticeSentence } from "./notices.ts";
import { nameServices } from "./params.ts";
import { problemSentence } from "./problems.ts";
import { stepSentence } from "./steps.ts";
import { translated } from "./translated.ts";

const ofCatalogue = catalogue.flatMap(({ promise, goodFor, size }) => [promise, goodFor, size.growth]);
/** What is done to a whole deployment, and said by its English. */
const toAll = [
	records,
	...[remove, erase, leave, arrive].flatMap(({ steps }) =>
		Object.values<{ verb: string; service?: string | null; title: string }>(steps({} as never)),
	),
	...onMachines().filter(({ service }) => service === undefined),
];
const ofProblems = Object.values(problems).map(([, sentence]) => sentence);

test("translators find every sentence of the protocol and of the catalogue, and none that nobody says any more", () => {
	expect(problemSentences()).toEqual(ofProblems);
	expect(catalogueSentences()).toEqual(ofCatalogue);
	expect(stepSentences()).toEqual([...new Set(toAll.map(({ title }) => title))]);
});

afterEach(() => setLanguage("en"));

test("each of them has a German one with the same parameters", async () => {
	await setLanguage("de");
	for (const english of [...ofProblems, ...ofCatalogue]) {
		expect(translated(english)).not.toBe(english);
		expect(paramsOf(translated(english)), english).toEqual(paramsOf(english));
	}
	expect(problemSentence("voucher-needed", {}, "")).toMatch(/^Sie haben/);
});

test("every kind of notice is said here, in the same English", () => {
	const said = knownKinds.notices.map((kind) => [kind, noticeSentence({ kind, params: {}, text: "" })]);
	expect(Object.fromEntries(said)).toEqual(noticeSentences);
});

test("every kind of history has a sentence here", () => {
	expect(knownKinds.history.toSorted()).toEqual(Object.keys(historySentences).toSorted());
});

test("every step of every kind of work is said here, in the same English, and in German", async () => {
	nameServices(catalogue);
	const steps = everyStep();
	expect(steps.length).toBeGreaterThan(12);
	for (const step of steps) expect(stepSentence(step), step.verb).toBe(step.title);
	await setLanguage("de");
	for (const step of steps) expect(stepSentence(step), step.verb).not.toBe(step.title);
});

test("passwords and names of accounts are checked as the node checks them", () => {
	expect(passwordLength).toEqual(ofProtocol);
	for (const next of ["x".repeat(11), "x".repeat(12), "x".repeat(256), "x".repeat(257)])
		expect(newPassword(next) === null, next).toBe(PasswordChange.safeParse({ current: "", next }).success);
	for (const name of ["", "admin", "Admin", "a_1", "ä", "a".repeat(30), "a".repeat(31)])
		expect(username(name) === null, name).toBe(Username.safeParse(name).success);
});

test("a code that is newer than this panel is said in the node's own words", () => {
	expect(problemSentence("from-tomorrow", {}, "The node's own words")).toBe("The node's own words");
	expect(noticeSentence({ kind: "from-tomorrow", params: {}, text: "The node's own words" })).toBe(
		"The node's own words",
	);
});

function paramsOf(sentence: string): string[] {
	const names: string[] = [];
	fill(sentence, new Proxy({}, { get: (_, name) => names.push(String(name)) && "" }));
	return names.sort();
}

/** What jobs on a deployment with snac consist of, as the sagas and the local engine say it. */
function everyStep() {
	const recipe = {
		obtainSeconds: 1,
		ready: { usually: 1, atMost: 1 },
		account: { while: "running" },
		stop: { seconds: 1 },
	};
	const plan = (mode: string) => ({ mode, services: [{ name: "snac" }] }) as never;
	const wishes = [["serving", stepsBack], ...["serving", "stopped", "absent"].map((mode) => [mode])] as const;
	const stages = wishes.flatMap(([mode, steps]) =>
		stagesTo(
			plan(mode as string),
			() => recipe as never,
			() => "snac",
			async () => {},
			steps as typeof stepsBack | undefined,
		),
	);
	const input = { plan: plan("serving"), services: ["snac"] };
	const sagas = [restart, setPassword].flatMap(({ steps }) => Object.values(steps(input)));
	const ofMachines = onMachines().filter(({ service }) => service !== undefined);
	return [...stages, ...ofMachines, ...sagas, ...toAll].map(({ verb, service = null, title }) => ({
		verb,
		service,
		title,
	}));
}

function onMachines() {
	const plan = (mode: string) => ({ mode, services: [{ name: "snac" }] }) as never;
	const back = stagesOnMachines(plan("serving"), async () => {}, true);
	return [...["serving", "stopped", "absent"].flatMap((mode) => stagesOnMachines(plan(mode), async () => {})), ...back];
}
