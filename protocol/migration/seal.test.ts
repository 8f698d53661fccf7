import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { fromBase64url, toBase64url, utf8 } from "./bytes.ts";
import { newSealPair, newStreamKey, openSealed, openSecrets, openStreamKey, sealSecrets, sealTo } from "./seal.ts";

test("what is sealed to a session opens there and nowhere else", async () => {
	const [pair, other] = [await newSealPair(), await newSealPair()];
	const sealed = await sealTo(pair.publicKey, utf8("a secret"));
	expect(sealed).not.toBe(await sealTo(pair.publicKey, utf8("a secret")));
	expect(new TextDecoder().decode(await openSealed(pair, sealed))).toBe("a secret");
	await expect(openSealed(other, sealed)).rejects.toThrow(expect.objectContaining({ code: "sealed-wrong" }));
});

test("a changed bit, a cut and other letters do not open", async () => {
	const pair = await newSealPair();
	const bytes = fromBase64url(await sealTo(pair.publicKey, utf8("a secret")));
	for (let at = 0; at < bytes.length; at++) {
		const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1);
		await expect(openSealed(pair, toBase64url(changed)), `byte ${at}`).rejects.toThrow();
	}
	for (const text of ["", "AAAA", toBase64url(bytes.subarray(1)), `${toBase64url(bytes)}=`])
		await expect(openSealed(pair, text)).rejects.toThrow(expect.objectContaining({ code: "sealed-wrong" }));
});

test("secrets travel by name, as text and nothing else", async () => {
	const pair = await newSealPair();
	const secrets = { "snac/password": 'kann ich\n"mir" merken €', __proto__x: "" };
	expect(await openSecrets(pair, await sealSecrets(pair.publicKey, secrets))).toEqual(secrets);
	for (const text of ['{"b":"1","a":"2"}', '{"a":1}', '["a"]', "null", '"a"', "{", '{"a":"1","a":"2"}'])
		await expect(openSecrets(pair, await sealTo(pair.publicKey, utf8(text))), text).rejects.toThrow(
			expect.objectContaining({ code: "sealed-wrong" }),
		);
	const notText = await sealTo(pair.publicKey, Uint8Array.of(0x22, 0xff, 0x22));
	await expect(openSecrets(pair, notText)).rejects.toThrow(expect.objectContaining({ code: "sealed-wrong" }));
});

test("a stream's key is good only with the header that was signed for it", async () => {
	const pair = await newSealPair();
	const [one, other] = [await newStreamKey(pair.publicKey), await newStreamKey(pair.publicKey)];
	expect(one.sealed).toHaveLength(80);
	const hash = createHash("sha256").update(one.sealed).digest("base64");
	expect(one.header).toBe(`sealed;key=:${hash}:`);
	expect(await openStreamKey(pair, one.sealed, one.header)).toEqual(one.key);
	expect(one.key).not.toEqual(other.key);
	const refused = expect.objectContaining({ code: "sealed-wrong" });
	await expect(openStreamKey(pair, other.sealed, one.header)).rejects.toThrow(refused);
	await expect(openStreamKey(await newSealPair(), one.sealed, one.header)).rejects.toThrow(refused);
	// Sealed and signed as it must be, but no key.
	const short = fromBase64url(await sealTo(pair.publicKey, new Uint8Array(31)));
	const header = `sealed;key=:${createHash("sha256").update(short).digest("base64")}:`;
	await expect(openStreamKey(pair, short, header)).rejects.toThrow(refused);
});
