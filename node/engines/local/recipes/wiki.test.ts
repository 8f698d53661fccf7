/** Federated Wiki for real, from the registry into the tests' cache. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { copySecrets, copyState, copyVolume } from "../../../../test/contracts/moving.ts";
import {
	cache,
	engineIn,
	listenersAt,
	listening,
	MemoryVault,
	planFor,
	running,
	scratch,
	someNode,
} from "../../../../test/contracts/tiny/world.ts";
import type { LocalEngine } from "../local-engine.ts";
import { LocalWorkshop } from "../workshop.ts";
import { wiki } from "./wiki.ts";

vi.setConfig({ testTimeout: 180_000 });

const { can } = await wiki.able(new LocalWorkshop(cache, { PATH: process.env["PATH"] ?? "" }));

describe.skipIf(!can)("Federated Wiki for real", () => {
	const plan = planFor("wiki");
	let at: ReturnType<typeof scratch>;
	let nodeId: string;
	let vault: MemoryVault;
	let engine: LocalEngine;

	beforeEach(() => {
		[at, nodeId, vault] = [scratch(), someNode(), new MemoryVault()];
		engine = engineIn(at.folder, { nodeId, vault, cache, recipes: [wiki] });
	});

	afterEach(async () => {
		await engine.close();
		expect(await running(nodeId)).toEqual([]);
		at.remove();
	});

	function port(): number {
		const backend = engine.backend("social.choir.localhost");
		if (backend?.kind !== "up") throw new Error(`the wiki is ${backend?.kind}`);
		return backend.port;
	}

	function asOwner(secret: string): Promise<Response> {
		const headers = { "content-type": "text/plain" };
		return fetch(`http://127.0.0.1:${port()}/auth/reclaim/`, { method: "POST", headers, body: secret });
	}

	test("its owner gets in with the password and may write; nobody else may, nor administer", async () => {
		await engine.apply(plan, listening());
		expect(await engine.look(plan)).toMatchObject([{ health: "well", probes: [{}, {}, { detail: "alice" }] }]);
		expect(listenersAt(port())).toEqual(["0100007F"]);

		const password = vault.secrets.get("dep-choir/wiki/password") ?? "";
		expect((await asOwner("a guess")).status).toBe(401);
		const signedIn = await asOwner(password);
		expect(signedIn.status).toBe(200);
		const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
		expect((await write("A page", cookie)).status).toBe(200);
		expect((await write("Not mine", "")).status).toBe(403);
		const version = `http://127.0.0.1:${port()}/system/version.json`;
		for (const headers of [{}, { cookie }]) expect((await fetch(version, { headers })).status).toBe(403);

		await vault.put("dep-choir/wiki/password", "another-password-of-hers");
		await engine.setPassword(plan, "wiki", listening());
		expect((await asOwner(password)).status).toBe(401);
		expect((await asOwner("another-password-of-hers")).status).toBe(200);
		expect(await slugs()).toEqual(["a-page"]);
	});

	test("moves to another node after a trial there: pages, owner and signed in visitors go with it", async () => {
		await engine.apply(plan, listening());
		const password = vault.secrets.get("dep-choir/wiki/password") ?? "";
		const cookie = (await asOwner(password)).headers.get("set-cookie")?.split(";")[0] ?? "";
		expect((await write("A page", cookie)).status).toBe(200);
		await engine.apply(planFor("wiki", "frozen"), listening());

		const old = engine;
		const [otherNode, otherVault] = [someNode(), new MemoryVault()];
		const folder = join(at.folder, "other");
		engine = engineIn(folder, { nodeId: otherNode, vault: otherVault, cache, recipes: [wiki] });
		try {
			const trial = await engine.rehearse(
				plan,
				async (places) => {
					for (const volume of await old.places(plan)) copyVolume(volume, places);
				},
				listening(),
			);
			expect(trial.checks.filter(({ ok }) => trial.tried && !ok)).toEqual([]);
			await copyState(old, plan, engine, plan);
			copySecrets(vault.secrets, otherVault.secrets, ["dep-choir", "dep-choir"]);
			await engine.adopt(plan);
			await engine.apply(plan, listening());
			expect(await engine.look(plan)).toMatchObject([{ health: "well" }]);
			expect((await asOwner(password)).status).toBe(200);
			expect((await write("Our new home", cookie)).status).toBe(200);
			expect(await slugs()).toEqual(["a-page", "our-new-home"]);
		} finally {
			await engine.close();
			engine = old;
		}
		expect(await running(otherNode)).toEqual([]);
		await engine.apply(plan, listening());
		expect(await slugs()).toEqual(["a-page"]);
		expect((await asOwner(password)).status).toBe(200);
	});

	async function slugs(): Promise<string[]> {
		return (await (await fetch(`http://127.0.0.1:${port()}/system/slugs.json`)).json()).sort();
	}

	test("is one process, and its secrets are in its own folder only", async () => {
		await engine.apply(plan, listening());
		const processes = await running(nodeId);
		expect(processes).toHaveLength(1);
		expect([...vault.secrets.keys()].sort()).toEqual(
			["admin", "cookie", "password"].map((name) => `dep-choir/wiki/${name}`),
		);
	});

	function write(title: string, cookie: string): Promise<Response> {
		const slug = title.toLowerCase().replaceAll(" ", "-");
		const item = { title, story: [] };
		const action = JSON.stringify({ type: "create", item, date: 0 });
		const body = new URLSearchParams({ action });
		return fetch(`http://127.0.0.1:${port()}/page/${slug}/action`, { method: "PUT", body, headers: { cookie } });
	}
});
