import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { scratch } from "../../../test/contracts/tiny/world.ts";
import { Homes } from "./homes.ts";

const ports = { first: 31_000, last: 31_900 };
const isRoot = process.getuid?.() === 0;
let at: ReturnType<typeof scratch>;
beforeEach(() => {
	at = scratch();
});
afterEach(() => at.remove());

function homes(users: { first: number; last: number } | null = null): Homes {
	return new Homes({ folder: join(at.folder, "services"), ports, users, seed: "north" });
}

describe("a home", () => {
	test("is remembered with its ports by the next life of the node", async () => {
		const record = await homes().open("dep/snac", ["http", "admin"]);
		expect(Object.keys(record.ports)).toEqual(["http", "admin"]);
		expect(new Set(Object.values(record.ports)).size).toBe(2);
		const next = homes();
		expect(next.get("dep/snac")).toEqual(record);
		expect(await next.open("dep/snac", ["http", "admin"])).toEqual(record);
	});

	test("keeps what is changed, and its record is nobody else's to read", async () => {
		const first = homes();
		const record = await first.open("dep/snac", ["http"]);
		await first.change(record, { account: true, settings: "x" });
		expect(homes().get("dep/snac")).toMatchObject({ account: true, settings: "x", ports: record.ports });
		expect(statSync(join(at.folder, "services/dep/snac/unit.json")).mode & 0o777).toBe(0o600);
		expect(statSync(first.state("dep/snac")).mode & 0o777).toBe(0o700);
	});

	test("is erased with all that is in it, and its neighbour stays", async () => {
		const all = homes();
		for (const id of ["dep/snac", "dep/wiki"]) await all.open(id, ["http"]);
		writeFileSync(join(all.state("dep/snac"), "post"), "");
		await all.erase("dep/snac");
		await all.erase("dep/snac");
		expect(all.get("dep/snac")).toBeUndefined();
		expect(existsSync(join(at.folder, "services/dep/snac"))).toBe(false);
		expect(existsSync(all.state("dep/wiki"))).toBe(true);
		await all.erase("dep/wiki");
		expect(existsSync(join(at.folder, "services/dep"))).toBe(false);
	});

	test.each(["../dep/snac", "dep/..", "dep", "dep/snac/x", "dep/~passing", ""])("cannot be called %j", async (id) => {
		await expect(homes().open(id, ["http"])).rejects.toThrow("cannot be a unit's id");
		await expect(homes().erase(id)).rejects.toThrow("cannot be a unit's id");
	});

	test("opened many at a time, none share a port", async () => {
		const all = homes();
		const records = await Promise.all(Array.from({ length: 20 }, (_, n) => all.open(`dep${n}/snac`, ["http"])));
		expect(new Set(records.flatMap((record) => Object.values(record.ports))).size).toBe(20);
	});
});

describe.skipIf(!isRoot)("as root", () => {
	const users = { first: 1_900_000_000, last: 1_900_000_001 };

	test("a home belongs to a user of its own, two never to one", async () => {
		const all = homes(users);
		const [one, two] = [await all.open("dep/snac", ["http"]), await all.open("dep/wiki", ["http"])];
		expect(new Set([one.user, two.user])).toEqual(new Set([users.first, users.last]));
		expect(statSync(all.state("dep/snac"))).toMatchObject({ uid: one.user, mode: 0o40700 });
		expect(homes(users).get("dep/snac")?.user).toBe(one.user);
	});

	test("one that was the node's own is handed over with all in it, but not what its links lead to", async () => {
		const before = homes();
		await before.open("dep/snac", ["http"]);
		const state = before.state("dep/snac");
		mkdirSync(join(state, "deep"));
		writeFileSync(join(state, "deep/post"), "");
		writeFileSync(join(at.folder, "vault.key"), "");
		symlinkSync(join(at.folder, "vault.key"), join(state, "link"));
		const { user } = await homes(users).open("dep/snac", ["http"]);
		for (const path of [".", "deep", "deep/post", "link"]) expect(lstatSync(join(state, path)).uid).toBe(user);
		expect(statSync(join(at.folder, "vault.key")).uid).toBe(0);
		expect(JSON.parse(readFileSync(join(at.folder, "services/dep/snac/unit.json"), "utf8")).user).toBe(user);
	});
});
