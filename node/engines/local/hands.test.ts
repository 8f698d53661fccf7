/** The hands work as the service's own user, so that a service gone bad cannot lead the node astray. */
import { chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listening, MemoryVault, scratch } from "../../../test/contracts/tiny/world.ts";
import { askAt } from "./ask.ts";
import { LocalHands } from "./hands.ts";
import { powersHere } from "./powers.ts";
import type { Home } from "./recipe.ts";

const powers = await powersHere({ PATH: process.env["PATH"] ?? "" });
const user = powers.users && powers.users.first + 7;

let at: ReturnType<typeof scratch>;
let hands: LocalHands;
let state: string;

beforeEach(() => {
	at = scratch();
	state = join(at.folder, "state");
	mkdirSync(state, { mode: 0o700 });
	if (user !== null) chownSync(state, user, user);
	const home = {
		state,
		origin: "http://x.localhost",
		port: () => 1,
		deployment: "dep",
		name: "tiny",
	} as unknown as Home;
	const behind = user === null ? [] : [{ wall: at.folder, folders: [state] }];
	const confinement = { user, mounts: powers.mounts, ownSharedMemory: false, behind, limits: null };
	hands = new LocalHands({
		home,
		report: listening(),
		confinement,
		vault: new MemoryVault(),
		ask: askAt(home.origin, home.port),
		env: { PATH: process.env["PATH"] ?? "" },
	});
});
afterEach(() => at.remove());

describe("writing", () => {
	test("makes a file whole, private and the service's own, with its folders", async () => {
		await hands.write("a/b/c.json", '{"x":1}\n');
		const seen = statSync(join(state, "a/b/c.json"));
		expect(readFileSync(join(state, "a/b/c.json"), "utf8")).toBe('{"x":1}\n');
		expect(seen.mode & 0o777).toBe(0o600);
		expect(seen.uid).toBe(user ?? process.getuid?.());
		expect(await hands.read("a/b/c.json")).toBe('{"x":1}\n');
		expect(await hands.read("a/b/none")).toBeUndefined();
	});

	test("the same text again leaves the file as it is; another text replaces it", async () => {
		await hands.write("file", "one");
		const { ino } = statSync(join(state, "file"));
		await hands.write("file", "one");
		expect(statSync(join(state, "file")).ino).toBe(ino);
		await hands.write("file", "two");
		expect(readFileSync(join(state, "file"), "utf8")).toBe("two");
	});

	test("names with spaces, quotes and a dash in front are only names", async () => {
		for (const name of ["-rf", "it's $(here)", "a b/c\nd"]) {
			await hands.write(name, name);
			expect(await hands.read(name)).toBe(name);
		}
	});

	test.each(["../outside", "/etc/passwd", "a/../../outside"])("%s is refused", async (path) => {
		await expect(hands.write(path, "")).rejects.toThrow("is not inside the home");
		await expect(hands.read(path)).rejects.toThrow("is not inside the home");
	});

	test.skipIf(user === null)(
		"as root: a link that the service laid is not followed to where it may not go",
		async () => {
			writeFileSync(join(at.folder, "vault.key"), "the node's own");
			symlinkSync(join(at.folder, "vault.key"), join(state, "file"));
			symlinkSync(at.folder, join(state, "folder"));
			symlinkSync("/etc", join(state, "etc"));
			await hands.write("file", "replaced");
			await expect(hands.write("folder/vault.key", "overwritten")).rejects.toThrow();
			await expect(hands.write("etc/fediversity-was-here", "overwritten")).rejects.toThrow();
			expect(await hands.read("folder/vault.key").catch(() => "refused")).not.toBe("the node's own");
			expect(readFileSync(join(at.folder, "vault.key"), "utf8")).toBe("the node's own");
		},
	);
});

describe("what was written", () => {
	test("is told apart by names and contents, not by their order", async () => {
		const marks: string[] = [];
		for (const [one, two] of [
			["1", "2"],
			["2", "1"],
		] as const) {
			await hands.write("a", one);
			await hands.write("b", two);
			marks.push(hands.written());
		}
		await hands.write("a", "1");
		await hands.write("b", "2");
		expect(marks[0]).not.toBe(marks[1]);
		expect(hands.written()).toBe(marks[0]);
	});
});

test("a secret is made once, 64 hexadecimal digits", async () => {
	const secret = await hands.secret("key");
	expect(secret).toMatch(/^[0-9a-f]{64}$/);
	expect(await hands.secret("key")).toBe(secret);
	expect(await hands.secret("other")).not.toBe(secret);
});
