/** One provider's services are processes of its machine, the other's run on machines by NixOps4: a deployment moves there and back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runningNode } from "../../node/commands/running-node.ts";
import { Pair } from "../faults/pair.ts";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { Straw } from "../nixops4/straw/straw.ts";
import { hasPostgres } from "../postgres.ts";
import { beginMove, bothEnded, passwordOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person } from "./world.ts";

const canRun = (await nix()) !== null && hasSshd && hasPostgres;
const domain = "choir.localhost";
const moved = async (from: Person, to: Person) =>
	bothEnded(await beginMove(from, to, domain, passwordOf("ada")), from, to);

test.skipIf(!canRun)(
	"a GoToSocial of straw moves from processes to a machine and back, and a newer Galene does not (needs Nix, sshd and PostgreSQL)",
	{
		timeout: 400_000,
	},
	async () => {
		const folder = mkdtempSync(join(tmpdir(), "fediversity-both-"));
		const straw = await Straw.open(1, join(folder, "key"));
		const recipes = { file: join(import.meta.dirname, "../nixops4/straw/recipes.ts"), given: { north: {}, south: {} } };
		try {
			const engines = { settings: { south: straw.settings }, environments: { south: straw.environment } };
			await Pair.with({ recipes, ...engines }, async (pair) => {
				const node = runningNode(join(pair.folderOf("south"), "node.sock"));
				for (const body of straw.pool) await node("POST /staff/machines", { body: body as never });
				const [ada, adaThere] = [await pair.customer("north", "ada"), await pair.customer("south", "ada")];
				const origin = `http://social.${domain}:${pair.port}`;
				const read = async () => (await reach(`${origin}/notes`)).text();

				await pair.allow("north", ada);
				const { id: meeting } = await ada.deploy("band.localhost", ["galene"], "ada");
				const { token } = await adaThere.api("POST /move-ins", { body: { domain: "band.localhost" } });
				const plan = await ada.api("POST /deployments/{id}/move-plan", { path: { id: meeting }, body: { token } });
				expect(plan.problems).toMatchObject([{ code: "provider-older", params: { there: "0.96.3", here: "99.0" } }]);

				const { id } = await ada.deploy(domain, ["gotosocial"], "ada");
				const { password } = await ada.credentials(id, "gotosocial");
				const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
				const write = async (words: string) =>
					(
						await reach(`${origin}/notes`, {
							method: "POST",
							headers: { authorization },
							body: JSON.stringify({ words }),
						})
					).status;
				expect(await write("At home")).toBe(201);
				const before = await read();

				expect(await moved(ada, adaThere)).toEqual(["done", "done"]);
				await eventually("it serves on the machine", async () => (await read()) === before);
				await eventually("its owner is known there", async () => (await write("On a machine")) === 201);
				expect(await pair.servesItself("south", `social.${domain}`)).toBe(true);
				const there = await read();

				expect(await moved(adaThere, ada)).toEqual(["done", "done"]);
				await eventually("it serves at home", async () => (await read()) === there);
				expect(there).toContain('"words":"On a machine","kept":["On a machine"]');
				expect(await write("At home again")).toBe(201);
				expect(await pair.servesItself("north", `social.${domain}`)).toBe(true);
			});
		} finally {
			await straw.close();
			rmSync(folder, { recursive: true, force: true });
		}
	},
);
