/** `fediversity provider` as NixOps4 starts it, with a node's real socket. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "#protocol/nixops4/messages.ts";
import type { Context } from "../../node/engines/nixops4/resources/resource.ts";
import { type Run, Runs } from "../../node/engines/nixops4/runs.ts";
import { followsSchema } from "./schema.ts";

const boot = join(import.meta.dirname, "../../node/boot.mjs");

describe("fediversity provider", { timeout: 60_000 }, () => {
	let folder: string;
	let runs: Runs;
	/** What the node's side is asked, and how it answers. */
	let asked: { line: string; context: Context }[];
	let answers: (line: string, context: Context) => Promise<Answer>;
	const started = new Set<ChildProcessWithoutNullStreams>();

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "fediversity-provider-"));
		asked = [];
		answers = async (line) => ({ createResourceResponse: { outputProperties: { heard: line.length } } });
		runs = newRuns();
	});
	afterEach(async () => {
		for (const child of started) child.kill("SIGKILL");
		started.clear();
		await runs.close();
		rmSync(folder, { recursive: true, force: true });
	});

	function newRuns(): Runs {
		return new Runs({
			socket: join(folder, "run.sock"),
			folder: join(folder, "credentials"),
			answering: {
				answer: (line, context) => {
					asked.push({ line, context });
					return answers(line, context);
				},
			},
		});
	}

	function provider(environment: Record<string, string>) {
		const child = spawn(process.execPath, [boot, "provider"], { env: { ...process.env, ...environment } });
		started.add(child);
		child.stdin.on("error", () => {});
		const said: string[] = [];
		const lines = createInterface({ input: child.stdout });
		const waiting: ((line: string) => void)[] = [];
		lines.on("line", (line) => {
			said.push(line);
			waiting.shift()?.(line);
		});
		const ended = once(child, "close");
		const ask = (line: string): Promise<Answer> => {
			child.stdin.write(`${line}\n`);
			return new Promise((heard) => waiting.push((answer) => heard(JSON.parse(answer))));
		};
		return { child, ask, said, ended };
	}

	const open = (deployment = "d1"): Promise<Run> => runs.open(deployment, "choir.example", () => {});
	const line = (value: unknown) =>
		JSON.stringify({ createResourceRequest: { type: "memo", inputProperties: { value }, isStateful: true } });

	test("hands on lines and answers in turn until its input ends, and says nothing else", async () => {
		const run = await open();
		const { ask, child, said, ended } = provider(run.environment);
		for (const value of ["a", "ä\u2028", { deep: [1] }])
			expect(await ask(line(value))).toEqual({
				createResourceResponse: { outputProperties: { heard: line(value).length } },
			});
		child.stdin.end();
		expect(await ended).toEqual([0, null]);
		expect(said).toHaveLength(3);
		expect(said.every((one) => followsSchema.answer(JSON.parse(one)))).toBe(true);
		expect(asked.map((one) => one.line)).toEqual([line("a"), line("ä\u2028"), line({ deep: [1] })]);
		expect(asked.map(({ context }) => context.deployment)).toEqual(["d1", "d1", "d1"]);
		await run.close();
	});

	test("takes and gives 10 MB, and lines that come in pieces", async () => {
		const run = await open();
		const large = "ö".repeat(5 * 2 ** 20);
		answers = async (given) => ({
			createResourceResponse: { outputProperties: JSON.parse(given).createResourceRequest.inputProperties },
		});
		const { ask, child } = provider(run.environment);
		expect(await ask(line(large))).toEqual({ createResourceResponse: { outputProperties: { value: large } } });
		const small = line("in pieces");
		child.stdin.write(small.slice(0, 10));
		await new Promise((later) => setTimeout(later, 50));
		expect(await ask(small.slice(10))).toEqual({
			createResourceResponse: { outputProperties: { value: "in pieces" } },
		});
		await run.close();
	});

	test("two at once, of one run or of two, do not wait for each other and do not mix", async () => {
		const [one, two] = [await open("d1"), await open("d2")];
		const release = Promise.withResolvers<void>();
		answers = async (given, { deployment }) => {
			if (given.includes("slow")) await release.promise;
			return { createResourceResponse: { outputProperties: { deployment } } };
		};
		const first = provider(one.environment);
		const slow = first.ask(line("slow"));
		const of = (deployment: string) => ({ createResourceResponse: { outputProperties: { deployment } } });
		expect(await provider(one.environment).ask(line("quick"))).toEqual(of("d1"));
		expect(await provider(two.environment).ask(line("quick"))).toEqual(of("d2"));
		release.resolve();
		expect(await slow).toEqual(of("d1"));
		await Promise.all([one.close(), two.close()]);
	});

	test("whoever has piped a request into it and gone on still gets the answer", async () => {
		const run = await open();
		const { child, said, ended } = provider(run.environment);
		child.stdin.end(`${line("x")}\n`);
		await ended;
		expect(said).toHaveLength(1);
		await run.close();
	});

	test("answers by itself when there is no node, no run or nothing but a person", async () => {
		const run = await open();
		const wrong = join(folder, "wrong");
		writeFileSync(wrong, "guessed");
		const message = async (environment: Record<string, string>) => {
			const answer = await provider(environment).ask(line("x"));
			return "errorResponse" in answer ? answer.errorResponse.message : answer;
		};
		expect(await message({ ...run.environment, FEDIVERSITY_RUN_CREDENTIAL_FILE: wrong })).toBe(
			"This run is over, or was never begun",
		);
		expect(await message({ ...run.environment, FEDIVERSITY_RUN_SOCKET: join(folder, "none") })).toContain(
			"The node cannot be reached",
		);
		expect(await message({})).toContain("This is started by a node");
		await run.close();
		expect(await message(run.environment)).toBe("This run is over: its credential is not there any more");
		expect(asked).toEqual([]);
	});

	test("says it when the node ends in the middle, and what it was doing is told to stop", async () => {
		const run = await open();
		answers = patient;
		const { ask } = provider(run.environment);
		const answer = ask(line("x"));
		await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1);
		await run.close();
		expect(await answer).toMatchObject({ errorResponse: {} });
		expect(asked[0]?.context.signal.aborted).toBe(true);
	});

	test("killed in the middle: the node's side is told, and serves the next one", async () => {
		const run = await open();
		answers = patient;
		const { ask, child } = provider(run.environment);
		void ask(line("x"));
		await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1);
		child.kill("SIGKILL");
		await expect.poll(() => asked[0]?.context.signal.aborted, { timeout: 30_000 }).toBe(true);
		answers = async () => ({ createResourceResponse: { outputProperties: {} } });
		expect(await provider(run.environment).ask(line("y"))).toEqual({
			createResourceResponse: { outputProperties: {} },
		});
		await run.close();
	});

	test("ends when whoever started it is killed in the middle", async () => {
		const run = await open();
		answers = patient;
		const script = `const child = require("node:child_process").spawn(process.execPath, [${JSON.stringify(boot)}, "provider"], { stdio: ["pipe", "pipe", "inherit"] });
			child.stdin.write(${JSON.stringify(`${line("x")}\n`)}); console.log(child.pid);`;
		const parent = spawn(process.execPath, ["-e", script], { env: { ...process.env, ...run.environment } });
		started.add(parent);
		const [pid] = await once(parent.stdout, "data");
		await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1);
		parent.kill("SIGKILL");
		await expect.poll(() => isAlive(Number(pid)), { timeout: 30_000 }).toBe(false);
		await expect.poll(() => asked[0]?.context.signal.aborted, { timeout: 30_000 }).toBe(true);
		await run.close();
	});
});

