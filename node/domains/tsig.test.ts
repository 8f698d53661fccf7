import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { signed, TsigError, type TsigFault, type TsigKey, unsigned, verified } from "./tsig.ts";
import { nameBytes } from "./wire.ts";

const key: TsigKey = { name: "north.key", secret: Buffer.from("a secret of exactly 32 bytes …") };
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** A question that kdig 3.2.6 has signed, in the key's name with a capital. */
const fromKdig = hex(
	"b05b01200001000000000001 06736f6369616c0563686f6972076578616d706c65000001 0001 056e6f727468036b65790000fa00ff00000000003d" +
		"0b686d61632d73686132353600 00006b02e99e 012c 0020 89326e8e2ae6acf582f32751c46d0851729830db7f80428595d926055157d84a b05b 0000 0000",
);
/** Two answers of Knot 3.2.6, and the MACs of the updates they answer: one was taken, one was long out of date. */
const requestMac = hex("9a9dea8a368cea93c58a6bcd74063cef8967fbb9f425a26a203a44a375181414");
const fromKnot = hex(
	"1267a80000010000000000010563686f6972076578616d706c650000060001056e6f727468036b65790000fa00ff00000000003d" +
		"0b686d61632d7368613235360000006b02e99f012c0020dff582ec29e426161dbdbea43c9ff7d87eb152eef80cacecf3724437d1105123126700000000",
);
const lateMac = hex("684509e731d8a6d61d2f16b250912ec7bfe953b6f5390a8a4e849dddd1f3fb6f");
const tooLate = hex(
	"1267a80900010000000000010563686f6972076578616d706c650000060001056e6f727468036b65790000fa00ff000000000043" +
		"0b686d61632d7368613235360000006553f100012c0020e3d2465e02e5a7613358d05e9367ad03fb662a94fc8cb135050f96016418216a" +
		"12670012000600006b02e99f",
);
const then = 0x6b02e99e;

/** Everything in front of the TSIG record, as it was before it was signed. */
const plain = Buffer.from(fromKdig.subarray(0, 38));
plain[11] = 0;

test("what kdig signed is believed, and we sign the same bytes with the same MAC", () => {
	const opened = verified(fromKdig, [{ name: "other", secret: key.secret }, key], then);
	expect(opened.message).toEqual(plain);
	expect(opened.key).toBe(key);
	expect(signed(plain, key, then).message.toString("hex")).toBe(fromKdig.toString("hex"));
});

test("what Knot answered is believed only together with the request it answers", () => {
	expect(verified(fromKnot, [key], then, requestMac).message).toHaveLength(fromKnot.length - 82);
	expect(faultOf(() => verified(fromKnot, [key], then))).toBe("signature");
	expect(faultOf(() => verified(fromKnot, [key], then, lateMac))).toBe("signature");
});

test("Knot's word that our clock is wrong is believed since it is signed, with the difference", () => {
	expect(() => verified(tooLate, [key], 1_700_000_000, lateMac)).toThrow(
		expect.objectContaining({ fault: "time", ahead: 0x6b02e99f - 1_700_000_000 }),
	);
	const forged = Buffer.from(tooLate);
	forged.writeUInt32BE(0x6b02e9ff, forged.length - 4);
	expect(faultOf(() => verified(forged, [key], 1_700_000_000, lateMac))).toBe("signature");
});

test("a signed complaint about our clock counts, also when the clocks are not far apart", () => {
	const answer = Buffer.from(plain);
	const complaint = signed(answer, key, then, { requestMac, error: 18, other: hex("00006b02e9a0") }).message;
	expect(faultOf(() => verified(complaint, [key], then, requestMac))).toBe("time");
});

test("a message that got another id on its way is verified, and gets back its own", () => {
	const forwarded = Buffer.from(fromKdig);
	forwarded.writeUInt16BE(0x1234, 0);
	expect(verified(forwarded, [key], then).message).toEqual(plain);
});

