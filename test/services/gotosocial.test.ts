import { afterAll, beforeAll, describe, expect } from "vitest";
import { App } from "./app.ts";
import { life } from "./life.ts";
import { canRun, type Site, Town } from "./site.ts";

const can = await canRun("gotosocial");

describe.skipIf(!can)("GoToSocial (needs Go to be built, or itself on the search path)", () => {
	let town: Town;
	let site: Site;
	beforeAll(async () => {
		town = await new Town().open();
		site = town.site("gotosocial");
	});
	afterAll(() => town?.close());

	life(() => site, {
		async make() {
			const app = await App.signIn(site, site.owner.email, site.password);
			const post = { status: "We sing on Tuesdays", visibility: "public" };
			return (await app.call("POST", "/api/v1/statuses", post)) as { url: string };
		},
		async find(_site, { url }) {
			expect(await site.text(new URL(url).pathname)).toContain("We sing on Tuesdays");
		},
		letsIn: (_site, password) =>
			App.signIn(site, site.owner.email, password).then(
				() => true,
				() => false,
			),
		async besides() {
			const app = await App.signIn(site, site.owner.email, site.password);
			const { role } = (await app.call("GET", "/api/v1/accounts/verify_credentials")) as { role: { name: string } };
			expect(role.name).toBe("admin");
			// As other servers see it.
			const actor = await site.fetch("/users/alice/main-key", { headers: { accept: "application/activity+json" } });
			expect(await actor.json()).toMatchObject({ id: `${site.origin}/users/alice`, preferredUsername: "alice" });
		},
	});
});
