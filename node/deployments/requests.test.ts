import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import type { Engine, Plan, Report } from "../engines/engine.ts";
import { Jobs } from "../jobs/jobs.ts";
import { Worker } from "../jobs/worker.ts";
import type { Notice } from "../notices/notice.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import type { Service } from "../services/service.ts";
import { Database } from "../store/database.ts";
import { restart, setPassword } from "./care.ts";
import { deploy, type Tools } from "./deploy.ts";
import { Deployments } from "./deployments.ts";
import { concluded } from "./endings.ts";
import { History } from "./history.ts";
import { erase, remove, restore } from "./remove.ts";
import { repair } from "./repair.ts";
import { Requests } from "./requests.ts";

const chat: Service = {
	name: "chat",
	title: "Chat",
	promise: "Talk",
	goodFor: "talking",
	website: "",
	hosts: ["chat"],
	volumes: [],
	secrets: [],
	needs: [],
	size: { memoryMiB: 1, diskMiB: 1, growth: "" },
	account: "handle",
};
const day = 86_400_000;

/** An engine that only remembers, on request with a crack in one of its stages. */
class RememberingEngine implements Engine {
	readonly name = "remembering";
	readonly modes = new Map<string, Plan["mode"]>();
	readonly passwords: string[] = [];
	crack: string | undefined;
	vault: MemoryVault;

	constructor(vault: MemoryVault) {
		this.vault = vault;
	}

	can = async () => ({ can: true as const });
	stages = (plan: Plan) =>
		["get", "start"].map((verb) => ({
			...{ name: `${verb}:chat`, verb, service: "chat", title: verb, seconds: 1, deadline: 10 },
			run: async () => {
				if (this.crack === verb) throw new Problem("service-died", { service: "Chat" });
				this.modes.set(plan.deployment, "serving");
			},
		}));
	repair = (plan: Plan) => this.stages(plan).map((stage) => ({ ...stage, name: `again-${stage.name}` }));
	signIn = () => null;
	apply = async (plan: Plan, _report: Report) => {
		if (this.crack === plan.mode) throw new Problem("disk-full", { folder: "/" });
		this.modes.set(plan.deployment, plan.mode);
	};
	restart = async (_plan: Plan, service: string) => {
		if (this.crack === "restart") throw new Problem("service-died", { service });
	};
	setPassword = async (plan: Plan, service: string) => {
		const password = (await this.vault.get(`${plan.deployment}/${service}/password`)) ?? "";
		if (this.crack === password) throw new Problem("password-unfit", { least: 12, most: 20 });
		this.passwords.push(password);
	};
	look = async () => [];
	prepare = async () => {};
	places = async () => [];
	adopt = async () => {};
	rehearse = async () => ({ tried: false, checks: [] });
	backend = () => undefined;
	recover = async () => {};
	close = async () => {};
}

function world() {
	let time = Date.parse("2026-01-01");
	const now = () => time;
	const db = new Database(":memory:");
	const vault = new MemoryVault();
	const engine = new RememberingEngine(vault);
	const pointed = new Set<string>();
	const released: string[] = [];
	const told: Notice[] = [];
	const claims: string[] = [];
	const deployments = new Deployments(db, now);
	const history = new History(db, now);
	const tools: Tools = {
		engine,
		vault,
		publish: async ({ domain }) => void pointed.add(domain),
		withdraw: async ({ domain }) => void pointed.delete(domain),
	};
	const kinds = Object.fromEntries(
		[deploy(engine), remove, restore(engine), erase, repair(engine), restart, setPassword].map((saga) => [
			saga.name,
			{ saga, tools: () => tools },
		]),
	);
	const jobs = new Jobs(db, kinds, now);
	const onEnd = concluded({
		more: () => ({}),
		hasMoved: () => false,
		...{ db, deployments, history, keepDays: 30, now },
		notices: { tell: (notice) => void told.push(notice) },
		release: (deployment) => void released.push(deployment),
	});
	const worker = new Worker({ jobs, node: "test", onEnd, pace: { pause: async () => {} } });
	const requests = new Requests({
		...{ db, deployments, history, engine, vault, catalogue: [chat] },
		originOf: (host) => `https://${host}`,
		addDomain: (_customer, domain) => domain,
		checkPointed: async () => {},
		claim: (_customer, deployment) => void claims.push(deployment),
		startJob: (kind, input, about) => jobs.start(kind, input, about),
	});
	const customer = (name: string): Customer => {
		const id = randomUUID();
		const email = `${name}@example.org`;
		db.run(
			"INSERT INTO customer (id, name, email, email_key, password, language, created_at) VALUES ($id, $name, $email, $email, '', 'en', 0)",
			{ id, name, email },
		);
		return { id, name, email, language: "en", createdAt: 0, staff: false };
	};
	const ended = async ({ job }: { job: string }) => {
		for await (const _ of jobs.events(job, 0, AbortSignal.timeout(5000), null)) if (isOver(job)) break;
		return jobs.head(job, null).state;
	};
	const isOver = (job: string) => ["done", "undone", "stuck"].includes(jobs.head(job, null).state);
	worker.start();
	return {
		...{
			db,
			vault,
			engine,
			pointed,
			released,
			told,
			claims,
			deployments,
			history,
			jobs,
			requests,
			customer,
			ended,
			now,
		},
		pass: (ms: number) => {
			time += ms;
		},
	};
}

