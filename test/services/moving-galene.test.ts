/** Galene keeps nothing that could not be written anew: it moves by its configuration and its secrets alone. */
import { describe, expect, test } from "vitest";
import { beginMove, bothEnded, passwordOf, statesOf } from "../stories/moving.ts";
import { eventually, type Person, World } from "../stories/world.ts";
import { GaleneClient } from "./galene-client.ts";
import { canRun } from "./site.ts";

const can = await canRun("galene");
const domain = "choir.localhost";

describe.skipIf(!can)("Galene on the move (needs itself on the search path: no registry has it)", () => {
	test("goes there and back: the room is open under the same address, and led with the same password", async () => {
		await using world = await new World().open();
		const site = { origin: `http://meet.${domain}:${world.port}` };
		const [ada, adaThere] = [await world.customer("north", "ada"), await world.customer("south", "ada")];
		const { id } = await ada.deploy(domain, ["galene"], "ada");
		const { username, password } = await ada.credentials(id, "galene");
		const meet = () =>
			eventually("they meet", async () => {
				const leader = await GaleneClient.join(site, "meeting", { username, password });
				const guest = await GaleneClient.join(site, "meeting", {
					username: "guest",
					token: await leader.invite("meeting", username),
				});
				leader.send({ type: "chat", source: leader.id, username, value: "Welcome" });
				expect(await guest.until("chat")).toMatchObject({ value: "Welcome" });
				expect([leader.permissions.includes("op"), guest.permissions.includes("op")]).toEqual([true, false]);
				for (const client of [leader, guest]) client.end();
				return true;
			});
		await meet();
		const move = async (from: Person, to: Person) => {
			const begun = await beginMove(from, to, domain, passwordOf("ada"));
			expect(await bothEnded(begun, from, to)).toEqual(["done", "done"]);
			expect(await statesOf(to, domain)).toContain("serving");
			await meet();
			const wrong = GaleneClient.join(site, "meeting", { username, password: "a guess" });
			await expect(wrong).rejects.toThrow("not let in");
			const { rounds } = await from.api("GET /migrations/{id}", { path: { id: begun.id } });
			expect(rounds.map(({ moved }) => moved ?? 0).filter((bytes) => bytes > 0)).toEqual([]);
		};
		await move(ada, adaThere);
		await move(adaThere, ada);
	});
});
