/** What every engine promises to those who use it: see node/engines/engine.ts. Real processes, real snac. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LocalEngine } from "../../node/engines/local/local-engine.ts";
import type { Recipe } from "../../node/engines/local/recipe.ts";
import { snac } from "../../node/engines/local/recipes/snac.ts";
import { LocalWorkshop } from "../../node/engines/local/workshop.ts";
import { snac as described } from "../../node/services/snac.ts";
import { copySecrets, copyState } from "./moving.ts";
import { tiny } from "./tiny/tiny.ts";
import {
	ask,
	cache,
	engineIn,
	eventually,
	listening,
	MemoryVault,
	planFor,
	running,
	scratch,
	someNode,
} from "./tiny/world.ts";

/** Generous: RSA keys are found by chance, and snac takes some seconds to stop. */
vi.setConfig({ testTimeout: 90_000 });

const canSnac = (await snac.able(new LocalWorkshop(cache, { PATH: process.env["PATH"] ?? "" }))).can;

interface Kind {
	readonly recipe: Recipe;
	/** Makes something that must survive, and looks whether it is there. */
	remember(engine: LocalEngine): Promise<string>;
	/** What proves the first account's password. */
	signsIn(engine: LocalEngine, password: string): Promise<boolean>;
}

const kinds: Record<string, Kind & { can: boolean }> = {
	"a tiny service": {
		can: true,
		recipe: tiny(),
		remember: async (engine) => String(Number((await ask(engine, planFor("tiny"), "/")).split(" ")[1]) > 0),
		signsIn: async (engine, password) => (await ask(engine, planFor("tiny"), "/password")) === password,
	},
	"snac for real": {
		can: canSnac,
		recipe: snac,
		remember: async (engine) => {
			const actor = await ask(engine, planFor("snac"), "/alice", "application/activity+json");
			return JSON.parse(actor).publicKey.publicKeyPem;
		},
		signsIn: snacSignsIn,
	},
};

