/** snac for real: what its recipe promises beyond the contract, and that two of them federate. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { copySecrets, copyVolume } from "../../../../test/contracts/moving.ts";
import {
	cache,
	engineIn,
	eventually,
	listenersAt,
	listening,
	MemoryVault,
	planFor,
	running,
	scratch,
	someNode,
} from "../../../../test/contracts/tiny/world.ts";
import type { PlacedVolume, Plan } from "../../engine.ts";
import type { LocalEngine } from "../local-engine.ts";
import { LocalWorkshop } from "../workshop.ts";
import { snac } from "./snac.ts";

vi.setConfig({ testTimeout: 120_000 });

const { can } = await snac.able(new LocalWorkshop(cache, { PATH: process.env["PATH"] ?? "" }));

describe.skipIf(!can)("snac for real", () => {
	let at: ReturnType<typeof scratch>;
	const lives: { engine: LocalEngine; nodeId: string; vault: MemoryVault }[] = [];
	const ends: (() => unknown)[] = [];

	beforeEach(() => {
		at = scratch();
	});

	afterEach(async () => {
		for (const { engine, nodeId } of lives.splice(0)) {
			await engine.close();
			expect(await running(nodeId)).toEqual([]);
		}
		for (const end of ends.splice(0)) await end();
		at.remove();
	});

	function provider(name: string, environment = process.env) {
		const [nodeId, vault] = [someNode(), new MemoryVault()];
		const engine = engineIn(join(at.folder, name), { nodeId, vault, cache, environment, recipes: [snac] });
		const life = { engine, nodeId, vault };
		lives.push(life);
		return life;
	}

	/** One door for all, as in the demo: the port is part of every service's address. */
	async function frontDoor(): Promise<number> {
		const door = createServer((asked, answer) => {
			const backends = lives.map(({ engine }) => engine.backend(asked.headers.host ?? ""));
			const backend = backends.find((one) => one?.kind === "up");
			if (backend?.kind !== "up") return void answer.writeHead(503).end();
			const { method, url: path, headers } = asked;
			const onward = request({ host: "127.0.0.1", port: backend.port, method, path, headers, agent: false }, (got) => {
				answer.writeHead(got.statusCode ?? 502, got.headers);
				got.pipe(answer);
			});
			onward.on("error", () => answer.destroy());
			asked.pipe(onward);
		});
		door.listen(0, "127.0.0.1");
		await once(door, "listening");
		ends.push(() => door.close());
		return (door.address() as AddressInfo).port;
	}

	function behind(plan: Plan, port: number): Plan {
		const services = plan.services.map((one) => ({ ...one, origin: `http://${one.hosts[0]}:${port}` }));
		return { ...plan, services };
	}

	test("two of them at two providers, with a port in their names: follow, accept, a post arrives, and one moves", async () => {
		// A proxy that is set must not be asked for names of this machine.
		const proxied = { ...process.env, http_proxy: "http://127.0.0.1:1" };
		const [north, south] = [provider("north"), provider("south", proxied)];
		const port = await frontDoor();
		const choir = behind(planFor("snac", "serving", "choir"), port);
		const club = behind(planFor("snac", "serving", "club"), port);
		await Promise.all([north.engine.apply(choir, listening()), south.engine.apply(club, listening())]);

		const follower = await signIn(choir, port, north.vault.secrets.get("dep-choir/snac/password") ?? "");
		const author = await signIn(club, port, south.vault.secrets.get("dep-club/snac/password") ?? "");
		const handle = `alice@social.club.localhost:${port}`;
		const search = await follower("GET", `/api/v2/search?resolve=true&q=${encodeURIComponent(handle)}`);
		expect(search.accounts).toMatchObject([{ acct: handle, url: `http://social.club.localhost:${port}/alice` }]);
		await follower("POST", `/api/v1/accounts/${search.accounts[0].id}/follow`);
		const accepted = join(at.folder, "north/services/dep-choir/snac/state/data/user/alice/following");
		await eventually(() => {
			const texts = readdirSync(accepted).map((file) => readFileSync(join(accepted, file), "utf8"));
			expect(texts.join()).toContain('"Accept"');
		}, 60);
		const reads = async (words: string) => {
			const timeline = await follower("GET", "/api/v1/timelines/home");
			expect(JSON.stringify(timeline)).toContain(words);
		};
		await author("POST", "/api/v1/statuses", { status: "Hello from the club" });
		await eventually(() => reads("Hello from the club"), 60);

		// The author moves to a third provider. Nobody has to sign in or follow again.
		await south.engine.apply({ ...club, mode: "frozen" }, listening());
		const west = provider("west");
		const moved = { ...club, deployment: "dep-moved" };
		const trial = await west.engine.rehearse(moved, (places) => copyInto(places, south, club), listening());
		expect(trial.checks.filter(({ ok }) => trial.tried && !ok)).toEqual([]);
		await copyInto(await west.engine.places(moved), south, club);
		copySecrets(south.vault.secrets, west.vault.secrets, ["dep-club", "dep-moved"]);
		await west.engine.adopt(moved);
		await west.engine.apply(moved, listening());
		expect(JSON.stringify(await author("GET", "/api/v1/timelines/home"))).toContain("Hello from the club");
		await author("POST", "/api/v1/statuses", { status: "Hello from our new home" });
		await eventually(() => reads("Hello from our new home"), 60);
		await signIn(club, port, west.vault.secrets.get("dep-moved/snac/password") ?? "");

		// The old one is as it was, and would still do.
		await west.engine.apply({ ...moved, mode: "absent" }, listening());
		await south.engine.apply(club, listening());
		const timeline = JSON.stringify(await author("GET", "/api/v1/timelines/home"));
		expect(timeline).toContain("Hello from the club");
		expect(timeline).not.toContain("Hello from our new home");
	});

	async function copyInto(places: readonly PlacedVolume[], from: { engine: LocalEngine }, plan: Plan) {
		for (const volume of await from.engine.places(plan)) copyVolume(volume, places);
	}

	test("it listens on loopback only, and changes users make to its settings stay", async () => {
		const { engine } = provider("north");
		await engine.apply(planFor("snac"), listening());
		const backend = engine.backend("social.choir.localhost");
		expect(listenersAt(backend?.kind === "up" ? backend.port : 0)).toEqual(["0100007F"]);
		const file = join(at.folder, "north/services/dep-choir/snac/state/data/server.json");
		const before = JSON.parse(readFileSync(file, "utf8"));
		expect(before).toMatchObject({ host: "social.choir.localhost:8080", protocol: "http", address: "127.0.0.1" });
		execFileSync("sed", ["-i", 's/"title": ""/"title": "The choir"/', file]);
		await engine.restart(planFor("snac"), "snac", listening());
		expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ ...before, title: "The choir" });

		// Where the settings alone are lost, nobody's account goes with them.
		const key = readFileSync(join(file, "../user/alice/key.json"), "utf8");
		rmSync(file);
		for (const stage of engine.repair(planFor("snac"))) await stage.run(listening());
		const { host, port } = JSON.parse(readFileSync(file, "utf8"));
		expect({ host, port }).toEqual({ host: before.host, port: before.port });
		expect(readFileSync(join(file, "../user/alice/key.json"), "utf8")).toBe(key);
		expect(readdirSync(join(file, "../.."))).not.toContain("data.new");
	});

	test("an account that was cut off while it was made is made anew", async () => {
		const { engine, vault } = provider("north");
		const [get, configure, start, account, check] = engine.stages(planFor("snac"));
		for (const stage of [get, configure, start]) await stage?.run(listening());
		const state = join(at.folder, "north/services/dep-choir/snac/state");
		execFileSync("cp", ["-a", join(state, "data/inbox"), join(state, "data/user/alice")]);
		await account?.run(listening());
		await check?.run(listening());
		expect(vault.secrets.get("dep-choir/snac/password")).toMatch(/^[a-z0-9]{20}$/);
		expect(readFileSync(join(state, "data/user/alice/key.json"), "utf8")).toContain("BEGIN");
	});
});

