import { beforeEach, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { SqliteKvStore } from "./kv-store.ts";

let database: Database;
let now: number;
let store: SqliteKvStore;
beforeEach(() => {
	now = 1_790_000_000_000;
	database = new Database(":memory:");
	store = new SqliteKvStore(database, () => now);
});
const hour = { ttl: Temporal.Duration.from({ hours: 1 }) };
const listed = async (prefix?: Parameters<SqliteKvStore["list"]>[0]) => {
	const keys = [];
	for await (const { key, value } of store.list(prefix)) keys.push([key.join("/"), value]);
	return keys.toSorted();
};

test("gives back what was set, whatever JSON it is, and the latest of it", async () => {
	for (const value of [{ a: [1, null, "ü"] }, "", 0, false, null]) {
		await store.set(["_fedify", "x"], value);
		expect(await store.get(["_fedify", "x"])).toEqual(value);
	}
	expect(await store.get(["_fedify"])).toBeUndefined();
	expect(await store.get(["_fedify", "x", "y"])).toBeUndefined();
});

test("deletes, also by setting nothing", async () => {
	await store.set(["a"], 1);
	await store.delete(["a"]);
	await store.delete(["a"]);
	expect(await store.get(["a"])).toBeUndefined();
	await store.set(["a"], 1);
	await store.set(["a"], undefined);
	expect(await store.get(["a"])).toBeUndefined();
});

test("what has expired is not there, and its row goes at the next start", async () => {
	await store.set(["short"], 1, hour);
	await store.set(["long"], 2);
	now += 3_599_999;
	expect(await store.get(["short"])).toBe(1);
	now += 1;
	expect(await store.get(["short"])).toBeUndefined();
	expect(await listed()).toEqual([["long", 2]]);
	new SqliteKvStore(database, () => now);
	expect(database.all("SELECT key FROM federation_kv")).toEqual([{ key: '["long"]' }]);
});

test("setting it anew without a time makes it stay", async () => {
	await store.set(["a"], 1, hour);
	await store.set(["a"], 2);
	now += 7_200_000;
	expect(await store.get(["a"])).toBe(2);
});

test("swaps only what is as expected", async () => {
	expect(await store.cas(["a"], undefined, 1)).toBe(true);
	expect(await store.cas(["a"], undefined, 2)).toBe(false);
	expect(await store.cas(["a"], 0, 2)).toBe(false);
	expect(await store.cas(["a"], 1, { b: 1 })).toBe(true);
	expect(await store.cas(["a"], { b: 1 }, undefined)).toBe(true);
	expect(await store.get(["a"])).toBeUndefined();
});

test("lists what begins with whole parts of the key", async () => {
	for (const key of [["a"], ["a", "b"], ["a", "b", "c"], ["ab"], ["a", "bb"], ['a"', "b"]] as const)
		await store.set([...key] as [string, ...string[]], key.length);
	expect(await listed(["a"])).toEqual([
		["a", 1],
		["a/b", 2],
		["a/b/c", 3],
		["a/bb", 2],
	]);
	expect(await listed(["a", "b"])).toEqual([
		["a/b", 2],
		["a/b/c", 3],
	]);
	expect((await listed()).length).toBe(6);
});