for (const [name, { can, recipe, remember, signsIn }] of Object.entries(kinds))
	describe.skipIf(!can)(name, () => {
		const { service } = recipe;
		const serving = planFor(service);
		let at: ReturnType<typeof scratch>;
		let engine: LocalEngine;
		let vault: MemoryVault;
		let nodeId: string;

		beforeEach(() => {
			at = scratch();
			vault = new MemoryVault();
			nodeId = someNode();
			engine = engineIn(at.folder, { nodeId, vault, recipes: [recipe], ...(recipe === snac && { cache }) });
		});

		afterEach(async () => {
			await engine.close();
			expect(await running(nodeId), "nothing is left running").toEqual([]);
			at.remove();
		});

		const pids = async () => (await running(nodeId)).filter(({ pid, group }) => pid === group).map(({ pid }) => pid);

		test("applying a plan makes it true, and applying it again changes nothing", async () => {
			await engine.apply(serving, listening());
			expect(engine.backend(serving.services[0]?.hosts[0] ?? "")).toMatchObject({ kind: "up" });
			const first = await pids();
			expect(first).toHaveLength(1);
			const remembered = await remember(engine);
			await engine.apply(serving, listening());
			expect(await pids()).toEqual(first);
			expect(await remember(engine)).toBe(remembered);
			const [seen] = await engine.look(serving);
			expect(seen, "with its size").toMatchObject({ service, health: "well" });
			expect(seen?.probes.filter(({ ok }) => !ok)).toEqual([]);
			expect(seen?.probes.length).toBeGreaterThan(0);
			expect(seen?.sizeBytes).toBeGreaterThan(0);
		});

		test("its stages are named once each, in the order of work", () => {
			const stages = engine.stages(serving);
			expect(stages.map(({ name }) => name)).toEqual(
				["get", "configure", "start", "account", "check"].map((verb) => `${verb}:${service}`),
			);
			for (const stage of stages) {
				expect(stage.deadline).toBeGreaterThan(stage.seconds);
				expect(stage.title).not.toMatch(/[{}]/);
			}
		});

		test("the first account gets the password in the vault, another one when that is changed, and none by applying again", async () => {
			await vault.put(`dep-choir/${service}/password`, "first-password-of-alice");
			await engine.apply(serving, listening());
			expect(await signsIn(engine, "first-password-of-alice")).toBe(true);
			await vault.put(`dep-choir/${service}/password`, "second-password-of-alice");
			await engine.setPassword(serving, service, listening());
			expect(await signsIn(engine, "second-password-of-alice")).toBe(true);
			expect(await signsIn(engine, "first-password-of-alice")).toBe(false);
			// The vault may be ahead while a change is under way.
			await vault.put(`dep-choir/${service}/password`, "only-in-the-vault-so-far");
			await engine.apply(serving, listening());
			expect(await signsIn(engine, "second-password-of-alice")).toBe(true);
		});

		test("restarting gives another process and keeps the state", async () => {
			await engine.apply(serving, listening());
			const [before] = await pids();
			const remembered = await remember(engine);
			await engine.restart(serving, service, listening());
			expect(await pids()).toHaveLength(1);
			expect(await pids()).not.toContain(before);
			expect(await remember(engine)).toBe(remembered);
		});

		test("frozen and stopped: nothing runs, the gateway knows why, the state stays", async () => {
			await engine.apply(serving, listening());
			const remembered = await remember(engine);
			for (const mode of ["frozen", "stopped"] as const) {
				await engine.apply(planFor(service, mode), listening());
				await engine.apply(planFor(service, mode), listening());
				expect(await running(nodeId)).toEqual([]);
				expect(engine.backend("social.choir.localhost:8080")).toMatchObject({ kind: mode });
				expect(await engine.look(planFor(service, mode))).toMatchObject([{ health: "stopped", probes: [] }]);
			}
			await engine.apply(serving, listening());
			expect(await remember(engine)).toBe(remembered);
		});

		test("absent: nothing of it is left, neither processes, files, secrets nor its address", async () => {
			await engine.apply(serving, listening());
			expect(existsSync(join(at.folder, "services/dep-choir"))).toBe(true);
			await engine.apply(planFor(service, "absent"), listening());
			await engine.apply(planFor(service, "absent"), listening());
			expect(await running(nodeId)).toEqual([]);
			expect(existsSync(join(at.folder, "services/dep-choir"))).toBe(false);
			expect([...vault.secrets]).toEqual([]);
			expect(engine.backend("social.choir.localhost")).toBeUndefined();
		});

		test("erasing what never was is no error", async () => {
			await engine.apply(planFor(service, "absent"), listening());
			expect(engine.backend("social.choir.localhost")).toBeUndefined();
		});

		test("closing ends everything; recovering in a new engine starts it again", async () => {
			await engine.apply(serving, listening());
			const remembered = await remember(engine);
			await engine.close();
			expect(await running(nodeId)).toEqual([]);
			engine = engineIn(at.folder, { nodeId, vault, recipes: [recipe], ...(recipe === snac && { cache }) });
			await engine.recover([serving]);
			await eventually(async () => expect(await remember(engine)).toBe(remembered), 60);
		});

		test("a service that is killed comes back by itself", async () => {
			await engine.apply(serving, listening());
			const remembered = await remember(engine);
			const [before = Number.NaN] = await pids();
			process.kill(before, "SIGKILL");
			await eventually(async () => {
				expect(await pids()).not.toContain(before);
				expect(await remember(engine)).toBe(remembered);
			});
			const after = await pids();
			await engine.apply(serving, listening());
			expect(await pids()).toEqual(after);
		});

		test("looking with an old plan does not bring back what was stopped, nor does restarting", async () => {
			await engine.apply(serving, listening());
			await engine.apply(planFor(service, "stopped"), listening());
			expect(await engine.look(serving)).toMatchObject([{ health: "stopped" }]);
			const refused = { code: "deployment-state", params: { state: "stopped" } };
			await expect(engine.restart(serving, service, listening())).rejects.toMatchObject(refused);
			expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: "stopped" });
			expect(await running(nodeId)).toEqual([]);
		});

		test("says where state belongs before anything is there, and takes that for nothing that could run", async () => {
			const [volume] = await engine.places(serving);
			expect(volume).toMatchObject({ service, name: recipe.volumes[0]?.name });
			if (volume?.place.kind !== "directory") throw new Error("it is no folder");
			expect(existsSync(dirname(volume.place.path))).toBe(true);
			expect(await engine.places(serving)).toEqual([volume]);
			expect(await engine.look(serving)).toMatchObject([{ health: "stopped", sizeBytes: null }]);
			expect(engine.backend("social.choir.localhost")).toBeUndefined();
			await engine.recover([serving]);
			await engine.close();
			expect(await running(nodeId)).toEqual([]);
			expect([...vault.secrets]).toEqual([]);
		});

		test("prepared, the program is here and nothing runs; a second time nothing changes", async () => {
			await engine.prepare(serving, listening());
			await engine.prepare(serving, listening());
			expect(await running(nodeId)).toEqual([]);
			expect(engine.backend("social.choir.localhost")).toBeUndefined();
		});

		test("adopts state from another node: the first account is there already, and the old state stays as it was", async () => {
			await engine.apply(serving, listening());
			const remembered = await remember(engine);
			const password = vault.secrets.get(`dep-choir/${service}/password`) ?? "";
			await engine.apply(planFor(service, "frozen"), listening());

			const [otherNode, otherVault] = [someNode(), new MemoryVault()];
			const other = engineIn(join(at.folder, "other"), {
				...{ nodeId: otherNode, vault: otherVault, recipes: [recipe], ...(recipe === snac && { cache }) },
			});
			try {
				await copyState(engine, serving, other, serving);
				copySecrets(vault.secrets, otherVault.secrets, ["dep-choir", "dep-choir"]);
				await other.adopt(serving);
				await other.adopt(serving);
				expect(await running(otherNode)).toEqual([]);
				await other.apply(serving, listening());
				expect(await remember(other)).toBe(remembered);
				expect(await signsIn(other, password)).toBe(true);
				expect(otherVault.secrets.get(`dep-choir/${service}/password`)).toBe(password);
			} finally {
				await other.close();
			}
			await engine.apply(serving, listening());
			expect(await remember(engine)).toBe(remembered);
		});

		test("work that is aborted ends with the reason", async () => {
			const cancelled = new Error("cancelled by the test");
			await expect(engine.apply(serving, listening(AbortSignal.abort(cancelled)))).rejects.toBe(cancelled);
		});
	});

test("snac is in the catalogue, and a service without a recipe needs another engine", async () => {
	const engine = engineIn("/nowhere", { cache });
	expect(await engine.can({ ...described, name: "mastodon", title: "Mastodon" })).toMatchObject({
		can: false,
		code: "needs-engine",
		missing: "NixOps4",
	});
});

/** Signs in as a Mastodon app would: snac shows its form, takes name and password, and gives a code. */
async function snacSignsIn(engine: LocalEngine, password: string): Promise<boolean> {
	const backend = engine.backend("social.choir.localhost");
	if (backend?.kind !== "up") throw new Error("snac is not up");
	const origin = `http://127.0.0.1:${backend.port}`;
	const post = (path: string, fields: Record<string, string>) =>
		fetch(`${origin}${path}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
	const redirect = "http://app.example/back";
	const app = await post("/api/v1/apps", { client_name: "test", redirect_uris: redirect, scopes: "read write" });
	const { client_id: cid } = (await app.json()) as { client_id: string };
	const answer = await post("/oauth/x-snac-login", {
		login: "alice",
		passwd: password,
		redir: redirect,
		cid,
		state: "",
	});
	return answer.status === 303 && (answer.headers.get("location") ?? "").includes("code=");
}
