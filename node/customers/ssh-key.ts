import { createHash } from "node:crypto";

/** A public key as `authorized_keys` has it, checked, without options and comment. */
export interface PublicKey {
	readonly key: string;
	/** As `ssh-keygen -l` shows it. */
	readonly fingerprint: string;
}

/** The kinds of key taken, and of which fields each consists after its name (RFC 4253, 5656, 8709; PROTOCOL.u2f of OpenSSH). */
const kinds: Readonly<Record<string, (fields: Buffer[]) => string | null>> = {
	"ssh-ed25519": ([point, ...more]) => (point?.length === 32 && more.length === 0 ? null : broken),
	"sk-ssh-ed25519@openssh.com": ([point, application, ...more]) =>
		point?.length === 32 && application?.length && more.length === 0 ? null : broken,
	"ecdsa-sha2-nistp256": curve("nistp256", 32),
	"ecdsa-sha2-nistp384": curve("nistp384", 48),
	"ecdsa-sha2-nistp521": curve("nistp521", 66),
	"sk-ecdsa-sha2-nistp256@openssh.com": ([name, point, application, ...more]) =>
		application?.length && more.length === 0 ? curve("nistp256", 32)([name, point] as Buffer[]) : broken,
	"ssh-rsa": rsa,
};

const broken = "This key is damaged; copy the whole line of the .pub file";

/** Reads one line of a `.pub` file; throws an Error whose message tells the person what to do. */
export function parseKey(line: string): PublicKey {
	if (/PRIVATE KEY/.test(line)) throw new Error("This is the private key; keep it to yourself and paste the .pub file");
	const [kind = "", data = ""] = line.trim().split(/\s+/);
	const check = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
	if (!check) throw new Error(`Paste one line that begins with ${Object.keys(kinds).slice(0, 1)}, ecdsa-… or ssh-rsa`);
	if (line.trim().includes("\n")) throw new Error("Paste one key at a time");
	const blob = Buffer.from(data, "base64");
	const [name, ...fields] = /^[A-Za-z0-9+/]+={0,2}$/.test(data) ? fieldsOf(blob) : [];
	const wrong = name?.toString() === kind ? check(fields) : broken;
	if (wrong) throw new Error(wrong);
	return {
		key: `${kind} ${blob.toString("base64")}`,
		fingerprint: `SHA256:${createHash("sha256").update(blob).digest("base64").replaceAll("=", "")}`,
	};
}

/** The length-prefixed strings of RFC 4251; none at all when they do not fill the blob exactly. */
function fieldsOf(blob: Buffer): Buffer[] {
	const fields: Buffer[] = [];
	let at = 0;
	while (at < blob.length) {
		const end = at + 4 <= blob.length ? at + 4 + blob.readUInt32BE(at) : Number.POSITIVE_INFINITY;
		if (end > blob.length) return [];
		fields.push(blob.subarray(at + 4, end));
		at = end;
	}
	return fields;
}

function curve(name: string, bytes: number) {
	return ([named, point, ...more]: Buffer[]) =>
		named?.toString() === name && point?.[0] === 4 && point.length === 1 + 2 * bytes && more.length === 0
			? null
			: broken;
}

function rsa([exponent, modulus, ...more]: Buffer[]): string | null {
	if (!exponent?.length || !modulus?.length || more.length > 0) return broken;
	const bits = BigInt(`0x${modulus.toString("hex")}`).toString(2).length;
	if (bits < 2048) return `This RSA key has ${bits} bits; 2048 are needed, or better an ssh-ed25519 key`;
	return bits > 16_384 ? "This RSA key has more than 16384 bits; use a smaller one" : null;
}
