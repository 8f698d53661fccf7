import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { confine, userFor } from "./confine.ts";
import type { Powers } from "./powers.ts";

const all: Powers = { users: { first: 1000, last: 1999 }, mounts: "root", limits: { files: 20_000, data: Infinity } };
const wanted = { user: 1000, folders: [] as string[], memoryMiB: 512, ownSharedMemory: true, limits: {} };

describe("confining", () => {
	let root: string;
	beforeEach(() => {
		root = realpathSync(mkdtempSync(join(tmpdir(), "fediversity-confine-")));
		chmodSync(root, 0o755);
		mkdirSync(join(root, "closed/deep/state"), { recursive: true });
		mkdirSync(join(root, "open/state"), { recursive: true });
		chmodSync(join(root, "closed"), 0o700);
		chmodSync(join(root, "closed/deep"), 0o700);
	});
	afterEach(() => rmSync(root, { recursive: true }));

	test("uses all that the machine can", async () => {
		expect(await confine(all, { ...wanted, folders: [join(root, "open/state")] })).toEqual({
			user: 1000,
			mounts: "root",
			ownSharedMemory: true,
			behind: [],
			limits: { files: 4096, processes: 512, memoryMiB: 512 },
		});
	});

	test("finds the outermost folder that the user may not enter, once for all that lies behind it", async () => {
		const folders = ["closed/deep/state", "closed/deep", "open/state"].map((path) => join(root, path));
		const { behind, user } = await confine(all, { ...wanted, folders });
		expect(user).toBe(1000);
		expect(behind).toEqual([{ wall: join(root, "closed"), folders: folders.slice(0, 2) }]);
	});

	test("runs as the node's own user where a wall cannot be got round", async () => {
		const folders = [join(root, "closed/deep/state")];
		expect(await confine({ ...all, mounts: null }, { ...wanted, folders })).toMatchObject({ user: null, behind: [] });
	});

	test("does not mind walls for the node's own user", async () => {
		const folders = [join(root, "closed/deep/state")];
		const found = await confine({ ...all, users: null, mounts: "user" }, { ...wanted, user: null, folders });
		expect(found).toMatchObject({ user: null, mounts: "user", ownSharedMemory: true, behind: [] });
		expect(found.limits?.processes).toBeNull();
	});

	test("promises no /dev/shm where there are no mounts, and no more than the machine allows", async () => {
		const poor: Powers = { users: null, mounts: null, limits: { files: 256, data: 100 * 2 ** 20 } };
		expect(await confine(poor, { ...wanted, user: null })).toMatchObject({
			ownSharedMemory: false,
			limits: { files: 256, memoryMiB: 100 },
		});
		expect((await confine({ ...poor, limits: null }, wanted)).limits).toBeNull();
	});

	test("takes the recipe's own limits", async () => {
		const limits = { files: 64, processes: 8 };
		expect((await confine(all, { ...wanted, limits })).limits).toEqual({ ...limits, memoryMiB: 512 });
	});
});

describe("a user for a unit", () => {
	const range = { first: 1000, last: 1003 };

	test("is always the same one, within the range", () => {
		const user = userFor("north/dep/snac", range, new Set());
		expect(userFor("north/dep/snac", range, new Set())).toBe(user);
		expect(user).toBeGreaterThanOrEqual(1000);
		expect(user).toBeLessThanOrEqual(1003);
		expect(userFor("north/dep/snac", { first: 1_900_000_000, last: 2_099_999_999 }, new Set())).not.toBe(
			userFor("south/dep/snac", { first: 1_900_000_000, last: 2_099_999_999 }, new Set()),
		);
	});

	test("is nobody else's, until there is none", () => {
		const taken = new Set<number>();
		for (let n = 0; n < 4; n++) taken.add(userFor("north/dep/snac", range, taken));
		expect(taken).toEqual(new Set([1000, 1001, 1002, 1003]));
		expect(() => userFor("north/dep/snac", range, taken)).toThrow("are taken");
	});
});
