import { createPrivateKey, createPublicKey, sign } from "node:crypto";

/**
 * A certificate signing request (RFC 2986) in DER, for these host names, signed with the P-256 key. The names stand in
 * the extension for alternative names (RFC 5280 §4.2.1.6) alone; authorities read nothing else.
 */
export function signingRequest(key: string, hosts: readonly string[]): Buffer {
	const privateKey = createPrivateKey(key);
	const names = sequence(...hosts.map((host) => tagged(0x82, Buffer.from(host, "ascii"))));
	const extension = sequence(oid(subjectAltName), tagged(0x04, names));
	const attribute = sequence(oid(extensionRequest), tagged(0x31, sequence(extension)));
	const info = sequence(
		tagged(0x02, Buffer.from([0])),
		sequence(),
		createPublicKey(privateKey).export({ type: "spki", format: "der" }),
		tagged(0xa0, attribute),
	);
	const signature = Buffer.concat([Buffer.from([0]), sign("sha256", info, privateKey)]);
	return sequence(info, sequence(oid(ecdsaWithSha256)), tagged(0x03, signature));
}

/** 2.5.29.17, 1.2.840.113549.1.9.14 and 1.2.840.10045.4.3.2, as DER writes them. */
const subjectAltName = "551d11";
const extensionRequest = "2a864886f70d01090e";
const ecdsaWithSha256 = "2a8648ce3d040302";

const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, "hex"));
const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));

/** X.690 §8.1.3: the length in one byte below 128, else in as many as the first one says. */
function tagged(tag: number, content: Buffer): Buffer {
	const { length } = content;
	if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
	const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
	return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}
