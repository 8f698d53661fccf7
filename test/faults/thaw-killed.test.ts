/** The power goes at the source as its services begin to serve again, because the target's vote did not come in time. */
import { expect, test } from "vitest";
import { eventually } from "../stories/world.ts";
import { Choir, twoAdas, Witness } from "./choir.ts";
import { Pair } from "./pair.ts";

test("kill -9 of the source at the thaw: it serves again, nothing is lost, and the move comes to its end", async () => {
	await Pair.with({ freezeSeconds: 6 }, async (pair) => {
		const choir = await Choir.found(pair, await twoAdas(pair), "thaw");
		const witness = new Witness(pair, [choir]);
		let killed: Promise<void> | undefined;
		pair.internet.fate = ({ kind }) => {
			if (kind === "thaw") killed ??= pair.kill("north", true);
			return (kind === "vote" && !killed) || kind === "thaw" ? "lose-request" : "pass";
		};
		const begun = await choir.begin();
		await eventually("it is killed", async () => killed !== undefined);
		await killed;
		pair.internet.fate = () => "pass";
		await pair.start("north");
		await eventually("it serves", () => pair.servesItself("north", choir.host));
		await eventually("it takes a post", () => choir.post().then(() => true));
		expect(await choir.ended(begun)).toEqual(["done", "done"]);
		expect((await witness.close())[choir.host]).toEqual(["north", "south"]);
		expect(await choir.losses("south")).toEqual([]);
		const said = pair.rows<{ kind: string }>(
			"north",
			"SELECT kind FROM migration_message WHERE side = 'source' ORDER BY seq",
		);
		expect(said.filter(({ kind }) => kind === "thaw").length).toBeGreaterThan(0);
	});
}, 240_000);
