/** Checks the vectors as a second implementation would: from their files alone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { applyDifference } from "../../node/transfer/difference.ts";
import { contextOf, Sealer } from "../../node/transfer/frames.ts";
import { decodeRequest } from "../../node/transfer/wants.ts";
import { vectors } from "../../test/vectors/migration.ts";
import { fromBase64url, toBase64url, utf8 } from "./bytes.ts";
import { canonical, digest, fromCanonical } from "./canonical.ts";
import { checkEntry, type VolumeKind } from "./entry.ts";
import { Challenges, contents, Enquiry, Progress, Terms } from "./messages.ts";
import { thumbprint, webVerifier } from "./multikey.ts";
import { verifyReceipt } from "./receipt.ts";
import { openSecrets, openStreamKey } from "./seal.ts";
import { verifySheet } from "./sheet.ts";
import { verifyAnswer, verifyRequest } from "./signature.ts";
import { parseToken, printToken, proofFits, proofFor, secretHash } from "./token.ts";
import { wordList } from "./word-list.ts";
import { sixWords } from "./words.ts";

const fileOf = (name: string) =>
	readFileSync(join(import.meta.dirname, `../../specs/vectors/migration/${name}.json`), "utf8");

// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
const read = (name: string): any => JSON.parse(fileOf(name));
const keys = read("keys");

const codeOf = (work: () => unknown): Promise<string> =>
	Promise.resolve()
		.then(work)
		.then(
			() => "ok",
			(error: { code?: string }) => error.code ?? String(error),
		);

test("the files are what the generator makes; if they are meant to change: node test/vectors/write.ts", async () => {
	for (const [name, content] of Object.entries(await vectors()))
		expect(`${JSON.stringify(content, null, "\t")}\n`, name).toBe(fileOf(name));
});

test("canonical JSON", () => {
	const { valid, invalid } = read("canonical");
	for (const { text, digest: name } of valid) {
		expect(canonical(fromCanonical(text))).toBe(text);
		expect(digest(utf8(text))).toBe(name);
	}
	for (const text of invalid) expect(() => fromCanonical(text), text).toThrow();
});

test("token", async () => {
	const { token, line, taken, refused, subject, proof, secretHash: hash } = read("token");
	expect(token.thumbprint).toBe(thumbprint(keys.south.key));
	expect(printToken(token)).toBe(line);
	for (const text of [line, ...taken]) expect(parseToken(text)).toEqual(token);
	for (const { text, code } of refused) expect(await codeOf(() => parseToken(text)), text).toBe(code);
	expect(secretHash(token.secret)).toBe(hash);
	expect(proofFor(token.secret, subject)).toBe(proof);
	expect(proofFits(proof, hash, subject)).toBe(true);
});

test("six words", async () => {
	const { list, cases } = read("words");
	expect(list.split(" ")).toEqual(wordList);
	for (const { words, ...meant } of cases) expect(await sixWords(meant)).toEqual(words);
});

describe("signatures", async () => {
	const { requests, answers } = read("signature");
	const of = async ({ keyid, key }: { keyid: string; key: string }) => webVerifier(keyid, key);
	const [north, south] = [await of(keys.north), await of(keys.south)];
	const fieldOf = (headers: Record<string, string>) => (name: string) => headers[name];

	// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
	test.each<any>(requests)("of a request: $name", async ({ method, target, body, now, headers, result }) => {
		const request = { method, target, body: utf8(body), field: fieldOf(headers) };
		const verifierFor = (keyid: string) => (keyid === north.keyid ? north : undefined);
		expect(await codeOf(() => verifyRequest(request, { verifierFor, now: now * 1000, once: () => true }))).toBe(result);
	});

	// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
	test.each<any>(answers)("of an answer: $name", async ({ status, body, headers, result }) => {
		const answer = { status, body: body === null ? null : utf8(body), field: fieldOf(headers) };
		expect(await codeOf(() => verifyAnswer(answer, requests[0].headers.signature, south))).toBe(result);
	});
});

test("sealing, and the stream as the node writes it", async () => {
	const { session, secrets, stream } = read("seal");
	const hex = (text: string) => Uint8Array.fromHex(text);
	const pair = { publicKey: toBase64url(hex(session.publicKey)), privateKey: toBase64url(hex(session.privateKey)) };
	expect(await openSecrets(pair, secrets.sealed)).toEqual(secrets.plain);
	const sealed = hex(stream.bytes).subarray(2, 82);
	expect((await openStreamKey(pair, sealed, stream.header)).toHex()).toBe(stream.key);
	const sealer = new Sealer({ key: hex(stream.key), sealed }, contextOf(stream.sid, hex(stream.request)));
	const frames = (stream.pieces as { number: number; bytes: string }[]).flatMap(({ number, bytes }, index, all) => {
		const head = Buffer.alloc(8);
		head.writeUInt32BE(number);
		head.writeUInt32BE(bytes.length / 2, 4);
		return sealer.frame(Buffer.concat([head, hex(bytes)]), index === all.length - 1);
	});
	expect(Buffer.concat(frames).toString("hex")).toBe(stream.bytes);
	expect(fromBase64url(secrets.sealed).length).toBe(utf8(canonical(secrets.plain)).length + 48);
});

test("offer sheet", async () => {
	const { cases, digest: name } = read("sheet");
	const south = await webVerifier(keys.south.keyid, keys.south.key);
	for (const { name: what, text, now, result } of cases)
		expect(await codeOf(() => verifySheet(text, south, now * 1000)), what).toBe(result);
	expect(digest(utf8(cases[0].text))).toBe(name);
});

describe("lines of listings", () => {
	const { valid, invalid } = read("entries") as Record<string, { kind: VolumeKind; line: string }[]>;
	test.each(valid ?? [])("$kind takes $line", ({ kind, line }) => {
		expect(JSON.stringify(checkEntry(line, kind))).toBe(line);
	});
	test.each(invalid ?? [])("$kind refuses $line", ({ kind, line }) => {
		expect(() => checkEntry(line, kind)).toThrow(expect.objectContaining({ code: "copy-refused" }));
	});
});

test("listings' differences are applied, and requests for pieces read, as the node does", async () => {
	const { older, differences, listing, requests } = read("listings");
	const folder = mkdtempSync(join(tmpdir(), "vectors-"));
	try {
		const at = (name: string) => join(folder, name);
		writeFileSync(at("older"), older);
		for (const { name, difference, newer } of differences) {
			writeFileSync(at("difference"), difference);
			expect(await applyDifference(at("older"), at("difference"), at("newer"), 10_000), name).toBe(newer !== null);
			if (newer !== null) expect(readFileSync(at("newer"), "utf8"), name).toBe(newer);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
	for (const { bytes, runs } of requests) {
		const request = () => decodeRequest(Uint8Array.fromHex(bytes));
		if (runs === null) expect(request, bytes).toThrow();
		else expect(request()).toEqual({ listing, wants: runs });
	}
});

describe("contents and calls", () => {
	const shapes: Record<string, z.ZodType> = {
		...contents,
		enquiry: Enquiry,
		terms: Terms,
		progress: Progress,
		challenge: Challenges,
	};
	const cases = (of: "valid" | "invalid"): [string, unknown][] => [
		...read("messages")[of].map(({ kind, content }: Record<string, string>) => [kind, fromCanonical(content ?? "")]),
		...read("calls")[of].map(({ call, body }: Record<string, unknown>) => [call, body]),
	];
	test.each(cases("valid"))("%s is taken: %j", (kind, content) => {
		expect(shapes[kind]?.safeParse(content).error).toBeUndefined();
	});
	test.each(cases("invalid"))("%s is refused: %j", (kind, content) => {
		expect(shapes[kind]?.safeParse(content).success).toBe(false);
	});
});

describe("chains", () => {
	const { valid, invalid } = read("chains");

	// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
	test.each<any>(valid)("that hold: $name", async ({ receipt }) => {
		expect(await verifyReceipt(receipt)).toEqual({ ok: true, findings: [], summary: receipt.summary });
	});

	// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
	test.each<any>(invalid)("that do not: $name", async ({ receipt, finding }) => {
		const { ok, findings } = await verifyReceipt(receipt);
		expect(ok).toBe(false);
		expect(
			findings.map(({ side, seq, code }) => [side, seq, code].filter((part) => part !== null).join(" ")),
		).toContain(finding);
	});
});
