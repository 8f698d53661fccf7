/** The local engine when things go wrong. Every program here is real, and is really killed. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tiny } from "../../../test/contracts/tiny/tiny.ts";
import {
	ask,
	engineIn,
	eventually,
	listening,
	MemoryVault,
	planFor,
	running,
	scratch,
	someNode,
} from "../../../test/contracts/tiny/world.ts";
import type { LocalEngine, LocalEngineOptions } from "./local-engine.ts";
import { powersHere } from "./powers.ts";

vi.setConfig({ testTimeout: 60_000 });

const powers = await powersHere({ PATH: process.env["PATH"] ?? "" });
const child = join(import.meta.dirname, "../../../test/contracts/tiny/node-child.ts");

let at: ReturnType<typeof scratch>;
let nodeId: string;
let vault: MemoryVault;
const engines: LocalEngine[] = [];
const ends: (() => unknown)[] = [];

beforeEach(() => {
	at = scratch();
	nodeId = someNode();
	vault = new MemoryVault();
});

afterEach(async () => {
	for (const engine of engines.splice(0)) await engine.close();
	for (const end of ends.splice(0).reverse()) await end();
	expect(await running(nodeId), "nothing is left running").toEqual([]);
	at.remove();
});

/** A new life of the node; of the earlier ones' programs it knows nothing. */
function engineWith(options: Partial<LocalEngineOptions> = {}): LocalEngine {
	const engine = engineIn(at.folder, { nodeId, vault, recipes: [tiny()], ...options });
	engines.push(engine);
	return engine;
}

async function leaders(): Promise<number[]> {
	return (await running(nodeId)).filter(({ pid, group }) => pid === group).map(({ pid }) => pid);
}

async function someoneListening(port = 0): Promise<number> {
	const server = createServer((_request, response) => response.end("tiny 1 at social.choir.localhost:8080"));
	server.listen(port, "127.0.0.1");
	await once(server, "listening");
	ends.push(() => server.close());
	return (server.address() as AddressInfo).port;
}

describe("a program that does not work", () => {
	test("one that ends at once is said to have died, with its last words, and is not tried for ever", async () => {
		const engine = engineWith({ recipes: [tiny("tiny", "dies")] });
		const report = listening();
		await expect(engine.apply(planFor("tiny"), report)).rejects.toMatchObject({ code: "service-died" });
		expect(report.lines).toContain("tiny: cannot go on");
		expect(await running(nodeId)).toEqual([]);
		expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "starting" });
	});

	test("one that never gets ready is stopped after its time", async () => {
		const engine = engineWith({ recipes: [tiny("tiny", "never-ready")] });
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject({
			code: "service-not-ready",
			params: { seconds: "1" },
		});
		expect(await running(nodeId)).toEqual([]);
	});

	test("one that ignores SIGTERM is killed, and so is its child that left the group", async () => {
		const engine = engineWith({ recipes: [tiny("tiny", "stubborn")] });
		await engine.apply(planFor("tiny"), listening());
		expect(await leaders()).toHaveLength(2);
		await engine.apply(planFor("tiny", "stopped"), listening());
		expect(await running(nodeId)).toEqual([]);
	});

	test("one that dies again and again is started again later and later, then given up", async () => {
		const patience = { first: 10, most: 40, steady: 60_000, lives: 4, look: 50 };
		const engine = engineWith({ patience });
		await engine.apply(planFor("tiny"), listening());
		for (let life = 1; life < 4; life++) {
			const before = await leaders();
			await ask(engine, planFor("tiny"), "/crash").catch(() => {});
			await eventually(async () => {
				expect(await leaders()).toHaveLength(1);
				expect(await leaders()).not.toEqual(before);
				expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "up" });
			});
		}
		await ask(engine, planFor("tiny"), "/crash").catch(() => {});
		await eventually(() => expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "stopped" }));
		expect(await running(nodeId)).toEqual([]);
		expect(await engine.look(planFor("tiny"))).toMatchObject([{ health: "unwell" }]);
		await engine.restart(planFor("tiny"), "tiny", listening());
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 5 at");
	});
});

