import { afterAll, beforeAll, describe, expect } from "vitest";
import { GaleneClient } from "./galene-client.ts";
import { life } from "./life.ts";
import { canRun, type Site, Town } from "./site.ts";

const can = await canRun("galene");

describe.skipIf(!can)("Galene (needs itself on the search path: no registry has it)", () => {
	let town: Town;
	let site: Site;
	beforeAll(async () => {
		town = await new Town().open();
		site = town.site("galene");
	});
	afterAll(() => town?.close());

	life(() => site, {
		async make() {
			const leader = await GaleneClient.join(site, "meeting", { username: "alice", password: site.password });
			const token = await leader.invite("meeting");
			leader.end();
			return token;
		},
		async find(_site, token) {
			expect(await site.text("/group/meeting/")).toContain("galene");
			const status = JSON.parse(await site.text("/group/meeting/.status"));
			expect(status).toMatchObject({ displayName: site.domain, location: `${site.origin}/group/meeting/` });
			const guest = await GaleneClient.join(site, "meeting", { username: "guest", token });
			expect(guest.permissions).toContain("present");
			expect(guest.permissions).not.toContain("op");
			guest.end();
		},
		async letsIn(_site, password) {
			const leader = await GaleneClient.join(site, "meeting", { username: "alice", password }).catch(() => null);
			leader?.end();
			return leader !== null;
		},
		async besides() {
			for (const stranger of [
				{ username: "guest", password: "" },
				{ username: "guest", token: "a-guess" },
			])
				await expect(GaleneClient.join(site, "meeting", stranger)).rejects.toThrow("not let in");
			const leader = await GaleneClient.join(site, "meeting", { username: "alice", password: site.password });
			expect(leader.permissions).toContain("op");
			const token = await leader.invite("meeting");
			const guest = await GaleneClient.join(site, "meeting", { username: "guest", token });
			leader.send({ type: "chat", source: leader.id, username: "alice", value: "Welcome" });
			expect(await guest.until("chat")).toMatchObject({ value: "Welcome" });
			for (const client of [leader, guest]) client.end();
		},
	});
});