let w: ReturnType<typeof world>;
let ada: Customer;
const wish = { domain: "choir.example", services: ["chat"], username: "ada" };
beforeEach(() => {
	w = world();
	ada = w.customer("ada");
});

async function deployed() {
	const accepted = await w.requests.deploy(ada, wish);
	expect(await w.ended(accepted)).toBe("done");
	return accepted.deployment;
}
const kinds = (id: string) => w.history.page(id, { limit: 50 }).items.map(({ kind }) => kind);

describe("deploying", () => {
	test("makes the services serve, uses the voucher and says so", async () => {
		const id = await deployed();
		expect(w.deployments.known(id).state).toBe("serving");
		expect(w.engine.modes.get(id)).toBe("serving");
		expect([...w.pointed]).toEqual(["choir.example"]);
		expect(w.claims).toEqual([id]);
		expect(w.told).toMatchObject([{ kind: "deploy-done", customer: ada.id, link: "/d/choir.example" }]);
		expect(kinds(id)).toEqual(["deploy-done", "deploy-asked"]);
	});

	test("that cracks leaves nothing: no services, no records, the voucher free, the domain free", async () => {
		w.engine.crack = "start";
		const accepted = await w.requests.deploy(ada, wish);
		expect(await w.ended(accepted)).toBe("undone");
		expect(w.engine.modes.get(accepted.deployment)).toBe("absent");
		expect([...w.pointed]).toEqual([]);
		expect(w.released).toEqual([accepted.deployment]);
		expect(w.told).toMatchObject([{ kind: "deploy-undone", params: { reason: expect.stringContaining("Chat") } }]);
		w.engine.crack = undefined;
		expect(await w.ended(await w.requests.deploy(ada, wish))).toBe("done");
	});

	test("one domain is for one: the second racer is told it is taken, and nothing of theirs is written", async () => {
		const bob = w.customer("bob");
		const [first, second] = await Promise.allSettled([w.requests.deploy(ada, wish), w.requests.deploy(bob, wish)]);
		expect([first.status, second.status].sort()).toEqual(["fulfilled", "rejected"]);
		const loser = first.status === "rejected" ? first : (second as PromiseRejectedResult);
		expect(loser.reason).toMatchObject({ code: "domain-taken", params: { domain: "choir.example" } });
		expect(
			w.deployments.page(bob.id, { limit: 9 }).items.length + w.deployments.page(ada.id, { limit: 9 }).items.length,
		).toBe(1);
		expect(w.claims).toHaveLength(1);
	});

	test("without a voucher writes nothing down", async () => {
		const { db, requests } = w;
		Object.assign(w, { requests });
		const poor = new Requests({
			...{ db, deployments: w.deployments, history: w.history, engine: w.engine, vault: w.vault, catalogue: [chat] },
			originOf: (host) => `https://${host}`,
			addDomain: (_customer, domain) => domain,
			checkPointed: async () => {},
			claim: () => {
				throw new Problem("voucher-needed");
			},
			startJob: (kind, input, about) => w.jobs.start(kind, input, about),
		});
		await expect(poor.deploy(ada, wish)).rejects.toMatchObject({ code: "voucher-needed" });
		expect(w.deployments.page(ada.id, { limit: 9 }).items).toEqual([]);
		expect(w.jobs.list({ customer: null, limit: 9 }).items).toEqual([]);
	});

	test("is refused when the engine cannot run a service, with the reason", async () => {
		w.engine.can = (async () => ({
			...{ can: false, code: "needs-engine", missing: "NixOps4", why: "It needs the NixOps4 engine" },
		})) as never;
		await expect(w.requests.deploy(ada, wish)).rejects.toMatchObject({
			code: "service-unavailable",
			params: { service: "Chat", reason: "It needs the NixOps4 engine" },
		});
	});
});

