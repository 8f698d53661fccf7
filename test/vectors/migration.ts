/** Makes the vectors under specs/vectors/migration/: always the same ones. `node test/vectors/write.ts` writes them down. */
import { createCipheriv, createHash } from "node:crypto";
import sodium from "libsodium-wrappers";
import { canonical, digest } from "../../protocol/migration/canonical.ts";
import { thumbprint } from "../../protocol/migration/multikey.ts";
import { type Sheet, signSheet } from "../../protocol/migration/sheet.ts";
import { contentDigestOf, signatureBase } from "../../protocol/migration/signature.ts";
import { printToken, proofFor, secretHash } from "../../protocol/migration/token.ts";
import { wordList } from "../../protocol/migration/word-list.ts";
import { sixWords } from "../../protocol/migration/words.ts";
import { chainVectors } from "./chains.ts";
import { entryVectors } from "./entries.ts";
import { listingVectors } from "./listings.ts";
import { callVectors, messageVectors } from "./messages.ts";
import { domain, nodeAt, noon, north, seed, sid, south, tokenSecret } from "./nodes.ts";
import { pieceVectors } from "./pieces.ts";

export async function vectors(): Promise<Record<string, unknown>> {
	await sodium.ready;
	return {
		keys: keyVectors(),
		canonical: canonicalVectors(),
		token: tokenVectors(),
		words: await wordVectors(),
		signature: await signatureVectors(),
		seal: sealVectors(),
		sheet: await sheetVectors(),
		entries: entryVectors(),
		pieces: pieceVectors(),
		listings: listingVectors(),
		messages: messageVectors(),
		calls: callVectors(),
		chains: await chainVectors(),
	};
}

function keyVectors() {
	const of = ({ actor, keyid, key, secret }: typeof north) => ({
		actor,
		keyid,
		secret,
		key,
		thumbprint: thumbprint(key),
	});
	return {
		about: "Ed25519 keys of the other vectors. secret: the 32 bytes of RFC 8032, hex.",
		north: of(north),
		south: of(south),
	};
}

function canonicalVectors() {
	const values = [{}, { b: 1, a: [null, true, "€\u000f\n"] }, { "\ufb33": 1, "😀": 2, ö: 3 }, 1e21, 1e-7, -0, "\u2028"];
	return {
		about: "valid: text and its digest. invalid: JSON, or nearly, that is not canonical.",
		valid: values.map((value) => ({ text: canonical(value), digest: digest(value) })),
		invalid: ['{"b":1,"a":2}', '{"a":1,"a":1}', '{"a": 1}', "1.0", "-0", "1E3", '"\\u0041"', '"\\ud800"', "[1,]", ""],
	};
}

function tokenVectors() {
	const token = { origin: south.origin, sid, secret: tokenSecret, thumbprint: thumbprint(south.key) };
	const line = printToken(token);
	const subject = { sid, actor: north.actor, domain };
	return {
		about: "A token, what the target keeps of it, and the proof in the offer.",
		...{ token, line, secretHash: secretHash(tokenSecret), subject, proof: proofFor(tokenSecret, subject) },
		taken: [` ${line}\n`, `> ${line.slice(0, 70)}\n> ${line.slice(70)}`, `"${line}"`, `<${line}>.`],
		refused: [
			{ text: line.replace("https:", "http:"), code: "token-damaged" },
			{ text: printToken({ ...token, origin: "http://south.example" }), code: "token-insecure" },
			{ text: line.slice(0, -1), code: "token-damaged" },
			{ text: line.replace(sid, `${sid.slice(0, -1)}A`), code: "token-damaged" },
			{ text: line.replace("#v1", "#v2"), code: "token-newer" },
			{ text: line.replace("//", "//user@"), code: "token-not-valid" },
			{ text: line.replace("/migrate/", "/x/migrate/"), code: "token-not-valid" },
			{ text: "https://south.example/", code: "token-not-valid" },
		],
	};
}

async function wordVectors() {
	const cases = [
		{ source: north.key, target: south.key, sid, domain },
		{ source: south.key, target: north.key, sid, domain },
		{ source: north.key, target: south.key, sid, domain: "other.example" },
	];
	const words = await Promise.all(cases.map(async (meant) => ({ ...meant, words: await sixWords(meant) })));
	return {
		about: "The list, numbered from 0, and what is shown for some sessions.",
		list: wordList.join(" "),
		cases: words,
	};
}

interface Signing {
	readonly by?: typeof north;
	readonly keyid?: string;
	readonly created?: number;
	readonly expires?: number;
	readonly parts?: readonly string[];
	readonly tag?: string;
}

