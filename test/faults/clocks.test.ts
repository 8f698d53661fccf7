/** Two nodes whose clocks are five minutes apart, which is as much as the name server between them forgives. */
import { expect, test } from "vitest";
import { verifyReceipt } from "#protocol/migration/receipt.ts";
import { Choir, twoAdas } from "./choir.ts";
import { Pair } from "./pair.ts";

const apart = 5 * 60_000;

test("a deployment moves there and back though the clocks are five minutes apart, and its receipts hold", async () => {
	await Pair.with({ ahead: { north: apart / 2, south: -apart / 2 } }, async (pair) => {
		const choir = await Choir.found(pair, await twoAdas(pair), "clocks");
		for (const to of ["south", "north"] as const) {
			const begun = await choir.begin();
			expect(await choir.ended(begun, 60)).toEqual(["done", "done"]);
			choir.at = to;
			await choir.post();
			expect(await choir.losses(to)).toEqual([]);
			const receipt = await choir.people[to].api("GET /migrations/{id}/receipt", { path: { id: begun.id } });
			expect(await verifyReceipt(receipt)).toMatchObject({ ok: true, summary: { outcome: "moved" } });
			// On the way back the clocks are not where they were on the way there.
			pair.setClock("north", -apart / 2);
			pair.setClock("south", apart / 2);
		}
	});
}, 180_000);