describe("a port", () => {
	test("that somebody took while the service was stopped is changed for another", async () => {
		const engine = engineWith();
		await engine.apply(planFor("tiny"), listening());
		const before = engine.backend("social.choir.localhost");
		if (before?.kind !== "up") throw new Error("not up");
		await engine.apply(planFor("tiny", "stopped"), listening());
		await someoneListening(before.port);
		await engine.apply(planFor("tiny"), listening());
		const after = engine.backend("social.choir.localhost");
		expect(after).toMatchObject({ kind: "up" });
		expect(after).not.toEqual(before);
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 2 at");
	});

	test("is said to be taken when there is no other", async () => {
		const port = await someoneListening();
		const engine = engineWith({ ports: { first: port, last: port } });
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject({
			code: "port-taken",
			params: { port: String(port) },
		});
	});

	test("stays the same over stops and starts, and two services never get one", async () => {
		const engine = engineWith({ ports: { first: 40_000, last: 40_001 } });
		await Promise.all(["choir", "club"].map((name) => engine.apply(planFor("tiny", "serving", name), listening())));
		const ports = () => ["choir", "club"].map((name) => engine.backend(`social.${name}.localhost`));
		const before = ports();
		expect(new Set(before.map((backend) => JSON.stringify(backend))).size).toBe(2);
		await engine.restart(planFor("tiny"), "tiny", listening());
		expect(ports()).toEqual(before);
	});
});