describe("runs", () => {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-runs-"));
	const socket = join(folder, "deep/run.sock");
	const parts = {
		socket,
		folder: join(folder, "credentials"),
		answering: { answer: async () => ({ errorResponse: { message: "" } }) },
	};
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	test("are open to this user alone, and their credentials are in their files alone", async () => {
		const ended: string[] = [];
		const runs = new Runs({ ...parts, ended: (deployment) => void ended.push(deployment) });
		const run = await runs.open("d1", "choir.example", () => {});
		const file = run.environment.FEDIVERSITY_RUN_CREDENTIAL_FILE;
		expect([statSync(socket).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o600, 0o600]);
		expect(readFileSync(file, "utf8")).toMatch(/^[\w-]{43}$/);
		expect(file).not.toContain(readFileSync(file, "utf8").slice(0, 8));
		await run.close();
		await run.close();
		expect(existsSync(file)).toBe(false);
		expect(ended).toEqual(["d1"]);
		await runs.close();
	});

	test("are one a deployment at a time", async () => {
		const runs = new Runs(parts);
		const run = await runs.open("d1", "choir.example", () => {});
		await expect(runs.open("d1", "choir.example", () => {})).rejects.toMatchObject({ code: "deployment-busy" });
		const other = await runs.open("d2", "other.example", () => {});
		await run.close();
		await (await runs.open("d1", "choir.example", () => {})).close();
		await other.close();
		await runs.close();
	});

	test("can be begun when what was in the way of the socket or of the credential has gone", async () => {
		const runs = new Runs(parts);
		const open = () => runs.open("d1", "choir.example", () => {});
		mkdirSync(join(socket, "a-folder"), { recursive: true });
		await expect(open()).rejects.toThrow();
		rmSync(socket, { recursive: true });
		await (await open()).close();
		rmSync(parts.folder, { recursive: true });
		symlinkSync("/nowhere/at-all", parts.folder);
		await expect(open()).rejects.toThrow();
		rmSync(parts.folder);
		await (await open()).close();
		await runs.close();
	});

	test("are over when all that was asked in them has ended, and not before", async () => {
		const [begun, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const answer = async (): Promise<Answer> => {
			begun.resolve();
			await may.promise;
			return { errorResponse: { message: "" } };
		};
		const runs = new Runs({ ...parts, answering: { answer } });
		const run = await runs.open("d1", "choir.example", () => {});
		const credential = readFileSync(run.environment.FEDIVERSITY_RUN_CREDENTIAL_FILE, "utf8");
		const talk = () => {
			const talking = connect(socket).on("error", () => {});
			talking.write(`${credential}\nx\n`);
			return talking.toArray();
		};
		const first = talk();
		await begun.promise;
		const closing = run.close();
		await expect(runs.open("d1", "choir.example", () => {})).rejects.toMatchObject({ code: "deployment-busy" });
		expect(Buffer.concat(await talk()).toString()).toContain("This run is over");
		may.resolve();
		await Promise.all([closing, first]);
		await (await runs.open("d1", "choir.example", () => {})).close();
		await runs.close();
	});

	test("end when the last answer has been found, also when nobody waits for it", async () => {
		const [lost, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const answer = async (_: string, { signal }: Context): Promise<Answer> => {
			talking.destroy();
			signal.addEventListener("abort", () => lost.resolve(), { once: true });
			await may.promise;
			return { errorResponse: { message: "" } };
		};
		const runs = new Runs({ ...parts, answering: { answer } });
		const run = await runs.open("d1", "choir.example", () => {});
		const talking = connect(socket).on("error", () => {});
		talking.resume().write(`${readFileSync(run.environment.FEDIVERSITY_RUN_CREDENTIAL_FILE, "utf8")}\nx\n`);
		await lost.promise;
		let isOver = false;
		const closing = runs.close().then(() => {
			isOver = true;
		});
		// So long it would not take if it waited for nothing.
		await new Promise((later) => setTimeout(later, 50));
		expect(isOver).toBe(false);
		may.resolve();
		await closing;
		await run.close();
	});

	test("end although somebody is there who says nothing, or talks while the run ends", async () => {
		const aborted = Promise.withResolvers<void>();
		const patiently = async (line: string, context: Context) => {
			aborted.resolve();
			return patient(line, context);
		};
		const runs = new Runs({ ...parts, answering: { answer: patiently } });
		const run = await runs.open("d1", "choir.example", () => {});
		const [silent, talking] = [connect(socket), connect(socket)];
		const gone = [once(silent, "close"), once(talking, "close")];
		for (const one of [silent, talking]) one.on("error", () => {}).resume();
		talking.write(`${readFileSync(run.environment.FEDIVERSITY_RUN_CREDENTIAL_FILE, "utf8")}\nx\n`);
		await aborted.promise;
		await runs.close();
		await Promise.all(gone);
		expect(existsSync(socket)).toBe(false);
		await run.close();
	});

	test("what a killed node left behind is not in the way, and good for nothing", async () => {
		const killed = new Runs(parts);
		const run = await killed.open("d1", "choir.example", () => {});
		const runs = new Runs(parts);
		const again = await runs.open("d1", "choir.example", () => {});
		expect(existsSync(run.environment.FEDIVERSITY_RUN_CREDENTIAL_FILE)).toBe(false);
		expect(readdirSync(join(folder, "credentials"))).toHaveLength(1);
		await again.close();
		await runs.close();
		await killed.close();
	});
});

/** Answers when it is called off, and not before. */
async function patient(_: string, { signal }: Context): Promise<Answer> {
	await new Promise((off) => signal.addEventListener("abort", off, { once: true }));
	return { errorResponse: { message: "called off" } };
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
