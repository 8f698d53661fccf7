import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { expect, test } from "vitest";
import { nodeAt, noon, north, seed, south } from "../../test/vectors/nodes.ts";
import { utf8 } from "./bytes.ts";
import { webSigner } from "./multikey.ts";
import {
	contentDigestOf,
	type Field,
	PeerClock,
	requestLifetime,
	type SentRequest,
	type SignatureHeaders,
	signAnswer,
	signatureBase,
	signRequest,
	verifyAnswer,
	verifyRequest,
} from "./signature.ts";

const request: SentRequest = { method: "POST", target: "https://south.example/migrate/abc?x=1", body: utf8('{"a":1}') };
const headers = await signRequest(request, north.signer, noon);
const asked = headers["signature"] ?? "";
const field =
	(values: SignatureHeaders): Field =>
	(name) =>
		values[name];

function rules(change: object = {}) {
	const seen = new Set<string>();
	const once = (_keyid: string, nonce: string, _until: number) => !seen.has(nonce) && Boolean(seen.add(nonce));
	return {
		verifierFor: (keyid: string) => (keyid === north.keyid ? north.verifier : undefined),
		now: noon,
		once,
		...change,
	};
}

const check = (change: Partial<SentRequest> = {}, values: SignatureHeaders = headers, ruled = rules()) =>
	verifyRequest({ ...request, ...change, field: field(values) }, ruled);
const wrong = expect.objectContaining({ code: "signature-wrong" });

/** RFC 9421, appendix B.2.6, with the key of B.1.4. */
test("the published example of Ed25519 has this base and this signature", () => {
	const der = Buffer.from("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF", "base64");
	const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
	const params =
		'("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
	const base = signatureBase(
		[
			['"date"', "Tue, 20 Apr 2021 02:07:55 GMT"],
			['"@method"', "POST"],
			['"@path"', "/foo"],
			['"@authority"', "example.com"],
			['"content-type"', "application/json"],
			['"content-length"', "18"],
		],
		params,
	);
	const signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
	expect(sign(null, base, privateKey).toString("base64")).toBe(signature);
	expect(verify(null, base, createPublicKey(privateKey), Buffer.from(signature, "base64"))).toBe(true);
});

