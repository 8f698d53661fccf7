/** Trials of services that are to come here: for real, shut off from everybody, and without a trace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test, vi } from "vitest";
import { says, tiny } from "../../../test/contracts/tiny/tiny.ts";
import { TinyNode } from "../../../test/contracts/tiny/tiny-node.ts";
import { ask, eventually, listening, planFor, running } from "../../../test/contracts/tiny/world.ts";
import type { PlacedVolume } from "../engine.ts";
import type { Depot, Room } from "./depot.ts";
import { launch } from "./launch.ts";
import type { Probe } from "./recipe.ts";
import { runToEnd } from "./run.ts";
import { Seclusion } from "./seclusion.ts";

vi.setConfig({ testTimeout: 60_000 });

const node = new TinyNode();
const child = join(import.meta.dirname, "../../../test/contracts/tiny/node-child.ts");
const env = { PATH: process.env["PATH"] ?? "" };
const canSeclude = await worksAs(process.getuid?.() === 0);
const canAsUser = await worksAs(false);

async function worksAs(isRoot: boolean): Promise<boolean> {
	const seclusion = await Seclusion.open(env, isRoot);
	await seclusion?.close();
	return seclusion !== null;
}

/** As a transfer does: files belong to whom the place says. */
async function fill([volume]: readonly PlacedVolume[]): Promise<void> {
	if (volume?.place.kind !== "directory") throw new Error("it is no folder");
	const { path, owner } = volume.place;
	const file = join(path, "count");
	writeFileSync(file, "41");
	if (owner !== null) chownSync(file, owner, owner);
}

/** A server that keeps databases, as far as the engine knows it. */
class Rooms implements Depot {
	readonly kept = new Set<string>();
	readonly #port: number;

	constructor(port: number) {
		this.#port = port;
	}

