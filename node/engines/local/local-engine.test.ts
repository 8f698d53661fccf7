/** The local engine when programs misbehave and plans change. Every program here is real. */
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { tiny } from "../../../test/contracts/tiny/tiny.ts";
import { TinyNode } from "../../../test/contracts/tiny/tiny-node.ts";
import { ask, eventually, listening, planFor, running } from "../../../test/contracts/tiny/world.ts";
import type { Plan } from "../engine.ts";
import type { Recipe } from "./recipe.ts";

vi.setConfig({ testTimeout: 60_000 });

const node = new TinyNode();

async function someoneListening(port = 0): Promise<number> {
	const server = createServer((_request, response) => response.end("tiny 1 at social.choir.localhost:8080"));
	server.listen(port, "127.0.0.1");
	await once(server, "listening");
	node.ends.push(() => server.close());
	return (server.address() as AddressInfo).port;
}

describe("a program", () => {
	test("that ends at once is said to have died, with its last words, and is not tried for ever", async () => {
		const engine = node.engine({ recipes: [tiny("tiny", "dies")] });
		const report = listening();
		await expect(engine.apply(planFor("tiny"), report)).rejects.toMatchObject({ code: "service-died" });
		expect(report.lines).toContain("tiny: cannot go on");
		expect(await running(node.nodeId)).toEqual([]);
		expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "starting" });
	});

	test("that never gets ready is stopped after its time", async () => {
		const engine = node.engine({ recipes: [tiny("tiny", "never-ready")] });
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject({
			code: "service-not-ready",
			params: { seconds: "1" },
		});
		expect(await running(node.nodeId)).toEqual([]);
	});

	test("that works is asked to end, and has the time to put things in order", async () => {
		const engine = node.engine();
		await engine.apply(planFor("tiny"), listening());
		await engine.apply(planFor("tiny", "stopped"), listening());
		expect(existsSync(join(node.folder, "services/dep-choir/tiny/state/farewell"))).toBe(true);
	});

	test("that ignores SIGTERM is killed, and so is its child that left the group", async () => {
		const engine = node.engine({ recipes: [tiny("tiny", "stubborn")] });
		await engine.apply(planFor("tiny"), listening());
		expect(await node.leaders()).toHaveLength(2);
		await engine.apply(planFor("tiny", "stopped"), listening());
		expect(await running(node.nodeId)).toEqual([]);
	});

	test("that dies again and again is started again later and later, then given up", async () => {
		const patience = { first: 10, most: 40, steady: 60_000, lives: 4, look: 50 };
		const engine = node.engine({ patience });
		await engine.apply(planFor("tiny"), listening());
		for (let life = 1; life < 4; life++) {
			const before = await node.leaders();
			await ask(engine, planFor("tiny"), "/crash").catch(() => {});
			await eventually(async () => {
				expect(await node.leaders()).toHaveLength(1);
				expect(await node.leaders()).not.toEqual(before);
				expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "up" });
			});
		}
		await ask(engine, planFor("tiny"), "/crash").catch(() => {});
		await eventually(() => expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "stopped" }));
		expect(await running(node.nodeId)).toEqual([]);
		expect(await engine.look(planFor("tiny"))).toMatchObject([{ health: "unwell" }]);
		await engine.restart(planFor("tiny"), "tiny", listening());
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 5 at");
	});
});

describe("a port", () => {
	test("that somebody took while the service was stopped is changed for another", async () => {
		const engine = node.engine();
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
		const engine = node.engine({ ports: { first: port, last: port } });
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject({
			code: "port-taken",
			params: { port: String(port) },
		});
	});

	test("stays the same over stops and starts, and two services never get one", async () => {
		const engine = node.engine({ ports: { first: 31_990, last: 31_991 } });
		await Promise.all(["choir", "club"].map((name) => engine.apply(planFor("tiny", "serving", name), listening())));
		const ports = () => ["choir", "club"].map((name) => engine.backend(`social.${name}.localhost`));
		const before = ports();
		expect(new Set(before.map((backend) => JSON.stringify(backend))).size).toBe(2);
		await engine.restart(planFor("tiny"), "tiny", listening());
		expect(ports()).toEqual(before);
	});
});

describe("freezing", () => {
	test("ends all services of a deployment side by side, and the gateway knows at once", async () => {
		const engine = node.engine({ recipes: [tiny("slow", "lingering"), tiny("tiny")] });
		const plan = (mode: Plan["mode"]): Plan => {
			const services = ["slow", "tiny"].flatMap((name) =>
				planFor(name).services.map((one) => ({ ...one, hosts: [`${name}.choir.localhost`] })),
			);
			return { ...planFor("slow", mode), services };
		};
		await engine.apply(plan("serving"), listening());
		expect(await node.leaders()).toHaveLength(2);
		const work = engine.apply(plan("frozen"), listening());
		await eventually(async () => expect(await node.leaders()).toHaveLength(1));
		for (const host of ["slow.choir.localhost", "tiny.choir.localhost"])
			expect(engine.backend(host)).toMatchObject({ kind: "frozen" });
		writeFileSync(join(node.folder, "services/dep-choir/slow/state/let-go"), "");
		await work;
		expect(await node.leaders()).toEqual([]);
	});
});

