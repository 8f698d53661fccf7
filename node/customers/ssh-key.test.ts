import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseKey } from "./ssh-key.ts";

const ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github";

/** Makes a key line out of its fields (RFC 4251 strings). */
function line(kind: string, ...fields: (string | Buffer)[]): string {
	const parts = [kind, ...fields].flatMap((field) => {
		const bytes = Buffer.from(field as string);
		const length = Buffer.alloc(4);
		length.writeUInt32BE(bytes.length);
		return [length, bytes];
	});
	return `${kind} ${Buffer.concat(parts).toString("base64")}`;
}

function rsa(bits: number): string {
	const { n = "", e = "" } = generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" });
	const modulus = Buffer.from(n, "base64url");
	return line("ssh-rsa", Buffer.from(e, "base64url"), Buffer.concat([Buffer.alloc(1), modulus]));
}

const p256 = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]);

test("a published key has its published fingerprint", () => {
	expect(parseKey(ed25519)).toEqual({
		key: ed25519.split(" ").slice(0, 2).join(" "),
		fingerprint: "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
	});
});

test.each([
	["RSA of 2048 bits", rsa(2048)],
	["ECDSA", line("ecdsa-sha2-nistp256", "nistp256", p256)],
	["a security key", line("sk-ssh-ed25519@openssh.com", Buffer.alloc(32, 1), "ssh:")],
	["an ECDSA security key", line("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", p256, "ssh:")],
])("%s is taken", (_, key) => {
	expect(parseKey(` ${key} anna@laptop with blanks\n`).key).toBe(key);
});

test.each([
	["a small RSA key", rsa(1024), "1024 bits"],
	["DSA", line("ssh-dss", "a", "b", "c", "d"), "begins with"],
	["options before the key", `command="x" ${ed25519}`, "begins with"],
	["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "private key"],
	["two keys", `${ed25519}\n${ed25519}`, "one key at a time"],
	["a cut key", ed25519.slice(0, 60), "damaged"],
	["something behind the key", line("ssh-ed25519", Buffer.alloc(32), "more"), "damaged"],
	["another kind inside", ed25519.replace("ssh-ed25519", "ssh-rsa"), "damaged"],
	["the wrong curve", line("ecdsa-sha2-nistp256", "nistp384", p256), "damaged"],
	[
		"a compressed point",
		line("ecdsa-sha2-nistp256", "nistp256", Buffer.concat([Buffer.from([2]), Buffer.alloc(32)])),
		"damaged",
	],
	["no modulus", line("ssh-rsa", "abc"), "damaged"],
	["no base64", "ssh-ed25519 ***", "damaged"],
	["a kind only", "ssh-ed25519", "damaged"],
	["a name every object has", "constructor AAAA", "begins with"],
	["a length past the end", `ssh-ed25519 ${Buffer.from([255, 255, 255, 255, 1]).toString("base64")}`, "damaged"],
])("%s is refused with a reason", (_, key, reason) => {
	expect(() => parseKey(key)).toThrow(reason);
});

describe.skipIf(!hasKeygen())("beside ssh-keygen", () => {
	test.each([["ed25519"], ["ecdsa -b 256"], ["ecdsa -b 384"], ["ecdsa -b 521"], ["rsa -b 2048"]])("%s", (kind) => {
		const folder = mkdtempSync(join(tmpdir(), "ssh-key-"));
		try {
			execFileSync("ssh-keygen", ["-q", "-N", "", "-f", join(folder, "key"), "-t", ...kind.split(" ")]);
			const shown = execFileSync("ssh-keygen", ["-l", "-f", join(folder, "key.pub")], { encoding: "utf8" });
			expect(shown).toContain(parseKey(readFileSync(join(folder, "key.pub"), "utf8")).fingerprint);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

function hasKeygen(): boolean {
	try {
		execFileSync("ssh-keygen", ["-?"], { stdio: "ignore" });
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code !== "ENOENT";
	}
}
