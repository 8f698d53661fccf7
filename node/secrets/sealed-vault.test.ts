import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { isExposed, makeMasterKey, readMasterKey } from "./master-key.ts";
import { SealedVault } from "./sealed-vault.ts";

let folder: string;
let keyFile: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "vault-"));
	keyFile = join(folder, "keys", "vault.key");
	file = join(folder, "node.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(key = keyFile) {
	const database = new Database(file);
	try {
		return { database, vault: new SealedVault(database, key) };
	} catch (error) {
		database.close();
		throw error;
	}
}

async function sealOne() {
	const { database, vault } = open();
	await vault.put("mail", "hunter2-hunter2");
	database.close();
}

test("the first start makes a key that only we can read, and leaves nothing else behind", () => {
	open();
	expect(statSync(keyFile).mode & 0o777).toBe(0o600);
	expect(readFileSync(keyFile, "utf8")).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
	expect(readdirSync(join(folder, "keys"))).toEqual(["vault.key"]);
});

test("secrets open again after a restart", async () => {
	await sealOne();
	expect(await open().vault.get("mail")).toBe("hunter2-hunter2");
});

test("nothing on disk holds a secret in clear", async () => {
	await sealOne();
	const bytes = readdirSync(folder)
		.filter((name) => name.startsWith("node.db"))
		.map((name) => readFileSync(join(folder, name)).toString("latin1"))
		.join();
	expect(bytes).toContain("mail");
	expect(bytes).not.toContain("hunter2");
});

test("the key does not show when the vault is printed", () => {
	const { vault } = open();
	expect(inspect(vault, { depth: 9, showHidden: true })).not.toMatch(/Uint8Array|Buffer/);
});

test("the same value sealed twice looks different", async () => {
	const { database, vault } = open();
	await vault.put("a", "same");
	await vault.put("b", "same");
	const [a, b] = database.all<{ sealed: Buffer }>("SELECT sealed FROM secret ORDER BY name");
	expect(a?.sealed.subarray(1, 25)).not.toEqual(b?.sealed.subarray(1, 25));
	expect(a?.sealed.subarray(25)).not.toEqual(b?.sealed.subarray(25));
});

test("rows that changed places do not open", async () => {
	const { database, vault } = open();
	await vault.put("mine", "1");
	await vault.put("yours", "2");
	database.run("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'yours') WHERE name = 'mine'");
	await expect(vault.get("mine")).rejects.toMatchObject({ code: "vault-damaged", params: { name: "mine" } });
	await expect(vault.obtain("mine", () => "new")).rejects.toMatchObject({ code: "vault-damaged" });
});

test.each([
	["of another format", (sealed: Buffer) => Buffer.concat([Buffer.of(2), sealed.subarray(1)])],
	[
		"with a changed bit",
		(sealed: Buffer) => Buffer.concat([sealed.subarray(0, -1), Buffer.of((sealed.at(-1) ?? 0) ^ 1)]),
	],
	["with a changed nonce", (sealed: Buffer) => sealed.map((byte, at) => (at === 1 ? byte ^ 1 : byte))],
	["cut short", (sealed: Buffer) => sealed.subarray(0, 20)],
	["empty", () => Buffer.alloc(0)],
])("a row %s does not open", async (_what, spoil) => {
	const { database, vault } = open();
	await vault.put("a", "1");
	const { sealed } = database.get<{ sealed: Buffer }>("SELECT sealed FROM secret") ?? { sealed: Buffer.alloc(0) };
	database.run("UPDATE secret SET sealed = $sealed", { sealed: Buffer.from(spoil(sealed)) });
	await expect(vault.get("a")).rejects.toMatchObject({ code: "vault-damaged" });
});

test.each([0o640, 0o604, 0o620, 0o644, 0o666])("a key with mode %o is refused", (mode) => {
	makeMasterKey(keyFile);
	chmodSync(keyFile, mode);
	expect(() => open()).toThrow(expect.objectContaining({ code: "vault-key-exposed" }));
});

test.each([
	["our own 0600", 1000, 1000, 0o100600, false],
	["our own 0400", 1000, 1000, 0o100400, false],
	["our own 0440", 1000, 1000, 0o100440, true],
	["root's 0440, as LoadCredential= shows it", 0, 1000, 0o100440, false],
	["root's 0640", 0, 1000, 0o100640, false],
	["root's 0660", 0, 1000, 0o100660, true],
	["root's 0644", 0, 1000, 0o100644, true],
	["root's 0440 when we are root", 0, 0, 0o100440, true],
	["another user's 0440", 1001, 1000, 0o100440, true],
])("%s", (_what, uid, we, mode, exposed) => {
	expect(isExposed({ uid, mode }, we)).toBe(exposed);
});

test("a read-only key handed over by systemd works", async () => {
	await sealOne();
	const credential = join(folder, "credential");
	writeFileSync(credential, readFileSync(keyFile), { mode: 0o400 });
	rmSync(keyFile);
	expect(await open(credential).vault.get("mail")).toBe("hunter2-hunter2");
});

test.each([
	["empty", ""],
	["too short", `${Buffer.alloc(31, 7).toString("base64")}\n`],
	["too long", `${Buffer.alloc(33, 7).toString("base64")}\n`],
	["raw bytes", "\0".repeat(32)],
	["two keys", `${Buffer.alloc(32, 7).toString("base64")}\n`.repeat(2)],
	["not quite base64", `${Buffer.alloc(32, 7).toString("base64").slice(0, -2)}!=`],
])("a key file that is %s is refused and left as it is", (_what, text) => {
	open().database.close();
	writeFileSync(keyFile, text);
	expect(() => open()).toThrow(expect.objectContaining({ code: "vault-key-unfit" }));
	expect(readFileSync(keyFile, "utf8")).toBe(text);
});

test("another node's key is refused at once", async () => {
	await sealOne();
	rmSync(keyFile);
	makeMasterKey(keyFile);
	expect(() => open()).toThrow(expect.objectContaining({ code: "vault-key-other" }));
});

test("a lost key is said to be lost, never replaced by a new one", async () => {
	await sealOne();
	rmSync(keyFile);
	expect(() => open()).toThrow(expect.objectContaining({ code: "vault-key-missing" }));
	expect(existsSync(keyFile)).toBe(false);
});

test("what goes wrong never names the key itself", async () => {
	const key = makeMasterKey(keyFile).toString("base64");
	chmodSync(keyFile, 0o644);
	const error = (() => {
		try {
			readMasterKey(keyFile);
		} catch (thrown) {
			return thrown;
		}
	})();
	expect(inspect(error)).toContain("chmod 600");
	expect(inspect(error)).not.toContain(key);
});

test("of several processes that start at once, all get one key and one secret", async () => {
	new Database(file).close();
	const program = `
		const { Database } = await import("${join(import.meta.dirname, "../store/database.ts")}");
		const { SealedVault } = await import("${join(import.meta.dirname, "sealed-vault.ts")}");
		const [, file, keyFile, mine] = process.argv;
		process.stdout.write(await new SealedVault(new Database(file), keyFile).obtain("shared", () => mine));`;
	const answers = await Promise.all(
		["a", "b", "c", "d"].map(async (mine) => {
			const child = spawn(process.execPath, ["--input-type=module", "--eval", program, file, keyFile, mine]);
			child.stderr.pipe(process.stderr);
			let said = "";
			child.stdout.on("data", (chunk) => {
				said += chunk;
			});
			await once(child, "close");
			return said;
		}),
	);
	expect(answers[0]).toMatch(/^[abcd]$/);
	expect(new Set(answers).size).toBe(1);
});
