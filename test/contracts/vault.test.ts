/** What every vault promises, whatever it keeps its secrets in. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryVault } from "../../node/secrets/memory-vault.ts";
import { SealedVault } from "../../node/secrets/sealed-vault.ts";
import type { Vault } from "../../node/secrets/vault.ts";
import { Database } from "../../node/store/database.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "vault-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kinds: [kind: string, make: () => Vault][] = [
	["sealed", () => new SealedVault(new Database(":memory:"), join(folder, "vault.key"))],
	["memory", () => new MemoryVault()],
];

describe.each(kinds)("a vault (%s)", (_kind, make) => {
	test("gives back what was put, and the latest of it", async () => {
		const vault = make();
		await vault.put("mail/password", "grün ✓ 𝄞");
		expect(await vault.get("mail/password")).toBe("grün ✓ 𝄞");
		await vault.put("mail/password", "");
		expect(await vault.get("mail/password")).toBe("");
	});

	test("says that it has no such secret", async () => {
		expect(await make().get("nothing")).toBeUndefined();
	});

	test("makes a secret once, and gives it to everybody who asks", async () => {
		const vault = make();
		let made = 0;
		const next = async () => {
			await Promise.resolve();
			return `secret ${++made}`;
		};
		const both = await Promise.all([vault.obtain("key", next), vault.obtain("key", next)]);
		expect(both).toEqual(["secret 1", "secret 1"]);
		expect(await vault.obtain("key", next)).toBe("secret 1");
		expect(made).toBe(1);
	});

	test("an empty secret is a secret too, and is not made again", async () => {
		const vault = make();
		await vault.put("key", "");
		expect(await vault.obtain("key", () => expect.unreachable())).toBe("");
	});

	test("knows the names that begin so, and no others", async () => {
		const vault = make();
		for (const name of ["d1/snac/password", "d1/wiki/cookie", "d10/snac/password", "d1%/x"]) await vault.put(name, "x");
		expect(await vault.names("d1/")).toEqual(["d1/snac/password", "d1/wiki/cookie"]);
		expect(await vault.names("none/")).toEqual([]);
	});

	test("tries again after a maker failed", async () => {
		const vault = make();
		const fail = () => Promise.reject(new Error("no luck"));
		await expect(vault.obtain("key", fail)).rejects.toThrow("no luck");
		expect(await vault.get("key")).toBeUndefined();
		expect(await vault.obtain("key", () => "made")).toBe("made");
	});

	test("keeps what was put while the same secret was being made", async () => {
		const vault = make();
		const made = vault.obtain("key", async () => {
			await vault.put("key", "put");
			return "made";
		});
		expect(await made).toBe("put");
		expect(await vault.get("key")).toBe("put");
	});

	test("removes one secret, and removing it again is fine", async () => {
		const vault = make();
		await vault.put("a", "1");
		await vault.put("ab", "2");
		await vault.remove("a");
		await vault.remove("a");
		expect([await vault.get("a"), await vault.get("ab")]).toEqual([undefined, "2"]);
	});

	test("removes all whose names begin so, and no other", async () => {
		const vault = make();
		const names = ["d_1/x", "d_1/y/z", "dx1/x", "d_1", "D_1/x"];
		for (const name of names) await vault.put(name, name);
		await vault.remove("d_1/");
		expect(await Promise.all(names.map((name) => vault.get(name)))).toEqual([
			undefined,
			undefined,
			"dx1/x",
			"d_1",
			"D_1/x",
		]);
	});
});
