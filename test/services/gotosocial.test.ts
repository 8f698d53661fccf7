import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../contracts/tiny/world.ts";
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
			const app = await App.signIn(site, site.password);
			return (await app.call("POST", "/api/v1/statuses", { status: "We sing on Tuesdays", visibility: "public" })) as {
				url: string;
			};
		},
		async find(_site, { url }) {
			await eventually(async () => expect(await site.text(new URL(url).pathname)).toContain("We sing on Tuesdays"), 60);
		},
		letsIn: (_site, password) =>
			App.signIn(site, password).then(
				() => true,
				() => false,
			),
	});
});