const nonce = seed("nonce").subarray(0, 16).toString("base64url");
const body = '{"hello":"world"}';
const target = `${south.origin}/migrate/${sid}`;
const second = noon / 1000;

/** Made from the text of the specification and not by what it is to test. */
async function signedRequest({
	by = north,
	keyid = by.keyid,
	created = second,
	expires = created + 60,
	...rest
}: Signing) {
	const { parts = ["@method", "@target-uri", "content-digest"], tag = "migration" } = rest;
	const contentDigest = contentDigestOf(Buffer.from(body));
	const values: Record<string, string> = { "@method": "POST", "@target-uri": target, "content-digest": contentDigest };
	const times = `created=${created};expires=${expires};nonce="${nonce}"`;
	const params = `(${parts.map((part) => `"${part}"`).join(" ")});${times};keyid="${keyid}";alg="ed25519";tag="${tag}"`;
	const base = signatureBase(
		parts.map((part) => [`"${part}"`, values[part] ?? ""] as const),
		params,
	);
	const signature = `sig=:${Buffer.from(await by.signer.sign(base)).toString("base64")}:`;
	return { "content-digest": contentDigest, "signature-input": `sig=${params}`, signature };
}

async function signedAnswer(asked: string, covers: "content-digest" | "fediversity-stream", value: string) {
	const params = `("@status" "${covers}" "signature";req);created=${second + 1};keyid="${south.keyid}";alg="ed25519";tag="migration"`;
	const lines = [
		['"@status"', "200"],
		[`"${covers}"`, value],
		['"signature";req', asked],
	] as const;
	const signature = `sig=:${Buffer.from(await south.signer.sign(signatureBase(lines, params))).toString("base64")}:`;
	return { [covers]: value, "signature-input": `sig=${params}`, signature };
}

async function signatureVectors() {
	const good = await signedRequest({});
	const request = { method: "POST", target, body, now: second, headers: good };
	const evil = nodeAt("https://evil.example", seed("evil"));
	const wrong = "signature-wrong";
	const answer = await signedAnswer(good.signature, "content-digest", contentDigestOf(Buffer.from(body)));
	const says = `sealed;key=:${createHash("sha256").update(sealedKey().sealed).digest("base64")}:`;
	const stream = await signedAnswer(good.signature, "fediversity-stream", says);
	return {
		about:
			"North asks South. now: seconds since 1970 by South's clock. result: ok, or the problem's code. Answers: status 200 by South to the first request; body null: a stream.",
		requests: [
			{ name: "as it must be", ...request, result: "ok" },
			{ name: "ten seconds early", ...request, now: second - 10, result: "ok" },
			{ name: "ten seconds late", ...request, now: second + 70, result: "ok" },
			{ name: "too early", ...request, now: second - 11, result: "signature-untimely" },
			{ name: "too late", ...request, now: second + 71, result: "signature-untimely" },
			{ name: "another body", ...request, body: '{"hello":"World"}', result: wrong },
			{ name: "another address", ...request, target: `${target}/`, result: wrong },
			{ name: "another method", ...request, method: "PUT", result: wrong },
			{
				name: "good for 61 seconds",
				...request,
				headers: await signedRequest({ expires: second + 61 }),
				result: wrong,
			},
			{
				name: "body not covered",
				...request,
				headers: await signedRequest({ parts: ["@method", "@target-uri"] }),
				result: wrong,
			},
			{ name: "method alone", ...request, headers: await signedRequest({ parts: ["@method"] }), result: wrong },
			{ name: "another tag", ...request, headers: await signedRequest({ tag: "fediverse" }), result: wrong },
			{
				name: "another's key",
				...request,
				headers: await signedRequest({ by: evil, keyid: north.keyid }),
				result: wrong,
			},
			{ name: "an unknown key", ...request, headers: await signedRequest({ by: evil }), result: wrong },
			{
				name: "two signatures",
				...request,
				headers: { ...good, signature: `${good.signature}, sig2=:AA==:` },
				result: wrong,
			},
		],
		answers: [
			{ name: "as it must be", status: 200, body, headers: answer, result: "ok" },
			{ name: "a stream", status: 200, body: null, headers: stream, result: "ok" },
			{ name: "another status", status: 201, body, headers: answer, result: wrong },
			{ name: "another body", status: 200, body: "{}", headers: answer, result: wrong },
			{ name: "a stream in place of its body", status: 200, body, headers: stream, result: wrong },
			{ name: "a request's signature", status: 200, body, headers: good, result: wrong },
		],
	};
}

