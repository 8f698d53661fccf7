/**
 * A second implementation, as far as reading goes, made from specs/protocol.md alone: it takes and refuses what the vectors say, and
 * has the conversation's table from the page itself. So page, vectors and nodes say the same.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as ours from "#protocol/migration/conversation.ts";
import { activityTypes } from "#protocol/migration/messages.ts";
import { checkSheet, mistakeInReceipt, type Party, sixWords, types } from "./second/activity.ts";
import { blake3 } from "./second/blake3.ts";
import { openSealed, openStream } from "./second/box.ts";
import { canonical, digest, fromCanonical, type Json, Refused, sha256, thumbprint } from "./second/bytes.ts";
import { applied, checkLine, readRequest } from "./second/listing.ts";
import { answerResult, proofFits, proofOf, readToken, requestResult } from "./second/message.ts";
import { calls, contents } from "./second/shapes.ts";
import { after, begin, type Side, states, type Talk } from "./second/table.ts";

const folder = join(import.meta.dirname, "../../specs/vectors/migration");
// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the files
const read = (name: string): any => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const { north, south } = read("keys") as Record<"north" | "south", Party & { thumbprint: string }>;
const list = read("words").list.split(" ") as string[];

test("it uses nothing of ours", () => {
	const second = join(import.meta.dirname, "second");
	for (const name of readdirSync(second)) {
		const from = [...readFileSync(join(second, name), "utf8").matchAll(/ from "([^"]+)"/g)].map(([, file]) => file);
		expect(
			from.filter((file) => !/^(node:|\.\/[\w]+\.ts$)/.test(file ?? "")),
			name,
		).toEqual([]);
	}
});

test("every file of vectors is read here", () => {
	const all = readdirSync(folder).map((name) => name.replace(".json", ""));
	const text = readFileSync(import.meta.filename, "utf8");
	expect(all.filter((name) => !text.includes(`read("${name}")`))).toEqual([]);
});

test("canonical JSON, keys and six words", () => {
	const { valid, invalid } = read("canonical");
	for (const { text, digest: name } of valid) expect(digest(fromCanonical(text))).toBe(name);
	for (const text of invalid) expect(() => fromCanonical(text), text).toThrow(Refused);
	for (const party of [north, south]) expect(thumbprint(party.key)).toBe(party.thumbprint);
	for (const { words, ...meant } of read("words").cases) expect(sixWords(list, meant)).toEqual(words);
});

test("token and proof", () => {
	const { token, line, taken, refused, subject, proof, secretHash } = read("token");
	for (const text of [line, ...taken]) expect(readToken(text)).toEqual(token);
	for (const { text } of refused) expect(() => readToken(text), text).toThrow(Refused);
	expect(sha256(Buffer.from(token.secret, "base64url")).toString("base64url")).toBe(secretHash);
	expect(proofOf(token.secret, subject)).toBe(proof);
	expect(proofFits(proof, secretHash, subject)).toBe(true);
	expect(proofFits(proof, secretHash, { ...subject, domain: "other.example" })).toBe(false);
});

test("requests and answers", () => {
	const { requests, answers } = read("signature");
	for (const { now, result, name, ...request } of requests)
		expect(requestResult(request, now, north), name).toBe(result);
	for (const { result, name, ...answer } of answers)
		expect(answerResult(answer, requests[0].headers.signature, south), name).toBe(result);
});

test("sealed secrets and a sealed stream", () => {
	const { session, secrets, stream } = read("seal");
	const hex = (text: string) => Buffer.from(text, "hex");
	const pair = { publicKey: hex(session.publicKey), privateKey: hex(session.privateKey) };
	expect(fromCanonical(openSealed(pair, Buffer.from(secrets.sealed, "base64url")).toString())).toEqual(secrets.plain);
	const open = (bytes: Buffer) => openStream(pair, stream.sid, hex(stream.request), stream.header, bytes);
	const pieces = [...open(hex(stream.bytes))].map(([number, bytes]) => ({ number, bytes: bytes.toString("hex") }));
	expect(pieces).toEqual(stream.pieces);
	const bent = hex(stream.bytes);
	bent[bent.length - 20] = (bent[bent.length - 20] ?? 0) ^ 1;
	expect(() => open(bent)).toThrow();
});

test("offer sheet", () => {
	const { cases, digest: name } = read("sheet");
	expect(sha256(cases[0].text).toString("base64url")).toBe(name);
	for (const { name: what, text, now, result } of cases) {
		if (result === "sheet-not-valid") expect(() => checkSheet(text, south, now), what).toThrow(Refused);
		else expect(checkSheet(text, south, now), what).toBe(result);
	}
});

test("lines of listings, differences and requests", () => {
	const { valid, invalid } = read("entries");
	for (const { kind, line } of valid) expect(() => checkLine(kind, line), line).not.toThrow();
	for (const { kind, line } of invalid) expect(() => checkLine(kind, line), line).toThrow(Refused);
	const { older, differences, listing, requests } = read("listings");
	for (const { name, difference, newer } of differences) {
		if (newer === null) expect(() => applied(older, difference), name).toThrow(Refused);
		else expect(applied(older, difference), name).toBe(newer);
	}
	for (const { bytes, runs } of requests) {
		const request = () => readRequest(Buffer.from(bytes, "hex"));
		if (runs === null) expect(request, bytes).toThrow(Refused);
		else expect(request()).toEqual({ listing, runs });
	}
});

test("names of pieces", () => {
	const { names, zeros } = read("pieces");
	for (const { length, name } of names) {
		const bytes = Uint8Array.from({ length }, (_, at) => at % 251);
		expect(blake3(bytes).toString("base64url"), `${length}`).toBe(name);
	}
	expect(blake3(new Uint8Array(zeros.length)).toString("base64url")).toBe(zeros.name);
});

describe("what is said", () => {
	test("in messages", () => {
		const { valid, invalid } = read("messages");
		expect([...new Set(valid.map(({ kind }: { kind: string }) => kind))].sort()).toEqual(Object.keys(types).sort());
		for (const { kind, content } of valid)
			expect(() => contents[kind]?.(fromCanonical(content), kind), content).not.toThrow();
		for (const { kind, content } of invalid)
			expect(() => contents[kind]?.(fromCanonical(content), kind), content).toThrow(Refused);
	});

	test("in calls", () => {
		const { valid, invalid } = read("calls");
		for (const { call, body } of valid) expect(() => calls[call]?.(body, call), canonical(body)).not.toThrow();
		for (const { call, body } of invalid) expect(() => calls[call]?.(body, call), canonical(body)).toThrow(Refused);
	});

	test("in whole conversations", () => {
		const { valid, invalid } = read("chains");
		for (const { name, receipt } of valid) expect(mistakeInReceipt(receipt, list), name).toBeUndefined();
		for (const { name, receipt, finding } of invalid) expect(mistakeInReceipt(receipt, list), name).toBe(finding);
	});
});

test("the conversation's table says the same on the page and in the nodes", () => {
	const manifest = "m".repeat(43);
	const content = { manifest, round: 1, epoch: 2 };
	const all = [
		...Object.keys(activityTypes).map((kind) => ({
			kind,
			content: kind === "offer" ? { epoch: 1 } : content,
			digest: manifest,
		})),
		{ kind: "manifest", content: { round: 2, final: false }, digest: "n".repeat(43) },
		{ kind: "manifest", content: { round: 2, final: true }, digest: "n".repeat(43) },
		...["announce", "thaw", "vote", "move", "active"].map((kind) => ({
			...{ kind, digest: manifest, content: { ...content, manifest: "o".repeat(43) } },
		})),
		...["announce", "move", "active"].map((kind) => ({
			kind,
			digest: manifest,
			content: { ...content, round: 3, epoch: 3 },
		})),
	];
	let lines = 0;
	for (const side of ["source", "target"] as Side[]) {
		expect(begin(side)).toEqual(ours.begin(side));
		for (const state of states(side))
			for (const word of all)
				for (const does of ["says", "hears"] as const) {
					const talk: Talk = { state, epoch: 1, round: 1, manifest };
					const said = (does === "says" ? ours.say : ours.hear)(side, talk as ours.Talk, word as never);
					expect(
						after(side, talk, does, word as { kind: string; content: Record<string, Json>; digest: string }),
					).toEqual(said);
					if (said) lines++;
				}
	}
	expect(lines).toBeGreaterThan(70);
	for (const [kind, { type, said }] of Object.entries(activityTypes)) expect(types[kind]).toEqual([type, said]);
});
