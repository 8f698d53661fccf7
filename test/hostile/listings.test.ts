/** Manifests of a source that wants to write where it may not, or more than it may. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "#protocol/migration/messages.ts";
import type { Baggage } from "./baggage.ts";
import type { FakeNode } from "./fake-node.ts";
import { type MovingIn, Town } from "./town.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
});
afterAll(() => town?.close());

type Arriving = MovingIn & { bag: Baggage };
type Manifest = Content<"manifest">;

/** What the customer of the honest node reads after this manifest; by then all is as it was before. */
async function refusalOf(moving: Arriving, manifest: Manifest): Promise<string[]> {
	const { talk, domain } = moving;
	expect(await talk.say({ kind: "manifest", content: manifest })).toMatchObject({ status: 204 });
	await talk.until("reject");
	const { job } = await town.moveIn(talk.sid);
	const { state, problems } = await town.ended(job ?? "");
	expect(state).toBe("undone");
	expect(await town.stateOf(domain)).toBeUndefined();
	return problems;
}

describe("A manifest is refused before anything of it is fetched", () => {
	const changed = (change: (volume: Manifest["volumes"][number]) => Manifest["volumes"]) => (bag: Baggage) => ({
		...bag.manifest(1, false),
		volumes: change(bag.volume()),
	});
	const cases: [name: string, make: (bag: Baggage) => Manifest, code: string][] = [
		[
			"with a volume that this service does not have",
			changed((one) => [{ ...one, name: "../../etc" }]),
			"copy-refused",
		],
		["with a volume of a service that nobody moves", changed((one) => [{ ...one, service: "wiki" }]), "copy-refused"],
		["with one volume twice", changed((one) => [one, one]), "copy-refused"],
		[
			"with a volume of another kind, whose rules are others",
			changed((one) => [{ ...one, kind: "sqlite" }]),
			"copy-refused",
		],
		["with a bucket in the place of a folder", changed((one) => [{ ...one, kind: "bucket" }]), "copy-refused"],
		["of millions of entries", changed((one) => [{ ...one, entries: 10 ** 9, length: 10 ** 11 }]), "copy-too-large"],
		["of more bytes than were agreed", changed((one) => [{ ...one, bytes: 2 ** 50 }]), "copy-too-large"],
		["with a listing longer than its entries can be", changed((one) => [{ ...one, length: 10 ** 9 }]), "copy-refused"],
		["with a listing shorter than its entries can be", changed((one) => [{ ...one, length: 10 }]), "copy-refused"],
	];
	test.each(cases)("%s", async (_name, make, code) => {
		const moving = await town.movedIn(fake);
		let fetched = 0;
		moving.talk.on("GET", "/listings", ({ url }) => {
			fetched++;
			return moving.bag.listing(url);
		});
		expect(await refusalOf(moving, make(moving.bag))).toContain(code);
		expect(fetched).toBe(0);
	});
});
