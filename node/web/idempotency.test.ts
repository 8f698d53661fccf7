import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, openPanel, type Panel, signedUp } from "../../test/contracts/panel.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { Database } from "../store/database.ts";
import { Idempotency, type Remembered } from "./idempotency.ts";

const day = 86_400_000;
let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "idempotency-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const answer = (body: string): Remembered => ({ status: 201, location: null, body });

function opened(vault = new MemoryVault(), clock = { time: Date.UTC(2026, 10, 22) }) {
	const db = new Database(join(folder, "node.db"));
	return { db, clock, vault, idempotency: new Idempotency(db, vault, () => clock.time) };
}

test("the same key with the same request is carried out once", async () => {
	const { idempotency, db } = opened();
	let done = 0;
	const once = () => idempotency.once("anna", "k1", "POST /x {}", async () => answer(`${++done}`));
	expect([await once(), await once(), done]).toEqual([answer("1"), answer("1"), 1]);
	db.close();
});

test("another request with the key is refused, another customer's is not", async () => {
	const { idempotency, db } = opened();
	await idempotency.once("anna", "k1", "POST /x {}", async () => answer("a"));
	await expect(idempotency.once("anna", "k1", "POST /y {}", async () => answer("b"))).rejects.toMatchObject({
		code: "key-reused",
	});
	expect(await idempotency.once("ben", "k1", "POST /y {}", async () => answer("b"))).toEqual(answer("b"));
	db.close();
});

test("while the first is under way the second is told to wait", async () => {
	const { idempotency, db } = opened();
	const { promise, resolve } = Promise.withResolvers<Remembered>();
	const first = idempotency.once("anna", "k1", "POST /x {}", () => promise);
	await expect(idempotency.once("anna", "k1", "POST /x {}", () => promise)).rejects.toMatchObject({ code: "key-busy" });
	await expect(idempotency.once("anna", "k1", "POST /y {}", () => promise)).rejects.toMatchObject({
		code: "key-reused",
	});
	resolve(answer("a"));
	expect(await first).toEqual(answer("a"));
	db.close();
});

test("after a failure the key is free", async () => {
	const { idempotency, db } = opened();
	const failing = idempotency.once("anna", "k1", "POST /x {}", () => Promise.reject(new Error("no")));
	await expect(failing).rejects.toThrow("no");
	expect(await idempotency.once("anna", "k1", "POST /x {}", async () => answer("a"))).toEqual(answer("a"));
	db.close();
});

test("an answer survives a restart; what was under way when the node was killed can be asked again", async () => {
	const { idempotency, db, vault } = opened();
	await idempotency.once("anna", "k1", "POST /x {}", async () => answer("a"));
	void idempotency.once("anna", "k2", "POST /x {}", () => new Promise(() => {}));
	await new Promise((resolve) => setImmediate(resolve));
	expect(db.all("SELECT key FROM idempotency")).toHaveLength(2);
	db.close();

	const again = opened(vault);
	const asked = (key: string) => again.idempotency.once("anna", key, "POST /x {}", async () => answer("b"));
	expect([await asked("k1"), await asked("k2")]).toEqual([answer("a"), answer("b")]);
	again.db.close();
});

test("an answer is kept for a day, and no longer when the clock is set back", async () => {
	for (const jump of [day + 1, -day - 1]) {
		const { idempotency, db, clock } = opened();
		const asked = (text: string) => idempotency.once("anna", `k${jump}`, "POST /x {}", async () => answer(text));
		await asked("a");
		clock.time += jump - Math.sign(jump);
		expect(await asked("b")).toEqual(answer("a"));
		clock.time += Math.sign(jump);
		expect(await asked("c")).toEqual(answer("c"));
		db.close();
	}
});

test("answers are sealed, each to its place", async () => {
	const { idempotency, db } = opened();
	await idempotency.once("anna", "k1", "r", async () => answer("fdv_secret"));
	await idempotency.once("ben", "k1", "r", async () => answer("other"));
	const kept = db.all<{ sealed: Buffer }>("SELECT * FROM idempotency");
	expect(kept.map(({ sealed }) => sealed.toString("latin1")).join("")).not.toContain("secret");
	db.run(
		"UPDATE idempotency SET sealed = (SELECT sealed FROM idempotency WHERE customer = 'anna') WHERE customer = 'ben'",
	);
	await expect(idempotency.once("ben", "k1", "r", async () => answer("x"))).rejects.toThrow();
	db.close();
});

test("through the API: one token for two requests, another for another body, none for another customer's key", async () => {
	const panel: Panel = openPanel();
	const anna = await signedUp(panel, "anna@choir.example");
	const ben = await signedUp(panel, "ben@choir.example");
	const make = async (cookie: string, name: string, key = "8e03978e-40d5-43dd-bc93-6894a57f9324") => {
		const body = { name, scopes: ["read"] };
		const answered = await ask(panel.app, "POST /me/tokens", { cookie, body, headers: { "idempotency-key": key } });
		return { status: answered.status, ...(await answered.json()) };
	};
	const first = await make(anna.cookie, "x");
	expect(first.status).toBe(201);
	expect(await make(anna.cookie, "x")).toEqual(first);
	expect(await make(anna.cookie, "y")).toMatchObject({ status: 422, code: "key-reused" });
	expect((await make(ben.cookie, "x")).token).not.toBe(first.token);
	expect(await make(anna.cookie, "x", "not valid")).toMatchObject({ code: "not-valid" });
	expect(panel.tokens.page(anna.id, { limit: 9 }).items).toHaveLength(1);
	panel.close();
});