	async open(volume: string): Promise<Room> {
		this.kept.add(volume);
		const key = { user: "tiny", password: "a key", programs: null };
		return { kind: "postgres", host: "127.0.0.1", port: this.#port, database: volume, ...key };
	}

	async erase(volume: string): Promise<void> {
		this.kept.delete(volume);
	}
}

const nothingLeft = () => expect(readdirSync(join(node.folder, "services"))).toEqual([]);

async function someoneListening(): Promise<number> {
	const server = createServer((_request, response) => response.end("here")).listen(0, "127.0.0.1");
	await once(server, "listening");
	node.ends.push(() => server.close());
	return (server.address() as AddressInfo).port;
}

function isReachable(port: number): Promise<boolean> {
	return new Promise((done) => {
		const socket = connect(port, "127.0.0.1");
		socket.once("connect", () => done(true)).once("error", () => done(false));
		node.ends.push(() => socket.destroy());
	});
}

describe.skipIf(!canSeclude)("a trial", () => {
	test("runs the services with what was put into their places, and leaves nothing behind", async () => {
		const engine = node.engine();
		expect(await engine.rehearse(planFor("tiny"), fill, listening())).toEqual({
			tried: true,
			checks: [{ what: "tiny: page", ok: true, detail: "tiny 42 at social.choir.localhost:8080" }],
		});
		nothingLeft();
		expect(await running(node.nodeId)).toEqual([]);
		expect(engine.backend("social.choir.localhost")).toBeUndefined();
		expect([...node.vault.secrets]).toEqual([]);
	});

	test("leaves alone what serves meanwhile", async () => {
		const engine = node.engine();
		await engine.apply(planFor("tiny"), listening());
		const before = await node.leaders();
		const secrets = new Map(node.vault.secrets);
		const { checks } = await engine.rehearse(planFor("tiny"), fill, listening());
		expect(checks).toMatchObject([{ ok: true, detail: "tiny 42 at social.choir.localhost:8080" }]);
		expect(await node.leaders()).toEqual(before);
		expect(node.vault.secrets).toEqual(secrets);
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 1 at");
		expect(readdirSync(join(node.folder, "services"))).toEqual(["dep-choir"]);
	});

	test("reaches nobody, and nobody reaches it", async () => {
		const others = await someoneListening();
		let own = 0;
		const looks: Probe = {
			what: "network",
			look: async (ask) => {
				expect(await isReachable(own)).toBe(false);
				return (await ask(`/connect?port=${others}`)).body;
			},
		};
		const recipe = tiny("tiny", "good", {
			probes: (home) => {
				own = home.port();
				return [...tiny().probes(home), looks, says("itself", `/connect?port=${own}`, /^connected$/)];
			},
		});
		const { checks } = await node.engine({ recipes: [recipe] }).rehearse(planFor("tiny"), fill, listening());
		expect(await isReachable(others)).toBe(true);
		expect(checks).toMatchObject([
			{ ok: true },
			{ what: "tiny: network", ok: true, detail: "ECONNREFUSED" },
			{ ok: true },
		]);
	});

	test("reaches the server that keeps its state, has a room of its own there, and gives it up in the end", async () => {
		const port = await someoneListening();
		const rooms = new Rooms(port);
		const looks: Probe = {
			what: "state",
			look: async (ask) => (await ask(`/connect?port=${port}`)).body,
		};
		const recipe = tiny("tiny", "good", {
			volumes: [{ name: "rows", kind: "postgres", depot: rooms }],
			configure: async (home, hands) => {
				await tiny().configure(home, hands);
				await hands.write("rows", JSON.stringify(await home.place("rows")));
			},
			probes: (home) => [...tiny().probes(home), looks],
		});
		const engine = node.engine({ recipes: [recipe] });
		const filled: unknown[] = [];
		const filling = async (volumes: readonly PlacedVolume[]) => void filled.push(...volumes);
		const { checks } = await engine.rehearse(planFor("tiny"), filling, listening());
		expect(checks).toMatchObject([{ ok: true }, { what: "tiny: state", ok: true, detail: "connected" }]);
		expect(filled).toMatchObject([{ name: "rows", place: { database: "dep-choir-rehearsal/tiny/rows" } }]);
		expect([...rooms.kept]).toEqual([]);
		nothingLeft();

		await engine.apply(planFor("tiny"), listening());
		expect([...rooms.kept]).toEqual(["dep-choir/tiny/rows"]);
		await engine.apply({ ...planFor("tiny"), mode: "absent" }, listening());
		expect([...rooms.kept]).toEqual([]);

		// As a node that is killed in the middle leaves it.
		await engine.places({ ...planFor("tiny"), deployment: "dep-choir-rehearsal" });
		expect([...rooms.kept]).toEqual(["dep-choir-rehearsal/tiny/rows"]);
		await engine.recover([]);
		expect([...rooms.kept]).toEqual([]);
		nothingLeft();
	});

	test("of several services has them all in one network", async () => {
		const one = tiny("one");
		let port = 0;
		const recipes = [
			tiny("one", "good", {
				probes: (home) => {
					port = home.port();
					return one.probes(home);
				},
			}),
			tiny("two", "good", { probes: () => [says("other", `/connect?port=${port}`, /^connected$/)] }),
		];
		const plan = planFor("one");
		const both = { ...plan, services: [...plan.services, ...planFor("two").services] };
		const { checks } = await node.engine({ recipes }).rehearse(both, async () => {}, listening());
		expect(checks).toMatchObject([
			{ what: "one: page", ok: true },
			{ what: "two: other", ok: true },
		]);
	});

	test.each(["dies", "never-ready"] as const)(
		"says of a service that %s what is wrong, and tries the others",
		async (behaviour) => {
			const recipes = [tiny("ill", behaviour), tiny("tiny")];
			const plan = planFor("ill");
			const both = { ...plan, services: [...plan.services, ...planFor("tiny").services] };
			const { tried, checks } = await node.engine({ recipes }).rehearse(both, async () => {}, listening());
			expect(tried).toBe(true);
			expect(checks).toMatchObject([
				{ what: "ill: start", ok: false },
				{ what: "tiny: page", ok: true },
			]);
			expect(checks[0]?.detail).not.toBe("");
			nothingLeft();
		},
	);

	test("keeps for later what took long to make, and nothing else", async () => {
		const recipe = tiny("tiny", "good", {
			lasting: ["compiled", "never-made"],
			configure: async (home, hands) => {
				await tiny().configure(home, hands);
				const before = (await hands.read("compiled/code")) ?? "";
				await hands.write("compiled/code", `${before}made `);
			},
		});
		const engine = node.engine({ recipes: [recipe] });
		await engine.rehearse(planFor("tiny"), fill, listening());
		const state = join(node.folder, "services/dep-choir/tiny/state");
		expect(readdirSync(state)).toEqual(["compiled"]);
		await engine.rehearse(planFor("tiny"), fill, listening());
		expect(readFileSync(join(state, "compiled/code"), "utf8")).toBe("made ");
		expect(statSync(join(state, "compiled/code")).uid).toBe(statSync(state).uid);
		expect(await engine.look(planFor("tiny"))).toMatchObject([{ health: "stopped", sizeBytes: null }]);
		await engine.apply(planFor("tiny"), listening());
		expect(readFileSync(join(state, "compiled/code"), "utf8")).toBe("made made ");
	});

	test("that cannot be filled fails, and is cleared away", async () => {
		const filling = async (volumes: readonly PlacedVolume[]) => {
			await fill(volumes);
			throw new Error("a piece was damaged");
		};
		await expect(node.engine().rehearse(planFor("tiny"), filling, listening())).rejects.toThrow("damaged");
		nothingLeft();
	});

	test("that is called off ends at once, and is cleared away", async () => {
		const off = new AbortController();
		const recipe = tiny("tiny", "good", {
			probes: () => [
				{
					what: "page",
					look: async () => {
						off.abort(new Error("called off by the test"));
						throw new Error("not yet");
					},
				},
			],
		});
		const work = node.engine({ recipes: [recipe] }).rehearse(planFor("tiny"), fill, listening(off.signal));
		await expect(work).rejects.toThrow("called off by the test");
		nothingLeft();
		expect(await running(node.nodeId)).toEqual([]);
	});

	test("that was cut off by the node's end is cleared away by the next one", async () => {
		const life = spawn(process.execPath, [child, node.folder, node.nodeId, "tiny", "rehearse"], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		for await (const line of createInterface({ input: life.stdout })) if (line === "ready") break;
		const state = join(node.folder, "services/dep-choir-rehearsal/tiny/state");
		await eventually(() => expect(readFileSync(join(state, "count"), "utf8")).toBe("1"));
		life.kill("SIGKILL");
		await once(life, "exit");
		expect(await node.leaders()).toHaveLength(1);
		const engine = node.engine();
		await engine.recover([planFor("tiny")]);
		expect(await running(node.nodeId)).toEqual([]);
		nothingLeft();
		expect(existsSync(state)).toBe(false);
	});

	test("is made twice in a row without the first being in the way of the second", async () => {
		const engine = node.engine();
		const both = [1, 2].map(() => engine.rehearse(planFor("tiny"), fill, listening()));
		for (const { checks } of await Promise.all(both)) expect(checks).toMatchObject([{ ok: true }]);
		nothingLeft();
	});
});

test("where programs cannot be shut off, nothing is started, and that is said", async () => {
	const folder = join(node.folder, "bin");
	mkdirSync(folder);
	writeFileSync(join(folder, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
	const environment = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
	let isFilled = false;
	const filling = async () => {
		isFilled = true;
	};
	const rehearsal = await node.engine({ environment }).rehearse(planFor("tiny"), filling, listening());
	expect(rehearsal).toMatchObject({ tried: false, checks: [{ what: "network", ok: false }] });
	expect(isFilled).toBe(false);
	nothingLeft();
});

test.skipIf(!canAsUser)("whoever is not root can do it within a user namespace", async () => {
	const others = await someoneListening();
	const seclusion = await Seclusion.open(env, false);
	if (!seclusion) throw new Error("not possible");
	node.ends.push(() => seclusion.close());
	const script = `
		const { createServer, connect } = require("node:net"), { readFileSync } = require("node:fs");
		const powers = /CapEff:\\s*(\\w+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
		connect(${others}, "127.0.0.1").on("error", ({ code }) => {
			const server = require("node:http").createServer((_, response) => response.end(code + " " + powers));
			server.listen(24007, "127.0.0.1", () => console.log("ready"));
		});`;
	const confinement = {
		...{ user: null, mounts: null, ownSharedMemory: false, behind: [], limits: null },
		network: seclusion.network,
	};
	const end = new AbortController();
	const ready = Promise.withResolvers<void>();
	const work = runToEnd({
		command: launch([process.execPath, "-e", script], node.folder, confinement),
		...{ name: "inside", folder: node.folder, env, signal: end.signal, line: () => ready.resolve() },
	});
	work.catch(ready.reject);
	await ready.promise;
	const inside = seclusion.asking("http://x.localhost", () => 24_007);
	expect((await inside("/")).body).toBe("ECONNREFUSED 0000000000000000");
	await expect(seclusion.asking("http://x.localhost", () => 24_008)("/")).rejects.toThrow("ECONNREFUSED");
	end.abort(new Error("the test is over"));
	await expect(work).rejects.toThrow("the test is over");
	await seclusion.close();
	await expect(inside("/")).rejects.toThrow();
});
