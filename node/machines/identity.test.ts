import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseKey } from "../customers/ssh-key.ts";
import { Identity } from "./identity.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-identity-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a key is made when it is first asked for, for this user alone, and stays", async () => {
	const file = join(folder, "keys/machines.key");
	const identity = new Identity(file);
	expect(existsSync(file)).toBe(false);
	const [line] = await Promise.all([identity.publicKey(), identity.ready()]);
	expect(line).toBe(`${parseKey(line).key} fediversity`);
	expect(statSync(file).mode & 0o777).toBe(0o600);
	expect(await new Identity(file).publicKey()).toBe(line);
	expect(readFileSync(`${file}.pub`, "utf8").trim()).toBe(line);
});

test("one that is there is never replaced, also where it came alone", async () => {
	const file = join(folder, "machines.key");
	const line = await new Identity(file).publicKey();
	const before = readFileSync(file, "utf8");
	rmSync(`${file}.pub`);
	const identity = new Identity(file);
	await identity.ready();
	expect([await identity.publicKey(), readFileSync(file, "utf8"), readdirSync(folder)]).toEqual([
		...[line, before, ["machines.key"]],
	]);
	writeFileSync(file, "no key");
	await expect(identity.publicKey()).rejects.toThrow("ssh-keygen");
	expect(readFileSync(file, "utf8")).toBe("no key");
});

test("one whose making was cut off is made anew", async () => {
	const file = join(folder, "machines.key");
	for (const one of [`${file}.new`, `${file}.new.pub`, `${file}.pub`]) writeFileSync(one, "half", { mode: 0o600 });
	const line = await new Identity(file).publicKey();
	expect(readFileSync(`${file}.pub`, "utf8").trim()).toBe(line);
});
