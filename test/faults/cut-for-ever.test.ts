/** The network between two nodes is gone, and as far as they know it never comes back. */
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import type { Begun } from "../stories/moving.ts";
import { reach } from "../stories/reach.ts";
import { eventually } from "../stories/world.ts";
import { Choir, moreRoom, type People, twoAdas, Witness } from "./choir.ts";
import { Pair } from "./pair.ts";

let pair: Pair;
let people: People;
beforeAll(async () => {
	pair = await Pair.open({ freezeSeconds: 15 });
	people = await twoAdas(pair);
}, 60_000);
afterAll(() => pair?.[Symbol.asyncDispose]());

/** From the first message of this kind on, nothing of a migration arrives until the network is mended. */
const cutAt = ["manifest", "vote", "move", "active"] as const;
type Cut = (typeof cutAt)[number];

test("before the hand-over services come back at the source, after it nothing serves twice, and all goes on once it is mended", async () => {
	onTestFailed(() => pair.tell());
	for (const _ of cutAt.slice(1)) await moreRoom(pair, people);
	const choirs = Object.fromEntries(
		await Promise.all(cutAt.map(async (kind) => [kind, await Choir.found(pair, people, kind)])),
	) as Record<Cut, Choir>;
	const witness = new Witness(pair, Object.values(choirs));
	const wanted = new Map<string, Cut>();
	const cut = new Set<string>();
	let mended = false;
	pair.internet.fate = ({ sid = "", kind }) => {
		if (kind === wanted.get(sid)) cut.add(sid);
		return cut.has(sid) && !mended ? "lose-request" : "pass";
	};
	const begun = Object.fromEntries(
		await Promise.all(
			cutAt.map(async (kind) => [kind, await choirs[kind].begin((sid) => wanted.set(sid, kind))] as const),
		),
	) as Record<Cut, Begun>;
	await eventually("all are cut", async () => cut.size === cutAt.length);

	// While everything is copied, the customer can call it off.
	await people.north.api("POST /jobs/{id}/cancel", { path: { id: begun.manifest.leave } });
	await eventually("it is undone", async () => (await choirs.manifest.job("north", begun.manifest.leave)) === "undone");
	// While services rest, the budget lets them serve again, and they wait for the target without resting.
	await eventually("it thaws", async () => (await choirs.vote.states()).north[0] === "serving");
	await eventually("it serves", () => pair.servesItself("north", choirs.vote.host));
	for (const kind of ["manifest", "vote"] as const) {
		expect((await choirs[kind].states()).north).toEqual(["serving"]);
		await choirs[kind].post();
	}

	// After the hand-over no time changes anything: one waits for its target, the other serves there already.
	expect(await choirs.move.job("north", begun.move.leave)).toBe("running");
	expect(await choirs.move.states()).toEqual({ north: ["frozen"], south: ["arriving"] });
	const resting = await reach(`http://${choirs.move.host}:${pair.port}/ada`);
	expect([resting.status, Number(resting.headers.get("retry-after"))]).toEqual([503, expect.any(Number)]);
	await eventually("the target serves", async () => (await choirs.active.states()).south[0] === "serving");
	await choirs.active.post();
	expect(await choirs.active.job("north", begun.active.leave)).toBe("running");

	mended = true;
	const ends = await Promise.all(cutAt.map(async (kind) => [kind, ...(await choirs[kind].ended(begun[kind]))]));
	expect(ends).toEqual([
		["manifest", "undone", "undone"],
		["vote", "done", "done"],
		["move", "done", "done"],
		["active", "done", "done"],
	]);
	const served = await witness.close();
	for (const kind of cutAt) {
		const isThere = kind !== "manifest";
		expect([kind, await choirs[kind].losses(isThere ? "south" : "north")]).toEqual([kind, []]);
		expect([kind, served[choirs[kind].host]]).toEqual([kind, isThere ? ["north", "south"] : ["north"]]);
		const states = await choirs[kind].states();
		expect([kind, states]).toEqual([
			kind,
			isThere ? { north: ["moved"], south: ["serving"] } : { north: ["serving"], south: states.south },
		]);
	}
}, 240_000);