describe("one host name in two deployments, as after a move away and back", () => {
	const back: Plan = { ...planFor("tiny"), deployment: "dep-back" };

	test.each([
		["before", [planFor("tiny", "frozen"), back]],
		["after", [back, planFor("tiny", "frozen")]],
	] as const)("is answered by the one that serves, when the copy that was left is planned %s it", async (_, plans) => {
		const engine = node.engine();
		await engine.apply(planFor("tiny"), listening());
		for (const plan of plans) await engine.apply(plan, listening());
		expect(engine.backend("social.choir.localhost:8080")).toMatchObject({ kind: "up" });
		await engine.close();

		const next = node.engine();
		await next.recover(plans);
		await eventually(async () => expect(await ask(next, back, "/")).toContain("tiny 2 at"));
		await next.apply({ ...back, mode: "absent" }, listening());
		expect(next.backend("social.choir.localhost")).toMatchObject({ kind: "frozen" });
		await next.apply(planFor("tiny", "absent"), listening());
		expect(next.backend("social.choir.localhost")).toBeUndefined();
	});
});

describe("state from another node", () => {
	test("brings its account, unless the service keeps nothing: then that is made wherever it runs", async () => {
		let made = 0;
		const account: NonNullable<Recipe["account"]> = {
			while: "running",
			create: async () => {
				made++;
			},
			setPassword: async () => {},
		};
		const recipes = [tiny("tiny", "good", { account }), tiny("bare", "good", { account, volumes: [] })];
		const engine = node.engine({ recipes });
		for (const service of ["tiny", "bare"]) {
			await engine.adopt(planFor(service));
			await engine.apply(planFor(service), listening());
		}
		expect(made).toBe(1);
		expect(await engine.places(planFor("bare"))).toEqual([]);
	});

	test("belongs into folders that its own user has made, and secrets have no place", async () => {
		const volumes = [
			{ name: "files", kind: "directory", path: "deep/down/files" },
			{ name: "database", kind: "sqlite", path: "deep/database.sqlite" },
			{ name: "key", kind: "secret", path: "key" },
		] as const;
		const engine = node.engine({ recipes: [tiny("tiny", "good", { volumes })] });
		const state = join(node.folder, "services/dep-choir/tiny/state");
		const places = await engine.places(planFor("tiny"));
		const { uid } = statSync(state);
		const owner = uid === process.getuid?.() ? null : uid;
		expect(places).toEqual([
			{ service: "tiny", name: "files", place: { kind: "directory", path: join(state, "deep/down/files"), owner } },
			{
				service: "tiny",
				name: "database",
				place: { kind: "sqlite", path: join(state, "deep/database.sqlite"), owner },
			},
		]);
		expect(statSync(join(state, "deep/down"))).toMatchObject({ uid });
		expect(existsSync(join(state, "deep/down/files"))).toBe(false);
	});
});

describe("changed plans", () => {
	test("another origin means other settings and a new process; the old host name is forgotten", async () => {
		const engine = node.engine();
		await engine.apply(planFor("tiny"), listening());
		const before = await node.leaders();
		const plan = planFor("tiny");
		const [service] = plan.services;
		if (!service) throw new Error("no service");
		const renamed = {
			...plan,
			services: [{ ...service, hosts: ["social.band.localhost"], origin: "http://social.band.localhost:8080" }],
		};
		await engine.apply(renamed, listening());
		expect(await node.leaders()).not.toEqual(before);
		expect(engine.backend("social.choir.localhost")).toBeUndefined();
		expect(await ask(engine, renamed, "/")).toContain("at social.band.localhost:8080");
	});

	test("a service that nobody knows is refused", async () => {
		expect(() => node.engine().stages(planFor("unheard-of"))).toThrow(
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
		const work = node.engine({ recipes: [recipe] }).apply(planFor("tiny"), listening(stop.signal));
		await eventually(async () => expect(await running(node.nodeId)).toHaveLength(1));
		stop.abort(new Error("cancelled by the test"));
		await expect(work).rejects.toThrow("cancelled by the test");
		expect(await running(node.nodeId)).toEqual([]);
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
		const engine = node.engine({
			recipes: [secretive],
			environment: { ...process.env, FEDIVERSITY_VAULT_KEY: "node-secret" },
		});
		await engine.apply(planFor("tiny"), listening());
		const secrets = [...node.vault.secrets.values(), "node-secret"];
		expect(secrets).toHaveLength(3);
		const [pid] = await node.leaders();
		const seen = readFileSync(`/proc/${pid}/cmdline`, "latin1") + readFileSync(`/proc/${pid}/environ`, "latin1");
		for (const secret of secrets) expect(seen).not.toContain(secret);
		const state = join(node.folder, "services/dep-choir/tiny/state");
		expect(readFileSync(join(state, "deep/down/secret"), "utf8")).toBe(node.vault.secrets.get("dep-choir/tiny/key"));
		expect(statSync(join(state, "deep/down/secret")).mode & 0o777).toBe(0o600);
		expect(statSync(state).mode & 0o777).toBe(0o700);
	});
});

describe("the log", () => {
	test("is kept short, while the program goes on writing to it", async () => {
		const patience = { look: 20, log: { bytes: 20_000, files: 2 } };
		const engine = node.engine({ patience });
		await engine.apply(planFor("tiny"), listening());
		const log = join(node.folder, "services/dep-choir/tiny/log/service.log");
		for (let round = 0; round < 5; round++) {
			await ask(engine, planFor("tiny"), "/shout?bytes=30000");
			await eventually(() => expect(statSync(log).size).toBeLessThan(20_000));
		}
		expect([1, 2, 3].map((age) => existsSync(`${log}.${age}`))).toEqual([true, true, false]);
		expect(statSync(log).mode & 0o777).toBe(0o600);
	});
});
