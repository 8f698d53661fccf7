import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { domain, north, seed, sid, south, tokenSecret } from "../../test/vectors/nodes.ts";
import { fromMultikey, thumbprint } from "./multikey.ts";
import { newToken, parseToken, printToken, proofFits, proofFor, secretHash } from "./token.ts";

const token = { origin: south.origin, sid, secret: tokenSecret, thumbprint: thumbprint(south.key) };
const line = printToken(token);
const code = (text: string, options = {}) => {
	try {
		parseToken(text, options);
		return "taken";
	} catch (error) {
		return (error as { code?: string }).code;
	}
};

test("a new token is random, and for the key", () => {
	const [one, other] = [newToken(south.origin, south.key), newToken(south.origin, south.key)];
	expect(one.sid).toMatch(/^[\w-]{22}$/);
	expect(one.secret).not.toBe(other.secret);
	expect(one.sid).not.toBe(other.sid);
	expect(one.thumbprint).toBe(thumbprint(south.key));
	expect(parseToken(printToken(one))).toEqual(one);
});

test("a thumbprint is that of RFC 8037, appendix A.3", () => {
	const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
	const multikey = `z${"6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw"}`;
	expect(Buffer.from(fromMultikey(multikey)).toString("base64url")).toBe(x);
	expect(thumbprint(multikey)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
});

test.each([
	["as it is", line],
	["with white space around", `\n\t  ${line}  \r\n`],
	[
		"broken by a mail program",
		`${line.slice(0, 70)}\r\n${line.slice(70, 140)}=\n`.replace("=\n", "\n") + line.slice(140),
	],
	["quoted in a reply", `> ${line.slice(0, 60)}\n> > ${line.slice(60)}\n`.replace("> > ", ">> ")],
	["in quotation marks", `"${line}"`],
	["in German ones", `„${line}“`],
	["in angle brackets", `<${line}>`],
	["at the end of a sentence", `${line}.`],
	["as code", `\`${line}\``],
	["with spaces that nobody sees", `${line.slice(0, 50)}\u200b\u00ad${line.slice(50)}\ufeff`],
	["with its host in capitals", line.replace("south.example", "South.EXAMPLE")],
])("a token is taken %s", (_how, pasted) => {
	expect(parseToken(pasted)).toEqual(token);
});

test("two hyphens that became a dash are two hyphens again", () => {
	const withTwo = { ...token, secret: `--${tokenSecret.slice(2)}` };
	expect(parseToken(printToken(withTwo).replace("--", "—"))).toEqual(withTwo);
});

test.each([
	["token-not-valid", "hello"],
	["token-not-valid", ""],
	["token-not-valid", "x".repeat(1_000_000)],
	["token-not-valid", line.replace("https:", "ftp:")],
	["token-not-valid", line.replace("https://", "https://user:secret@")],
	["token-not-valid", line.replace("https://", "https://south.example\\@")],
	["token-not-valid", line.replace("/migrate/", "/other/migrate/")],
	["token-not-valid", line.replace("/migrate/", "/migrate/../migrate/")],
	["token-not-valid", line.replace("#", "?x=1#")],
	["token-not-valid", line.replace("#", "")],
	["token-not-valid", line.replace(sid, sid.slice(1))],
	["token-not-valid", line.replace("south.example", "south.example:99999")],
	["token-newer", line.replace("#v1.", "#v2.")],
	["token-damaged", line.slice(0, -1)],
	["token-damaged", line.slice(0, -10)],
	["token-damaged", `${line}A`],
	["token-damaged", line.replace("south", "souht")],
	["token-damaged", line.replace(tokenSecret, tokenSecret.toLowerCase())],
	["token-insecure", printToken({ ...token, origin: "http://south.example" })],
])("%s: %s", (expected, pasted) => {
	expect(code(pasted)).toBe(expected);
});

test("no single letter of a token can be wrong unseen", () => {
	for (let at = 0; at < line.length; at++) {
		const letter = line[at] === "x" ? "y" : "x";
		expect(code(line.slice(0, at) + letter + line.slice(at + 1)), `letter ${at}`).not.toBe("taken");
	}
});

test("http is taken where it is allowed", () => {
	const insecure = { ...token, origin: "http://south.localhost:8080" };
	expect(parseToken(printToken(insecure), { insecure: true })).toEqual(insecure);
});

test("loose bits at the end of a part are refused even with a checksum that fits", () => {
	const loose = (secret: string) => `${secret.slice(0, -1)}${String.fromCharCode(secret.charCodeAt(42) + 1)}`;
	expect(code(printToken({ ...token, secret: loose(tokenSecret) }))).toBe("token-damaged");
});

test("the proof holds for its subject and its secret alone", () => {
	const subject = { sid, actor: north.actor, domain };
	const proof = proofFor(tokenSecret, subject);
	const hash = secretHash(tokenSecret);
	expect(proofFits(proof, hash, subject)).toBe(true);
	for (const other of [{ sid: "A".repeat(22) }, { actor: south.actor }, { domain: "other.example" }])
		expect(proofFits(proof, hash, { ...subject, ...other })).toBe(false);
	expect(proofFits(proof, secretHash(seed("other").toString("base64url")), subject)).toBe(false);
	for (const wrong of ["", "A".repeat(43), `${proof}A`, hash, tokenSecret, `${proof.slice(0, 42)}=`])
		expect(proofFits(wrong, hash, subject), wrong).toBe(false);
});

test("the proof is what SCRAM makes of secret, hash and subject, and the kept hash alone makes none", () => {
	const subject = { sid, actor: north.actor, domain };
	const secret = Buffer.from(tokenSecret, "base64url");
	const kept = createHash("sha256").update(secret).digest();
	const text = JSON.stringify({ actor: north.actor, domain, sid });
	const mask = createHmac("sha256", kept).update(text).digest();
	expect(proofFor(tokenSecret, subject)).toBe(
		Buffer.from(secret.map((byte, at) => byte ^ (mask[at] ?? 0))).toString("base64url"),
	);
	expect(proofFits(mask.toString("base64url"), kept.toString("base64url"), subject)).toBe(false);
});