describe("after the node was killed", () => {
	async function killedNode(...how: string[]): Promise<void> {
		const node = spawn(process.execPath, [child, at.folder, nodeId, "tiny", ...how], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		for await (const line of createInterface({ input: node.stdout })) if (line === "ready") break;
		if (how.includes("hang")) await eventually(async () => expect(await running(nodeId)).toHaveLength(1));
		node.kill("SIGKILL");
		await once(node, "exit");
	}

	test("its services live on, and the next node takes over the same processes", async () => {
		await killedNode();
		const before = await leaders();
		expect(before).toHaveLength(1);
		const engine = engineWith();
		await engine.recover([planFor("tiny")]);
		await eventually(async () => expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 1 at"));
		expect(await leaders()).toEqual(before);
		await engine.apply(planFor("tiny"), listening());
		expect(await leaders()).toEqual(before);
	});

	test("one that was taken over is brought back when it dies, and ended when it should be", async () => {
		await killedNode();
		const engine = engineWith({ patience: { look: 20, first: 20 } });
		await engine.recover([planFor("tiny")]);
		const [before = 0] = await leaders();
		process.kill(before, "SIGKILL");
		await eventually(async () => expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 2 at"));
		await engine.apply(planFor("tiny", "stopped"), listening());
		expect(await running(nodeId)).toEqual([]);
	});

	test("what no plan wants is ended, its state stays", async () => {
		await killedNode();
		expect(await leaders()).toHaveLength(1);
		const engine = engineWith();
		await engine.recover([]);
		expect(await running(nodeId)).toEqual([]);
		expect(existsSync(join(at.folder, "services/dep-choir/tiny/state/count"))).toBe(true);
	});

	test.each(["frozen", "stopped"] as const)("what should be %s is ended", async (mode) => {
		await killedNode();
		const engine = engineWith();
		await engine.recover([planFor("tiny", mode)]);
		expect(await running(nodeId)).toEqual([]);
		expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: mode });
	});

	test("what should run in another way is started anew", async () => {
		await killedNode();
		const before = await leaders();
		const recipe = tiny();
		const changed = tiny("tiny", "good", { command: (home) => ({ ...recipe.command(home), env: { NEW: "yes" } }) });
		const engine = engineWith({ recipes: [changed] });
		await engine.recover([planFor("tiny")]);
		expect(await ask(engine, planFor("tiny"), "/environment")).toContain('"NEW":"yes"');
		expect(await leaders()).not.toEqual(before);
	});

	test("programs that were to run for a moment only are ended too", async () => {
		await killedNode("hang");
		expect(await running(nodeId)).toHaveLength(1);
		await engineWith().recover([]);
		expect(await running(nodeId)).toEqual([]);
	});

	test("another node's services are left alone", async () => {
		await killedNode();
		const before = await leaders();
		const other = engineIn(at.folder, { nodeId: `${nodeId}-b`, recipes: [tiny()] });
		await other.recover([]);
		await other.close();
		expect(await leaders()).toEqual(before);
		await engineWith().recover([]);
	});

	test("a service whose state is missing is not made anew without anybody asking", async () => {
		const engine = engineWith();
		await engine.recover([planFor("tiny")]);
		expect(await running(nodeId)).toEqual([]);
		expect(existsSync(join(at.folder, "services/dep-choir"))).toBe(false);
		expect(await engine.look(planFor("tiny"))).toMatchObject([{ health: "stopped" }]);
	});
});

describe("a service that cannot start when the node does", () => {
	test("does not keep the others from starting, and is not lost", async () => {
		const engine = engineWith();
		for (const name of ["choir", "club"]) await engine.apply(planFor("tiny", "serving", name), listening());
		await engine.close();
		const settings = join(at.folder, "services/dep-choir/tiny/state/settings.json");
		execFileSync("rm", [settings]);
		mkdirSync(settings);
		const next = engineWith();
		await next.recover([planFor("tiny"), planFor("tiny", "serving", "club")]);
		expect(next.backend("social.choir.localhost")).toMatchObject({ kind: "starting" });
		expect(await ask(next, planFor("tiny", "serving", "club"), "/")).toContain("social.club.localhost");
	});
});

describe("changed plans", () => {
	test("another origin means other settings and a new process; the old host name is forgotten", async () => {
		const engine = engineWith();
		await engine.apply(planFor("tiny"), listening());
		const before = await leaders();
		const plan = planFor("tiny");
		const [service] = plan.services;
		if (!service) throw new Error("no service");
		const renamed = {
			...plan,
			services: [{ ...service, hosts: ["social.band.localhost"], origin: "http://social.band.localhost:8080" }],
		};
		await engine.apply(renamed, listening());
		expect(await leaders()).not.toEqual(before);
		expect(engine.backend("social.choir.localhost")).toBeUndefined();
		expect(await ask(engine, renamed, "/")).toContain("at social.band.localhost:8080");
	});

	test("a service that nobody knows is refused", async () => {
		expect(() => engineWith().stages(planFor("unheard-of"))).toThrow(
			expect.objectContaining({ code: "service-unknown" }),
		);
	});
});

describe("cancelling", () => {
	test("ends the program that is being fetched, at once and for certain", async () => {
		const stop = new AbortController();
		const recipe = tiny("tiny", "good", {
			find: async () => undefined,
			obtain: async (shop, report) => {
				await shop.run([process.execPath, "-e", "setInterval(() => {}, 1000)"], report);
				throw new Error("it does not end");
			},
		});
		const work = engineWith({ recipes: [recipe] }).apply(planFor("tiny"), listening(stop.signal));
		await eventually(async () => expect(await running(nodeId)).toHaveLength(1));
		stop.abort(new Error("cancelled by the test"));
		await expect(work).rejects.toThrow("cancelled by the test");
		expect(await running(nodeId)).toEqual([]);
	});
});

describe("secrets", () => {
	test("are neither in arguments nor in the environment nor in what others may read", async () => {
		const recipe = tiny();
		const secretive = tiny("tiny", "good", {
			configure: async (home, hands) => {
				await hands.write("deep/down/secret", await hands.secret("key"));
				await recipe.configure(home, hands);
			},
		});
		const engine = engineWith({
			recipes: [secretive],
			environment: { ...process.env, FEDIVERSITY_VAULT_KEY: "node-secret" },
		});
		await engine.apply(planFor("tiny"), listening());
		const secrets = [...vault.secrets.values(), "node-secret"];
		expect(secrets).toHaveLength(3);
		const [pid] = await leaders();
		const seen = readFileSync(`/proc/${pid}/cmdline`, "latin1") + readFileSync(`/proc/${pid}/environ`, "latin1");
		for (const secret of secrets) expect(seen).not.toContain(secret);
		const state = join(at.folder, "services/dep-choir/tiny/state");
		expect(readFileSync(join(state, "deep/down/secret"), "utf8")).toBe(vault.secrets.get("dep-choir/tiny/key"));
		expect(statSync(join(state, "deep/down/secret")).mode & 0o777).toBe(0o600);
		expect(statSync(state).mode & 0o777).toBe(0o700);
	});
});

describe("the log", () => {
	test("is kept short, while the program goes on writing to it", async () => {
		const patience = { look: 20, log: { bytes: 20_000, files: 2 } };
		const engine = engineWith({ patience });
		await engine.apply(planFor("tiny"), listening());
		const log = join(at.folder, "services/dep-choir/tiny/log/service.log");
		for (let round = 0; round < 5; round++) {
			await ask(engine, planFor("tiny"), "/shout?bytes=30000");
			await eventually(() => expect(statSync(log).size).toBeLessThan(20_000));
		}
		expect([1, 2, 3].map((age) => existsSync(`${log}.${age}`))).toEqual([true, true, false]);
		expect(statSync(log).mode & 0o777).toBe(0o600);
	});
});

describe.skipIf(process.platform !== "linux")("on Linux", () => {
	const two = ["choir", "club"] as const;

	test.skipIf(powers.mounts === null)("two services do not see each other's /dev/shm", async () => {
		const engine = engineWith();
		for (const name of two) await engine.apply(planFor("tiny", "serving", name), listening());
		for (const name of two) expect(await ask(engine, planFor("tiny", "serving", name), `/shm?name=${name}`)).toBe(name);
		expect(existsSync("/dev/shm/choir")).toBe(false);
	});

	test.skipIf(powers.users === null)(
		"as root: each has a user of its own, who cannot read the other's state",
		async () => {
			const engine = engineWith();
			for (const name of two) await engine.apply(planFor("tiny", "serving", name), listening());
			const at0 = planFor("tiny", "serving", "choir");
			const uids = await Promise.all(two.map((name) => ask(engine, planFor("tiny", "serving", name), "/uid")));
			expect(new Set([...uids, "0"]).size).toBe(3);
			const other = join(at.folder, "services/dep-club/tiny");
			expect(readFileSync(join(other, "state/count"), "utf8")).toBe("1");
			for (const path of ["state/count", "state/password", "log/service.log", "unit.json"])
				expect(await ask(engine, at0, `/read?path=${join(other, path)}`)).toMatch(/^E(ACCES|NOENT)$/);
			expect(await ask(engine, at0, `/list?path=${join(at.folder, "services")}`)).toMatch(/^EACCES|dep-choir$/);
			const own = join(at.folder, "services/dep-choir/tiny");
			expect(await ask(engine, at0, `/read?path=${join(own, "state/count")}`)).toBe("1");
			expect(await ask(engine, at0, `/read?path=${join(own, "unit.json")}`)).toMatch(/^E(ACCES|NOENT)$/);
		},
	);

	test.skipIf(powers.users === null)(
		"as root: a process that only claims to be the service is not taken over",
		async () => {
			const engine = engineWith();
			await engine.apply(planFor("tiny"), listening());
			const [pid] = await leaders();
			const markers = readFileSync(`/proc/${pid}/environ`, "latin1")
				.split("\0")
				.filter((line) => line.startsWith("FEDIVERSITY_"));
			await engine.close();
			const forged = spawn("sleep", ["1000"], {
				detached: true,
				stdio: "ignore",
				env: { PATH: process.env["PATH"], ...Object.fromEntries(markers.map((line) => line.split("="))) },
			});
			ends.push(() => forged.kill("SIGKILL"));
			await once(forged, "spawn");
			const ended = once(forged, "exit");
			const next = engineWith();
			await next.recover([planFor("tiny")]);
			await ended;
			expect(await leaders()).not.toContain(forged.pid);
			expect(await ask(next, planFor("tiny"), "/")).toContain("tiny 2 at");
		},
	);

	test.skipIf(powers.mounts !== "root")("a full disk is called a full disk, and no process is left", async () => {
		const folder = join(at.folder, "small");
		mkdirSync(folder);
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]);
		ends.push(() => execFileSync("umount", [folder]));
		const engine = engineWith({ folder: join(folder, "services") });
		await engine.apply(planFor("tiny"), listening());
		await engine.apply(planFor("tiny", "stopped"), listening());
		const free = Number(execFileSync("df", ["--output=avail", "-B1", folder]).toString().split("\n")[1]);
		writeFileSync(join(folder, "filler"), Buffer.alloc(free));
		const problem = { code: "disk-full", params: { folder: expect.stringContaining(folder) } };
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject(problem);
		await expect(engine.apply(planFor("tiny", "serving", "club"), listening())).rejects.toMatchObject(problem);
		expect(await running(nodeId)).toEqual([]);
		execFileSync("rm", [join(folder, "filler")]);
		await engine.apply(planFor("tiny"), listening());
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 2 at");
	});
});