test("clocks may be 300 seconds apart and no more", () => {
	for (const apart of [-300, 0, 300]) expect(verified(fromKdig, [key], then + apart).key).toBe(key);
	for (const apart of [-301, 301]) expect(faultOf(() => verified(fromKdig, [key], then + apart))).toBe("time");
});

test("no message with any bit changed is believed, unless the change says nothing", () => {
	for (let bit = 0; bit < fromKdig.length * 8; bit++) {
		const changed = Buffer.from(fromKdig);
		changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
		let opened: Buffer | undefined;
		try {
			opened = verified(changed, [key], then).message;
		} catch {}
		if (opened) expect(opened.toString("hex"), `bit ${bit}`).toBe(plain.toString("hex"));
	}
});

test("a wrong secret, an unknown key, another algorithm, a shortened MAC and no signature at all are told apart", () => {
	expect(faultOf(() => verified(fromKdig, [{ ...key, secret: Buffer.from("another") }], then))).toBe("signature");
	expect(faultOf(() => verified(fromKdig, [{ ...key, name: "south.key" }], then))).toBe("key");
	expect(faultOf(() => verified(fromKdig, [], then))).toBe("key");
	expect(faultOf(() => verified(withMac("hmac-sha512", macOf("sha512", "hmac-sha512")), [key], then))).toBe(
		"algorithm",
	);
	const right = macOf("sha256", "hmac-sha256");
	expect(verified(withMac("hmac-sha256", right), [key], then).key).toBe(key);
	expect(faultOf(() => verified(withMac("hmac-sha256", right.subarray(0, 16)), [key], then))).toBe("signature");
	expect(faultOf(() => verified(withMac("hmac-sha256", Buffer.alloc(0)), [key], then))).toBe("signature");
	expect(faultOf(() => verified(plain, [key], then))).toBe("unsigned");
	expect(faultOf(() => verified(unsigned(plain, key.name, then, 17), [key], then))).toBe("key");
	expect(faultOf(() => verified(unsigned(plain, key.name, then, 16), [key], then))).toBe("signature");
});

test("a signature counts only at the very end and only once", () => {
	const twice = signed(fromKdig, key, then).message;
	expect(faultOf(() => verified(twice, [key], then))).toBe("unsigned");
	expect(faultOf(() => verified(Buffer.concat([fromKdig, Buffer.from([0])]), [key], then))).toBe("unsigned");
	const record = plain.length + nameBytes(key.name).length;
	const [otherClass, lasting] = [Buffer.from(fromKdig), Buffer.from(fromKdig)];
	otherClass.writeUInt16BE(1, record + 2);
	lasting.writeUInt32BE(1, record + 4);
	for (const changed of [otherClass, lasting]) expect(faultOf(() => verified(changed, [key], then))).toBe("unsigned");
});

function faultOf(work: () => unknown): TsigFault | "none" {
	try {
		work();
		return "none";
	} catch (error) {
		if (error instanceof TsigError) return error.fault;
		throw error;
	}
}

/** Laid out here once more from RFC 8945 §4.3.3, apart from the code under test. */
function macOf(hash: string, algorithm: string): Buffer {
	const variables = hex("00ff 00000000");
	const times = hex("00006b02e99e 012c 0000 0000");
	return createHmac(hash, key.secret)
		.update(Buffer.concat([plain, nameBytes(key.name), variables, nameBytes(algorithm), times]))
		.digest();
}

function withMac(algorithm: string, mac: Buffer): Buffer {
	const length = Buffer.from([0, mac.length]);
	const data = Buffer.concat([nameBytes(algorithm), hex("00006b02e99e 012c"), length, mac, hex("b05b 0000 0000")]);
	const head = Buffer.from(plain);
	head[11] = 1;
	return Buffer.concat([head, nameBytes(key.name), hex("00fa 00ff 00000000"), Buffer.from([0, data.length]), data]);
}