describe("removing", () => {
	test("wants the domain typed, keeps everything, and erases when the days of grace are over", async () => {
		const id = await deployed();
		expect(() => w.requests.remove(ada, id, "choir.exampl")).toThrowError(
			expect.objectContaining({ code: "confirmation-wrong" }),
		);
		expect(await w.ended(w.requests.remove(ada, id, " Choir.Example "))).toBe("done");
		expect(w.deployments.known(id)).toMatchObject({ state: "kept", keptUntil: w.now() + 30 * day });
		expect(w.engine.modes.get(id)).toBe("stopped");
		expect([...w.pointed]).toEqual(["choir.example"]);

		w.pass(30 * day - 1);
		expect(w.requests.eraseDue(w.now())).toBe(0);
		w.pass(1);
		await w.vault.put(`${id}/chat/password`, "x");
		expect(w.requests.eraseDue(w.now())).toBe(1);
		expect(w.requests.eraseDue(w.now())).toBe(0);
		expect(await w.ended({ job: w.jobs.ofDeployment(id)?.id ?? "" })).toBe("done");
		expect(w.deployments.known(id).state).toBe("gone");
		expect(w.engine.modes.get(id)).toBe("absent");
		expect([...w.pointed]).toEqual([]);
		expect(await w.vault.get(`${id}/chat/password`)).toBeUndefined();
		expect(w.released).toEqual([id]);
	});

	test("can be taken back in the days of grace", async () => {
		const id = await deployed();
		await w.ended(w.requests.remove(ada, id, "choir.example"));
		expect(await w.ended(w.requests.restore(ada, id))).toBe("done");
		expect(w.deployments.known(id)).toMatchObject({ state: "serving", keptUntil: null });
		expect(w.engine.modes.get(id)).toBe("serving");
	});

	test("that does not work out leaves it serving; an erasure that fails is stuck, never half told", async () => {
		const id = await deployed();
		w.engine.crack = "stopped";
		expect(await w.ended(w.requests.remove(ada, id, "choir.example"))).toBe("undone");
		expect(w.deployments.known(id).state).toBe("serving");

		w.engine.crack = undefined;
		await w.ended(w.requests.remove(ada, id, "choir.example"));
		w.engine.crack = "absent";
		const erasure = w.requests.erase(ada, id, "choir.example");
		expect(await w.ended(erasure)).toBe("stuck");
		expect(w.deployments.known(id).state).toBe("erasing");
		w.engine.crack = undefined;
		w.jobs.retry(erasure.job, ada.id);
		expect(await w.ended(erasure)).toBe("done");
		expect(w.deployments.known(id).state).toBe("gone");
	});
});