export const sheet: Sheet = {
	name: "South",
	place: "Leipzig, Germany",
	jurisdiction: "Germany (EU)",
	engine: "local",
	version: "0.1.0",
	services: [{ name: "snac", title: "Microblog", version: "2.84" }],
	price: "2 € a month",
	limits: { bytes: 10_000_000_000 },
	backups: "Nightly, kept for 30 days",
	freeBytes: 50_000_000_000,
	terms: "https://south.example/terms",
	accepts: "all",
	exit: { noticeDays: 0, charge: "None", keepDays: 30 },
};

async function sheetVectors() {
	const { text, digest: name } = await signSheet(south.actor, sheet, south.signer, noon);
	const { text: elsewhere } = await signSheet(`${north.origin}/actor`, sheet, south.signer, noon);
	const week = 7 * 86_400;
	return {
		about: "South's sheet. now: seconds since 1970. result: ok, or the problem's code.",
		digest: name,
		cases: [
			{ name: "as it must be", text, now: second, result: "ok" },
			{ name: "ten minutes after its end", text, now: second + week + 600, result: "ok" },
			{ name: "too old", text, now: second + week + 601, result: "sheet-not-valid" },
			{ name: "of the future", text, now: second - 601, result: "sheet-not-valid" },
			{ name: "changed", text: text.replace("Leipzig", "Dresden"), now: second, result: "proof-wrong" },
			{ name: "of another actor", text: elsewhere, now: second, result: "sheet-not-valid" },
			{ name: "not canonical", text: ` ${text}`, now: second, result: "sheet-not-valid" },
		],
	};
}

function sealedKey() {
	const pair = sodium.crypto_box_seed_keypair(seed("session pair"));
	const key = seed("stream");
	return { pair, key, sealed: sealed(key, pair.publicKey, seed("ephemeral")) };
}

/** A sealed box (crypto_box_seal) whose ephemeral key is always the same. */
function sealed(plain: Uint8Array, to: Uint8Array, ephemeralSeed: Uint8Array): Uint8Array {
	const ephemeral = sodium.crypto_box_seed_keypair(ephemeralSeed);
	const boxNonce = sodium.crypto_generichash(24, Buffer.concat([ephemeral.publicKey, to]), null);
	const box = sodium.crypto_box_easy(plain, boxNonce, to, ephemeral.privateKey);
	return Buffer.concat([ephemeral.publicKey, box]);
}

function sealVectors() {
	const { pair, key, sealed: streamKey } = sealedKey();
	const secrets = { "snac/password": "geheim", "snac/token": "€" };
	const box = sealed(Buffer.from(canonical(secrets)), pair.publicKey, seed("ephemeral of secrets"));
	const request = Buffer.concat([seed("request").subarray(0, 16), seed("listing"), Buffer.from([0, 0, 2, 1, 0, 1])]);
	const pieces = [
		{ number: 0, bytes: Buffer.from("first") },
		{ number: 2, bytes: Buffer.from("third") },
	];
	const frames = pieces.map(({ number, bytes }, index) =>
		frame(key, request, index, index === 1, record(number, bytes)),
	);
	const start = Buffer.alloc(2);
	start.writeUInt16BE(streamKey.length);
	const stream = Buffer.concat([start, streamKey, ...frames]);
	const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
	return {
		about: "Bytes in hex. The stream answers the request; its pieces by their number in the request's list.",
		session: { publicKey: hex(pair.publicKey), privateKey: hex(pair.privateKey) },
		secrets: { plain: secrets, sealed: Buffer.from(box).toString("base64url") },
		stream: {
			...{ sid, request: hex(request), key: hex(key) },
			header: `sealed;key=:${createHash("sha256").update(streamKey).digest("base64")}:`,
			bytes: hex(stream),
			frames: frames.map(hex),
			pieces: pieces.map(({ number, bytes }) => ({ number, bytes: hex(bytes) })),
		},
	};
}

function record(number: number, bytes: Buffer): Buffer {
	const head = Buffer.alloc(8);
	head.writeUInt32BE(number);
	head.writeUInt32BE(bytes.length, 4);
	return Buffer.concat([head, bytes]);
}

function frame(key: Buffer, request: Buffer, number: number, isLast: boolean, plain: Buffer): Buffer {
	const frameNonce = Buffer.alloc(12);
	frameNonce.writeUIntBE(number, 5, 6);
	frameNonce[11] = isLast ? 1 : 0;
	const asked = createHash("sha256").update(request).digest("base64url");
	const context = createHash("sha256").update(`fediversity pieces 1\n${sid}\n${asked}`).digest();
	const cipher = createCipheriv("aes-256-gcm", key, frameNonce).setAAD(context);
	const text = Buffer.concat([cipher.update(plain), cipher.final()]);
	const head = Buffer.alloc(4);
	head.writeUInt32BE(text.length + (isLast ? 0x8000_0000 : 0));
	return Buffer.concat([head, text, cipher.getAuthTag()]);
}
