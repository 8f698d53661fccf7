import { expect, test } from "vitest";
import { sheet } from "../../test/vectors/migration.ts";
import { noon, north, south } from "../../test/vectors/nodes.ts";
import { canonical } from "./canonical.ts";
import { addProof } from "./proof.ts";
import { actorOfSheet, sheetLifetime, signSheet, verifySheet } from "./sheet.ts";

const signed = await signSheet(south.actor, sheet, south.signer, noon);
const refused = expect.objectContaining({ code: "sheet-not-valid" });

test("a sheet is read as it was written, whoever hands it on", async () => {
	expect(actorOfSheet(signed.text)).toBe(south.actor);
	const read = await verifySheet(signed.text, south.verifier, noon + 1000);
	expect(read).toEqual(signed);
	expect(read).toMatchObject({ sheet, published: noon, expires: noon + sheetLifetime });
});

test("a sheet is good for a week, by clocks that may be minutes apart", async () => {
	for (const now of [noon - 300_000, noon + sheetLifetime + 300_000])
		await verifySheet(signed.text, south.verifier, now);
	for (const now of [noon - 700_000, noon + sheetLifetime + 700_000])
		await expect(verifySheet(signed.text, south.verifier, now)).rejects.toThrow(refused);
});

test.each<[string, (document: Record<string, unknown>) => object]>([
	["another's id", (document) => ({ ...document, id: "https://north.example/migrate/sheet" })],
	["another owner", (document) => ({ ...document, attributedTo: north.actor })],
	["an owner that is no address", (document) => ({ ...document, attributedTo: "south" })],
	["an owner that is a program", (document) => ({ ...document, attributedTo: "javascript:alert(1)" })],
	["an unknown member", (document) => ({ ...document, name: "x" })],
	["another type", (document) => ({ ...document, type: "Note" })],
	["another time than signed", (document) => ({ ...document, published: "2026-11-22T11:00:00Z" })],
	["a content of another shape", (document) => ({ ...document, content: "{}" })],
	["an unknown member inside", (document) => ({ ...document, content: canonical({ ...sheet, extra: 1 }) })],
	[
		"terms that are a program",
		(document) => ({ ...document, content: canonical({ ...sheet, terms: "javascript:x" }) }),
	],
	["a content that is not canonical", (document) => ({ ...document, content: `${String(document["content"])} ` })],
])("signed well and yet refused: %s", async (_what, change) => {
	const { proof: _, ...document } = JSON.parse(signed.text) as Record<string, unknown>;
	const times = { created: noon, expires: noon + 1000 };
	const lied = await addProof(change(document) as { "@context": string[] }, south.signer, times);
	await expect(verifySheet(canonical(lied), south.verifier, noon)).rejects.toThrow(refused);
});

test("a sheet that would be good for ever, is too large, or is not canonical, is refused", async () => {
	const { proof: _, ...document } = JSON.parse(signed.text) as { "@context": string[]; proof: unknown };
	const long = await addProof(document, south.signer, { created: noon, expires: noon + 32 * 86_400_000 });
	for (const text of [canonical(long), `${signed.text} `, `"${"x".repeat(70_000)}"`, "{}", ""])
		await expect(verifySheet(text, south.verifier, noon)).rejects.toThrow(refused);
	const forever = await addProof(document, south.signer, { created: noon });
	await expect(verifySheet(canonical(forever), south.verifier, noon)).rejects.toThrow(refused);
});

test("a changed or foreign sheet does not hold", async () => {
	const wrong = expect.objectContaining({ code: "proof-wrong" });
	await expect(verifySheet(signed.text.replace("Leipzig", "Dresden"), south.verifier, noon)).rejects.toThrow(wrong);
	await expect(verifySheet(signed.text, north.verifier, noon)).rejects.toThrow(wrong);
});

test("what no peer would take is not signed", async () => {
	await expect(signSheet(south.actor, { ...sheet, name: "" }, south.signer, noon)).rejects.toThrow(refused);
	await expect(signSheet(south.actor, { ...sheet, terms: "ftp://x" }, south.signer, noon)).rejects.toThrow(refused);
});