describe("care", () => {
	test("the first password is shown to the first who asks, and to nobody after", async () => {
		const id = await deployed();
		await w.vault.put(`${id}/chat/password`, "first password");
		const asked = await Promise.allSettled([w.requests.reveal(ada, id, "chat"), w.requests.reveal(ada, id, "chat")]);
		expect(asked.filter(({ status }) => status === "fulfilled")).toEqual([
			{
				status: "fulfilled",
				value: { username: "ada", password: "first password", address: "https://chat.choir.example" },
			},
		]);
		expect(asked.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "credentials-shown" } });
	});

	test("a new password reaches the service, and neither job nor journal holds it", async () => {
		const id = await deployed();
		await w.vault.put(`${id}/chat/password`, "first password");
		expect(await w.ended(await w.requests.setPassword(ada, id, "chat", "correct horse battery"))).toBe("done");
		expect(w.engine.passwords).toEqual(["correct horse battery"]);
		expect(await w.vault.get(`${id}/chat/password`)).toBe("correct horse battery");
		expect(await w.vault.names("")).toEqual([`${id}/chat/password`]);
		const written = ["job", "journal", "job_log", "history"].flatMap((table) => w.db.all(`SELECT * FROM ${table}`));
		expect(JSON.stringify(written)).not.toContain("correct horse");
	});

	test("of two wishes at once one is carried out and the other refused; neither leaves a trace in the vault", async () => {
		const id = await deployed();
		await w.vault.put(`${id}/chat/password`, "first password");
		const wishes = await Promise.allSettled(
			["second password", "third password"].map((password) => w.requests.setPassword(ada, id, "chat", password)),
		);
		const [won] = wishes.filter((wish) => wish.status === "fulfilled");
		expect(wishes.find((wish) => wish.status === "rejected")).toMatchObject({ reason: { code: "deployment-busy" } });
		expect(await w.ended(won?.value ?? { job: "" })).toBe("done");
		expect(w.engine.passwords).toEqual([await w.vault.get(`${id}/chat/password`)]);
		expect(await w.vault.names("")).toEqual([`${id}/chat/password`]);
	});

	test("a password the service refuses leaves the old one valid", async () => {
		const id = await deployed();
		await w.vault.put(`${id}/chat/password`, "first password");
		w.engine.crack = "unfit password";
		expect(await w.ended(await w.requests.setPassword(ada, id, "chat", "unfit password"))).toBe("undone");
		expect(w.engine.passwords.at(-1)).toBe("first password");
		expect(await w.vault.get(`${id}/chat/password`)).toBe("first password");
		expect(kinds(id)[0]).toBe("set-password-undone");
	});

	test("setting up again goes the engine's way back and then points the domain; one that cracks leaves all as it was, and says so", async () => {
		const id = await deployed();
		w.pointed.clear();
		const accepted = w.requests.repair(ada, id, "repair-asked");
		expect(() => w.requests.repair(ada, id, "repair-by-staff")).toThrowError(
			expect.objectContaining({ code: "deployment-busy" }),
		);
		expect(await w.ended(accepted)).toBe("done");
		const steps = w.jobs.view(accepted.job, ada.id).steps.map(({ step }) => step);
		expect(steps).toEqual(["again-get:chat", "again-start:chat", "records"]);
		expect([...w.pointed]).toEqual(["choir.example"]);
		expect(kinds(id).slice(0, 2)).toEqual(["repair-done", "repair-asked"]);

		w.engine.crack = "start";
		expect(await w.ended(w.requests.repair({ id: ada.id }, id, "repair-by-staff"))).toBe("undone");
		expect(w.engine.modes.get(id)).toBe("serving");
		expect(w.deployments.known(id).state).toBe("serving");
		expect([...w.pointed]).toEqual(["choir.example"]);
		expect(kinds(id).slice(0, 2)).toEqual(["repair-undone", "repair-by-staff"]);
		expect(w.told.slice(-2).map(({ kind }) => kind)).toEqual(["repair-done", "repair-undone"]);
		await w.ended(w.requests.remove(ada, id, "choir.example"));
		expect(() => w.requests.repair(ada, id, "repair-asked")).toThrowError(
			expect.objectContaining({ code: "deployment-state", params: { state: "kept" } }),
		);
	});

	test("what is not there, or somebody else's, cannot be touched", async () => {
		const id = await deployed();
		const eve = w.customer("eve");
		expect(() => w.requests.restart(ada, id, "nothing")).toThrowError(
			expect.objectContaining({ code: "service-unknown" }),
		);
		for (const attempt of [
			() => w.requests.restart(eve, id),
			() => w.requests.repair(eve, id, "repair-asked"),
			() => w.requests.remove(eve, id, "choir.example"),
			() => w.requests.restore(eve, id),
			() => w.requests.erase(eve, id, "choir.example"),
		])
			expect(attempt).toThrowError(expect.objectContaining({ code: "not-found" }));
		await expect(w.requests.reveal(eve, id, "chat")).rejects.toMatchObject({ code: "not-found" });
		await expect(w.requests.setPassword(eve, id, "chat", "x".repeat(12))).rejects.toMatchObject({ code: "not-found" });
		expect(w.requests.restart(ada, id)).toMatchObject({ deployment: id });
		expect(() => w.requests.restart(ada, id)).toThrowError(expect.objectContaining({ code: "deployment-busy" }));
	});
});
