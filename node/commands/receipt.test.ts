/** `fediversity receipt verify` as a person or a script meets it: the real program, with no node and no configuration. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Receipt, writeReceipt } from "#protocol/migration/receipt.ts";
import { recordOf } from "../../test/vectors/chains.ts";
import { conversation, wholeMove } from "../../test/vectors/nodes.ts";

const main = join(import.meta.dirname, "../main.ts");
const folder = mkdtempSync(join(tmpdir(), "receipt-"));
const file = join(folder, "receipt.json");
let receipt: Receipt;

beforeAll(async () => {
	const chains = await conversation(wholeMove);
	receipt = await writeReceipt(recordOf(chains));
	writeFileSync(file, JSON.stringify(receipt));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: readonly string[], input = "") {
	const child = spawn(process.execPath, [main, "receipt", "verify", ...args], { env: { NO_COLOR: "1" } });
	child.stdin.end(input);
	const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, "close")]);
	return { code: child.exitCode, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

test("a receipt that holds is told in words", async () => {
	const { code, out, err } = await run([file]);
	expect([code, err]).toEqual([0, ""]);
	expect(out).toContain("This receipt holds");
	expect(out).toContain("choir.example (snac)");
	expect(out).toContain("South, Anna at South");
	expect(out).toContain(receipt.summary.words.join(" "));
	expect(out).toContain("50 seconds (expected: 5 seconds)");
});

test("a changed one comes from standard input and is found out, for people and for programs", async () => {
	const changed = JSON.stringify(receipt).replace("Anna at South", "Eve at South");
	const { code, out } = await run(["-"], changed);
	expect(code).toBe(1);
	expect(out).toContain("This receipt does not hold");
	expect(out).toContain("the target's message 1");
	const json = await run(["-", "--json"], changed);
	expect(json.code).toBe(1);
	expect(JSON.parse(json.out)).toMatchObject({ ok: false, findings: [{ side: "target", seq: 1, code: "proof" }] });
});

test("what is no receipt, or not there, is said so", async () => {
	const none = await run(["-"], "{}");
	expect([none.code, none.out]).toEqual([1, ""]);
	expect(none.err).toContain("This is not a receipt of a migration");
	const missing = await run([join(folder, "other.json")]);
	expect([missing.code, missing.out]).toEqual([1, ""]);
	expect(missing.err).toContain("other.json");
	expect((await run([])).code).toBe(2);
});