/** What a server answers is looked at by the assertions. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of somebody else's
type Api = (method: string, path: string, body?: Record<string, string>) => Promise<any>;

/** The way of every Mastodon app: register, sign in on the server's form, exchange the code. */
async function signIn(plan: Plan, port: number, password: string): Promise<Api> {
	const host = `${plan.services[0]?.hosts[0]}:${port}`;
	const call = (method: string, path: string, headers: Record<string, string>, body?: Record<string, string>) =>
		new Promise<{ status: number; location: string; text: string }>((done, failed) => {
			const form = body && new URLSearchParams(body).toString();
			const sent = request(
				{
					...{ host: "127.0.0.1", port, method, path, agent: false },
					headers: {
						...{ host, accept: "application/json", ...headers },
						...(form && { "content-type": "application/x-www-form-urlencoded", "content-length": form.length }),
					},
				},
				(answer) => {
					let text = "";
					answer.on("data", (part) => {
						text += part;
					});
					answer.on("end", () =>
						done({ status: answer.statusCode ?? 0, location: answer.headers.location ?? "", text }),
					);
				},
			);
			sent.on("error", failed);
			sent.end(form);
		});
	const redirect = "http://app.example/back";
	const app = JSON.parse(
		(await call("POST", "/api/v1/apps", {}, { client_name: "test", redirect_uris: redirect, scopes: "read write" }))
			.text,
	);
	const login = { login: "alice", passwd: password, redir: redirect, cid: app.client_id, state: "" };
	const code =
		URL.parse((await call("POST", "/oauth/x-snac-login", {}, login)).location)?.searchParams.get("code") ?? "";
	const { client_id, client_secret } = app;
	const exchange = { grant_type: "authorization_code", code, redirect_uri: redirect, client_id, client_secret };
	const { access_token } = JSON.parse((await call("POST", "/oauth/token", {}, exchange)).text);
	return async (method, path, body) => {
		const { status, text } = await call(method, path, { authorization: `Bearer ${access_token}` }, body);
		if (status !== 200) throw new Error(`${method} ${path} answered ${status}: ${text.slice(0, 200)}`);
		return JSON.parse(text);
	};
}
