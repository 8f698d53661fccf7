/** Manifests, listings and pieces of a source that wants to write where it may not, or more than it may. */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "#protocol/migration/messages.ts";
import { eventually } from "../stories/world.ts";
import { type Baggage, everything, type Pack, packed } from "./baggage.ts";
import type { FakeNode } from "./fake-node.ts";
import { type MovingIn, Town } from "./town.ts";
import { arrived } from "./walks.ts";

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

describe("A listing is refused before anything of it is written", () => {
	const trap = join(tmpdir(), `hostile-trap-${process.pid}`);
	const line = (entry: object) => JSON.stringify(entry);
	const file = { mode: 0o644, path: "x", pieces: [], size: 0, type: "file" };
	const cases: [name: string, lines: string[]][] = [
		...[
			"../x",
			`../../../../../../../..${trap}`,
			trap,
			"a/../../x",
			"./x",
			"a//x",
			"x/",
			"",
			"..",
			"%2e%2e/x",
			"a\0b",
		].map((path): [string, string[]] => [`with the path ${JSON.stringify(path)}`, [line({ ...file, path })]]),
		["with a file in a folder that was not listed", [line({ ...file, path: "in/x" })]],
		["with one name twice", [line(file), line(file)]],
		[
			"with a file below a link",
			[line({ path: "in", pieces: [], size: 0, target: ".", type: "symlink" }), line({ ...file, path: "in/x" })],
		],
		["with a link to everything", [line({ path: "in", pieces: [], size: 0, target: "/", type: "symlink" })]],
		["with a link that leads out", [line({ path: "in", pieces: [], size: 0, target: "../../x", type: "symlink" })]],
		[
			"with another name of what lies elsewhere",
			[line({ path: "in", pieces: [], size: 0, target: "/etc/shadow", type: "hardlink" })],
		],
		[
			"with another name of what was not listed",
			[line({ path: "in", pieces: [], size: 0, target: "y", type: "hardlink" })],
		],
		...["device", "fifo", "socket", "object", "dump"].map((type): [string, string[]] => [
			`with a ${type}`,
			[line({ path: "in", pieces: [], size: 0, type })],
		]),
		["with pieces that do not fit the size", [line({ ...file, size: 10 ** 6 })]],
		["with a size that is none", [line({ ...file, size: -1 })]],
		["with a mode that is none", [line({ ...file, mode: 0o100_644 })]],
		["with a member nobody knows", [line({ ...file, x: 1 })]],
		["that is not canonical", [`${line(file)} `]],
		["that is not JSON", ["{".repeat(60)]],
	];
	test.each(cases)("%s", async (_name, lines) => {
		const moving = await town.movedIn(fake);
		moving.bag.lines.push(...lines);
		// Long enough for what a manifest must promise.
		const content = moving.bag.manifest(1, false, { bytes: Math.max(0, moving.bag.volume().bytes) });
		expect(await refusalOf(moving, content)).toContain("copy-refused");
		expect(existsSync(trap)).toBe(false);
	});

	test.each([
		["more entries", { entries: 5 }],
		["fewer entries", { entries: 2 }],
		["more bytes", { bytes: 100_000 }],
		["no bytes", { bytes: 0 }],
	])("that has not %s as the manifest says", async (_name, change) => {
		const moving = await town.movedIn(fake);
		expect(await refusalOf(moving, moving.bag.manifest(1, false, change))).toContain("copy-refused");
	});
});

/** Each is tried six times before it counts as no accident, with pauses: so all of them at once. */
test("what is not what was announced, or not sealed for this request, is asked for again, and then refused", async () => {
	const other = await town.movedIn(fake);
	const frames = (...plain: readonly (readonly [number, Buffer])[][]): Pack => {
		return (_pieces, sealer) => plain.flatMap((one, n) => sealer.frame(packed(one), n === plain.length - 1));
	};
	const spoilt: Pack = (pieces, sealer) => {
		const sealed = Buffer.concat(everything(pieces, sealer));
		sealed[sealed.length - 20] = (sealed[sealed.length - 20] ?? 0) ^ 1;
		return [sealed];
	};
	const packs: [name: string, pack: Pack, sid?: string][] = [
		["a frame that was changed", spoilt],
		["a frame of another session", everything, other.talk.sid],
		["a piece that nobody asked for", frames([[70_000, Buffer.from("x")]])],
		[
			"pieces in another order",
			frames([
				[1, Buffer.from("x")],
				[0, Buffer.from("y")],
			]),
		],
		["half a piece", (_pieces, sealer) => sealer.frame(Buffer.from([0, 0, 0, 0, 0, 0, 9, 9, 1]), true)],
		[
			"a frame too long",
			(_pieces, sealer) => [
				...sealer.frame(Buffer.alloc(0), false).map((head) => head.subarray(0, -4)),
				Buffer.from([0x7f, 255, 255, 255]),
			],
		],
	];
	const ways: ((moving: Arriving) => void)[] = [
		...packs.map(([, pack, sid]) => ({ talk, bag }: Arriving) => {
			talk.on("POST", "/pieces", ({ body }) => bag.shipped(talk, body, pack, sid));
		}),
		({ talk, bag }) =>
			talk.on("GET", "/listings", () => ({ stream: [Buffer.alloc(Buffer.byteLength(bag.text), "x")] })),
		({ talk }) => talk.on("GET", "/listings", () => ({ stream: [Buffer.alloc(1_000_000, "x")] })),
	];
	const all = await Promise.all(
		ways.map(async (lie) => {
			const moving = await town.movedIn(fake);
			lie(moving);
			return refusalOf(moving, moving.bag.manifest(1, false));
		}),
	);
	for (const problems of all) expect(problems).toContain("copy-refused");
});

test("for pieces with other contents than listed there is no vote, and the customer can end it", async () => {
	const moving = await town.movedIn(fake);
	const { talk, bag, domain } = moving;
	const wrong: Pack = (pieces, sealer) =>
		sealer.frame(packed(pieces.map((one) => Buffer.alloc(one.length, "!")).entries()), true);
	let asked = 0;
	talk.on("POST", "/pieces", ({ body }) => {
		asked++;
		return bag.shipped(talk, body, wrong);
	});
	await talk.say({ kind: "manifest", content: bag.manifest(1, true) });
	await eventually("it asks once more", async () => asked > 1);
	const { job } = await town.moveIn(talk.sid);
	await town.person.api("POST /jobs/{id}/cancel", { path: { id: job ?? "" } });
	await talk.until("reject");
	expect(talk.last("vote")).toBeUndefined();
	expect((await town.ended(job ?? "")).state).toBe("undone");
	expect(await town.stateOf(domain)).toBeUndefined();
});

test("after all this nothing is left of what was refused, and an honest source with a new token moves in", async () => {
	const left = () => readdirSync(join(town.folder, "state/migrations"));
	await eventually("all is tidied up", async () => left().length <= 1);
	const moving = await town.movedIn(fake);
	await arrived(moving);
	expect(await town.serves(moving.domain)).toBe(true);
});
