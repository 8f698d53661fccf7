import { beforeEach, expect, test, vi } from "vitest";
import { Customers } from "../customers/customers.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { Database } from "../store/database.ts";
import type { ChannelName } from "./channel.ts";
import type { Notice } from "./notice.ts";
import { Outbox } from "./outbox.ts";
import { NoticeSettings } from "./settings.ts";

let database: Database;
let settings: NoticeSettings;
let customer: string;
let has: Set<ChannelName>;
let now: number;
let told = vi.fn();
let wake = vi.fn();

beforeEach(() => {
	told = vi.fn();
	wake = vi.fn();
	now = 1_790_000_000_000;
	has = new Set(["mail", "webhook"]);
	database = new Database(":memory:");
	settings = new NoticeSettings(database, new MemoryVault());
	const wish = { name: "Ada", email: "ada@choir.example", language: "en", password: "" } as const;
	customer = new Customers(database, () => now).add(wish).id;
});

const outbox = () =>
	new Outbox({ database, settings, told, now: () => now, sender: { wake, has: (channel) => has.has(channel) } });
const ready = (key = "deploy-done:1"): Notice => ({
	key,
	customer,
	kind: "deploy-done",
	params: { domain: "choir.example" },
});
const stuck = (key = "job-stuck:1"): Notice => ({ ...ready(key), kind: "job-stuck" });
const count = (table: string) => database.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n;
const deliveries = () =>
	database.all("SELECT channel, target, state, attempts, next_at FROM delivery ORDER BY seq").map((row) => row);

test("a notice and what is to be sent of it are written together", async () => {
	await settings.change(customer, {
		mail: true,
		browser: true,
		webhook: "https://hooks.choir.example/x",
		successes: true,
	});
	outbox().tell({ ...ready(), link: "/d/choir.example" });
	expect(database.get("SELECT key, customer, kind, params, link, at, read_at FROM notice")).toEqual({
		...{ key: "deploy-done:1", customer, kind: "deploy-done", params: '{"domain":"choir.example"}' },
		...{ link: "/d/choir.example", at: now, read_at: null },
	});
	const waiting = { state: "waiting", attempts: 0, next_at: now };
	expect(deliveries()).toEqual([
		{ channel: "mail", target: "ada@choir.example", ...waiting },
		{ channel: "webhook", target: "https://hooks.choir.example/x", ...waiting },
	]);
});

test("the same key again is the same notice", () => {
	const box = outbox();
	box.tell(ready());
	box.tell({ ...ready(), params: { domain: "other.example" } });
	expect([count("notice"), count("delivery")]).toEqual([1, 1]);
	expect(wake).toHaveBeenCalledTimes(1);
});

test("what is rolled back was never told", () => {
	const box = outbox();
	const fail = () =>
		database.transaction(() => {
			box.tell(ready());
			throw new Error("power");
		});
	expect(fail).toThrow("power");
	expect([count("notice"), count("delivery")]).toEqual([0, 0]);
	box.tell(ready());
	expect(count("notice")).toBe(1);
});

test("a notice whose deliveries cannot be written is not written either", () => {
	database.run("ALTER TABLE delivery RENAME TO away");
	expect(() => outbox().tell(ready())).toThrow("delivery");
	expect(count("notice")).toBe(0);
	expect(wake).not.toHaveBeenCalled();
});

test("readers hear of it only after the transaction it is part of", async () => {
	database.transaction(() => {
		outbox().tell(ready());
		expect(told).not.toHaveBeenCalled();
	});
	expect(told).not.toHaveBeenCalled();
	await vi.waitFor(() => expect(told).toHaveBeenCalledExactlyOnceWith(customer));
});

test("a notice for nobody fails neither the caller nor the transaction", () => {
	database.transaction(() => {
		outbox().tell({ ...ready(), customer: "nobody" });
		outbox().tell(ready("other"));
	});
	expect(count("notice")).toBe(1);
});

test("whoever said nothing is told of successes and failures by mail", () => {
	outbox().tell(ready());
	outbox().tell(stuck());
	expect(deliveries().length).toBe(2);
});

test("successes stay in the panel when switched off; failures, recoveries and tests go out all the same", async () => {
	await settings.change(customer, { mail: true, browser: true, webhook: null, successes: false });
	const box = outbox();
	for (const kind of ["deploy-done", "remove-done", "restore-done", "erase-done"] as const)
		box.tell({ ...ready(kind), kind });
	expect([count("notice"), count("delivery")]).toEqual([4, 0]);
	const always = ["deploy-undone", "deploy-stuck", "job-stuck", "service-unwell", "service-well"] as const;
	for (const kind of always) box.tell({ ...ready(kind), kind });
	box.test(customer);
	expect(count("delivery")).toBe(6);
});

test("without mail nothing is sent by mail, and the panel has it", async () => {
	await settings.change(customer, { mail: false, browser: true, webhook: null, successes: true });
	outbox().tell(stuck());
	expect([count("notice"), count("delivery")]).toEqual([1, 0]);
});

test("a node that has no mail server writes no mails that would wait for ever", () => {
	has.delete("mail");
	outbox().tell(stuck());
	expect([count("notice"), count("delivery")]).toEqual([1, 0]);
});

test("a test notice asked for twice within ten seconds is one", () => {
	const box = outbox();
	box.test(customer);
	now += 1000;
	box.test(customer);
	expect(count("notice")).toBe(1);
	now += 10_000;
	box.test(customer);
	expect(count("notice")).toBe(2);
});