/** RFC 9530, appendix D, and the body of RFC 9421's examples. */
test("a Content-Digest is as published", () => {
	expect(contentDigestOf(utf8('{"hello": "world"}\n'))).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	expect(contentDigestOf(utf8('{"hello": "world"}'))).toBe("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
});

test("a request is signed over method, address and body, for a minute", async () => {
	expect(headers["signature-input"]).toMatch(
		/^sig=\("@method" "@target-uri" "content-digest"\);created=1795348800;expires=1795348860;nonce="[\w-]{22}";keyid="https:\/\/north\.example\/actor#multikey-2";alg="ed25519";tag="migration"$/,
	);
	expect(await check()).toEqual({ keyid: north.keyid, created: noon });
	const empty = { ...request, method: "GET", body: new Uint8Array() };
	const signed = await signRequest(empty, north.signer, noon);
	await expect(check(empty, signed)).resolves.toMatchObject({ keyid: north.keyid });
});

test("WebCrypto signs as well", async () => {
	const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
	const values = await signRequest(request, webSigner(north.keyid, pair.privateKey), noon);
	await expect(check({}, values)).rejects.toThrow(wrong);
	const verifier = {
		keyid: north.keyid,
		verify: (bytes: Uint8Array, signature: Uint8Array) =>
			crypto.subtle.verify("Ed25519", pair.publicKey, signature as BufferSource, bytes as BufferSource),
	};
	await expect(check({}, values, rules({ verifierFor: () => verifier }))).resolves.toBeDefined();
});

const input = headers["signature-input"] ?? "";
const other = await signRequest({ ...request, body: utf8("other") }, north.signer, noon);
test.each<[string, Partial<SentRequest>, object]>([
	["another method", { method: "PUT" }, {}],
	["another path", { target: "https://south.example/migrate/abd?x=1" }, {}],
	["another query", { target: "https://south.example/migrate/abc?x=2" }, {}],
	["another inbox", { target: "https://other.example/migrate/abc?x=1" }, {}],
	["another body", { body: utf8('{"a":2}') }, {}],
	["another body with its own digest", { body: utf8("other") }, { "content-digest": other["content-digest"] }],
	["no digest", {}, { "content-digest": "" }],
	["a second digest", {}, { "content-digest": `${headers["content-digest"]}, sha-512=:AAAA:` }],
	["another signature", {}, { signature: other["signature"] }],
	["no signature", {}, { signature: "" }],
	["a signature of another label", {}, { signature: asked.replace("sig=", "sig2=") }],
	["two signatures", {}, { signature: `${asked}, ${asked.replace("sig=", "sig2=")}` }],
	["no input", {}, { "signature-input": "" }],
	["two inputs", {}, { "signature-input": `${input}, sig2=()` }],
	["fewer parts", {}, { "signature-input": input.replace(' "content-digest"', "") }],
	["method alone", {}, { "signature-input": input.replace(' "@target-uri" "content-digest"', "") }],
	["more parts", {}, { "signature-input": input.replace('"content-digest")', '"content-digest" "date")') }],
	["another order", {}, { "signature-input": input.replace('"@method" "@target-uri"', '"@target-uri" "@method"') }],
	["another tag", {}, { "signature-input": input.replace("migration", "fediverse") }],
	["no tag", {}, { "signature-input": input.replace(';tag="migration"', "") }],
	["another algorithm", {}, { "signature-input": input.replace("ed25519", "hmac-sha256") }],
	["no nonce", {}, { "signature-input": input.replace(/nonce="[^"]+";/, "") }],
	["another nonce", {}, { "signature-input": input.replace(/nonce="[^"]+"/, `nonce="${"A".repeat(22)}"`) }],
	["no end", {}, { "signature-input": input.replace(/expires=\d+;/, "") }],
	["a later end", {}, { "signature-input": input.replace("1795348860", "1795348870") }],
	["another parameter", {}, { "signature-input": `${input};x=1` }],
	["an unknown key", {}, { "signature-input": input.replace("north", "evil") }],
	["a key of another's", {}, { "signature-input": input.replace("north", "south") }],
	["a line break in its address", { target: 'https://south.example/a\n"content-digest": x' }, {}],
])("refused: %s", async (_what, change, values) => {
	await expect(check(change, { ...headers, ...values })).rejects.toThrow(wrong);
});

test("headers that came twice are one with a comma, which is refused", async () => {
	const twice: Field = (name) => (name === "signature" ? [asked, asked] : headers[name]);
	await expect(verifyRequest({ ...request, field: twice }, rules())).rejects.toThrow(wrong);
});

test("a signature is good from ten seconds before it was made until ten seconds after its minute", async () => {
	const untimely = expect.objectContaining({ code: "signature-untimely" });
	for (const seconds of [-10, 0, 60, 70]) await check({}, headers, rules({ now: noon + seconds * 1000 }));
	for (const seconds of [-11, 71, 300, -300])
		await expect(check({}, headers, rules({ now: noon + seconds * 1000 }))).rejects.toThrow(untimely);
	const long = { ...north.signer, keyid: `${north.keyid}` };
	const stretched = await signRequest(request, { ...long, sign: (bytes) => long.sign(bytes) }, noon);
	expect(stretched["signature-input"]).toContain(`expires=${noon / 1000 + requestLifetime}`);
});

test("who signs for longer than a minute is refused though the signature holds", async () => {
	const stretched = input.replace("expires=1795348860", "expires=1795348861").replace("sig=", "");
	const lines = [
		['"@method"', request.method],
		['"@target-uri"', request.target],
		['"content-digest"', contentDigestOf(request.body)],
	] as const;
	const signature = Buffer.from(await north.signer.sign(signatureBase(lines, stretched))).toString("base64");
	const values = { ...headers, "signature-input": `sig=${stretched}`, signature: `sig=:${signature}:` };
	await expect(check({}, values)).rejects.toThrow(wrong);
});

test("a signature is good once, and its nonce is only written down if all the rest holds", async () => {
	const noted: [string, string, number][] = [];
	const once = (...note: [string, string, number]) => noted.push(note) === 1;
	await expect(check({ method: "PUT" }, headers, rules({ once }))).rejects.toThrow(wrong);
	await expect(check({}, headers, rules({ once, now: noon + 600_000 }))).rejects.toThrow();
	expect(noted).toEqual([]);
	await check({}, headers, rules({ once }));
	await expect(check({}, headers, rules({ once }))).rejects.toThrow(
		expect.objectContaining({ code: "signature-repeated" }),
	);
	const [keyid, nonce, until] = noted[0] ?? ["", "", 0];
	expect(keyid).toBe(north.keyid);
	expect(input).toContain(`nonce="${nonce}"`);
	// As long as anybody would take it.
	expect(until).toBeGreaterThan(noon + 70_000);
});

const body = utf8('{"ok":true}');
const answer = await signAnswer({ status: 200, body }, asked, south.signer, noon + 1000);

test("an answer is bound to its request, its status and its body", async () => {
	const take = (change: object = {}, values: object = {}, to = asked, by = south.verifier) =>
		verifyAnswer({ status: 200, body, field: field({ ...answer, ...values }), ...change }, to, by);
	expect(await take()).toEqual({ created: noon + 1000, stream: null });
	const parts = answer["signature-input"] ?? "";
	expect(parts).toMatch(
		/^sig=\("@status" "content-digest" "signature";req\);created=\d{10};keyid="[^"]+";alg="ed25519";tag="migration"$/,
	);
	await expect(take({ status: 201 })).rejects.toThrow(wrong);
	await expect(take({ body: utf8('{"ok":false}') })).rejects.toThrow(wrong);
	await expect(take({ body: null })).rejects.toThrow(wrong);
	await expect(take({}, {}, other["signature"])).rejects.toThrow(wrong);
	await expect(take({}, {}, "")).rejects.toThrow(wrong);
	await expect(take({}, {}, asked, north.verifier)).rejects.toThrow(wrong);
	await expect(take({}, { "signature-input": parts.replace("ed25519", "none") })).rejects.toThrow(wrong);
	await expect(take({}, { "signature-input": parts.replace(' "signature";req', "") })).rejects.toThrow(wrong);
	await expect(take({}, { "signature-input": parts.replace(/created=\d+/, "created=1795348802") })).rejects.toThrow(
		wrong,
	);
	await expect(take({}, { signature: asked })).rejects.toThrow(wrong);
	await expect(signAnswer({ status: 401, body }, "", south.signer, noon)).rejects.toThrow(wrong);
	await expect(signAnswer({ status: 401, body }, 'sig=:x:\n"@status": 200', south.signer, noon)).rejects.toThrow(wrong);
});

test("the signature of a request is none of an answer, and the other way round", async () => {
	await expect(verifyAnswer({ status: 200, body, field: field(headers) }, asked, north.verifier)).rejects.toThrow(
		wrong,
	);
	await expect(check({}, answer, rules({ verifierFor: () => south.verifier }))).rejects.toThrow(wrong);
});

test("a stream's answer covers what vouches for its bytes", async () => {
	const says = "sealed;key=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
	const values = await signAnswer({ status: 200, body: { stream: says } }, asked, south.signer, noon);
	const take = (change: object, from: SignatureHeaders) =>
		verifyAnswer({ status: 200, body: null, field: field(from), ...change }, asked, south.verifier);
	expect(values["fediversity-stream"]).toBe(says);
	expect(await take({}, values)).toEqual({ created: noon, stream: says });
	await expect(take({}, { ...values, "fediversity-stream": says.replace("X", "Y") })).rejects.toThrow(wrong);
	await expect(take({ body: new Uint8Array() }, values)).rejects.toThrow(wrong);
	await expect(
		take({ body: new Uint8Array() }, { ...values, "content-digest": contentDigestOf(new Uint8Array()) }),
	).rejects.toThrow(wrong);
});

test("another node's clock is learnt from its answers", () => {
	const clock = new PeerClock();
	expect(clock.at(noon)).toBe(noon);
	// Five minutes ahead, and the call took a second.
	clock.learn(noon + 300_000, noon, noon + 1000);
	expect(Math.abs(clock.at(noon) - (noon + 300_000))).toBeLessThan(1000);
	clock.learn(noon - 300_000, noon, noon + 1000);
	expect(Math.abs(clock.at(noon) - (noon - 300_000))).toBeLessThan(1000);
	// A second cut off, or a slow answer, is no difference.
	clock.learn(noon, noon + 900, noon + 1000);
	expect(clock.at(noon)).toBe(noon);
	clock.learn(noon + 500, noon - 20_000, noon + 20_000);
	expect(clock.at(noon)).toBe(noon);
});

test("nodes whose clocks are five minutes apart understand each other at the second call", async () => {
	const ahead = 300_000;
	const clock = new PeerClock();
	const call = async () => {
		const signed = await signRequest(request, north.signer, clock.at(noon));
		const status = await check({}, signed, rules({ now: noon + ahead })).then(
			() => 200,
			({ status }: { status: number }) => status,
		);
		const to = signed["signature"] ?? "";
		const signedAnswer = await signAnswer({ status, body }, to, south.signer, noon + ahead);
		const { created } = await verifyAnswer({ status, body, field: field(signedAnswer) }, to, south.verifier);
		clock.learn(created, noon, noon);
		return status;
	};
	expect([await call(), await call(), await call()]).toEqual([401, 200, 200]);
});

test("a key that only says it is another's is not taken", async () => {
	const evil = nodeAt("https://evil.example", seed("evil"));
	const values = await signRequest(request, { ...evil.signer, keyid: north.keyid }, noon);
	await expect(check({}, values)).rejects.toThrow(wrong);
	await expect(check({}, headers, rules({ verifierFor: () => evil.verifier }))).rejects.toThrow(wrong);
});
