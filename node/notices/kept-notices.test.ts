import { beforeEach, expect, test } from "vitest";
import { Customers } from "../customers/customers.ts";
import { Database } from "../store/database.ts";
import { KeptNotices, type NoticeEvent } from "./kept-notices.ts";
import { Outbox } from "./outbox.ts";

let now: number;
let database: Database;
let kept: KeptNotices;
let outbox: Outbox;
let ada: string;
let bob: string;
beforeEach(() => {
	now = 1_790_000_000_000;
	database = new Database(":memory:");
	kept = new KeptNotices(database, () => now);
	outbox = new Outbox({
		database,
		settings: { of: () => ({ mail: true, browser: true, webhook: null, successes: true }) },
		sender: { has: () => true, wake: () => {} },
		told: (customer) => kept.ring(customer),
		now: () => now,
	});
	const customers = new Customers(database, () => now);
	const add = (name: string) => customers.add({ name, email: `${name}@a.example`, language: "en", password: "" }).id;
	[ada, bob] = [add("ada"), add("bob")];
});

const tell = (customer: string, domain: string) =>
	outbox.tell({ key: `${customer}${domain}`, customer, kind: "deploy-done", params: { domain }, link: `/d/${domain}` });
const all = { limit: 200 };
const domains = (customer: string, ask: { after?: string | undefined; limit: number } = all) =>
	kept.page(customer, ask).items.map(({ params }) => params["domain"]);
const ids = (customer: string) => kept.page(customer, all).items.map(({ id }) => id);

test("shows each customer their own, newest first, as sentences", () => {
	tell(ada, "a.example");
	tell(bob, "b.example");
	tell(ada, "c.example");
	expect(kept.page(ada, all)).toEqual({
		items: [
			expect.objectContaining({ text: "Your services under c.example are ready" }),
			{
				...{ id: expect.any(String), at: new Date(now).toISOString(), kind: "deploy-done", read: false },
				...{ text: "Your services under a.example are ready", params: { domain: "a.example" }, link: "/d/a.example" },
			},
		],
		next: null,
	});
	expect(domains(bob)).toEqual(["b.example"]);
});

test("comes in pages that hold while new ones arrive", () => {
	for (const name of ["1", "2", "3", "4"]) tell(ada, name);
	const first = kept.page(ada, { limit: 2 });
	tell(ada, "5");
	const second = kept.page(ada, { limit: 2, after: first.next ?? "" });
	expect(first.items.map(({ params }) => params["domain"])).toEqual(["4", "3"]);
	expect(second.items.map(({ params }) => params["domain"])).toEqual(["2", "1"]);
	expect(second.next).toBeNull();
});

test.each(["x", "-1", "1.5", "", "1e9"])("a cursor that we did not make is refused: %s", (after) => {
	expect(() => kept.page(ada, { after, limit: 1 })).toThrow(expect.objectContaining({ code: "not-valid" }));
});

test("marks as read up to one, and only one's own", () => {
	tell(bob, "0");
	for (const name of ["1", "2", "3"]) tell(ada, name);
	expect(kept.unread(ada)).toBe(3);
	kept.readUpTo(ada, ids(ada)[1] ?? "");
	expect(kept.page(ada, all).items.map(({ read }) => read)).toEqual([false, true, true]);
	expect([kept.unread(ada), kept.unread(bob)]).toEqual([1, 1]);
	expect(() => kept.readUpTo(ada, ids(bob)[0] ?? "")).toThrow(expect.objectContaining({ code: "not-found" }));
	expect(() => kept.readUpTo(ada, "none")).toThrow(expect.objectContaining({ code: "not-found" }));
	expect(kept.unread(bob)).toBe(1);
	now += 1000;
	kept.readUpTo(ada, ids(ada)[0] ?? "");
	expect(database.all("SELECT read_at FROM notice WHERE customer = $ada ORDER BY seq", { ada })).toEqual(
		[now - 1000, now - 1000, now].map((read_at) => ({ read_at })),
	);
});

test("says what became of mails and webhooks, to whom they belong", () => {
	tell(ada, "1");
	tell(bob, "2");
	tell(ada, "3");
	database.run("UPDATE delivery SET state = 'given-up', attempts = 2, last_error = 'No', next_at = NULL WHERE seq = 1");
	const channel = "mail";
	const [latest, earliest] = kept.page(ada, all).items;
	const one = { id: expect.any(String), notice: earliest, channel };
	expect(kept.deliveries(ada, all).items).toEqual([
		{
			...{ ...one, notice: latest, state: "waiting", attempts: 0, lastError: null },
			nextAttemptAt: new Date(now).toISOString(),
		},
		{ ...one, state: "given-up", attempts: 2, lastError: "No", nextAttemptAt: null },
	]);
	const first = kept.deliveries(ada, { limit: 1 });
	expect(kept.deliveries(ada, { limit: 1, after: first.next ?? "" }).items).toMatchObject([{ state: "given-up" }]);
});

/** Reads a stream in the background, as a browser's tab does. */
function listen(customer: string, after?: number) {
	const leaving = new AbortController();
	const got: NoticeEvent[] = [];
	let wanted = Promise.withResolvers<void>();
	const end = (async () => {
		for await (const event of kept.events(customer, after, leaving.signal)) {
			got.push(event);
			wanted.resolve();
		}
	})();
	return {
		got: () => got.map(({ data }) => data.params["domain"]),
		last: () => got.at(-1)?.seq,
		async until(count: number) {
			while (got.length < count) {
				wanted = Promise.withResolvers();
				await wanted.promise;
			}
		},
		leave() {
			leaving.abort();
			return end;
		},
	};
}

test("a stream gives what comes from now on, to every tab of this customer and no other", async () => {
	tell(ada, "before");
	const tabs = [listen(ada), listen(ada)];
	const other = listen(bob);
	await new Promise((resolve) => setImmediate(resolve));
	tell(ada, "1");
	tell(ada, "2");
	for (const tab of tabs) await tab.until(2);
	expect(tabs.map((tab) => tab.got())).toEqual([
		["1", "2"],
		["1", "2"],
	]);
	for (const tab of [...tabs, other]) await tab.leave();
	expect(other.got()).toEqual([]);
});

test("a stream that comes back gets what it missed, once", async () => {
	for (let n = 0; n < 250; n++) tell(ada, `${n}`);
	const first = listen(ada, 0);
	await first.until(250);
	await first.leave();
	tell(ada, "while away");
	tell(bob, "not hers");
	const again = listen(ada, first.last());
	await again.until(1);
	tell(ada, "after");
	await again.until(2);
	expect(again.got()).toEqual(["while away", "after"]);
	await again.leave();
});

test("a tab from an earlier life of this node hears what comes now", async () => {
	const tab = listen(ada, 9_000);
	await new Promise((resolve) => setImmediate(resolve));
	tell(ada, "1");
	await tab.until(1);
	await tab.leave();
	expect(tab.got()).toEqual(["1"]);
});

test("what comes while the reader is busy with the one before is not missed", async () => {
	const leaving = new AbortController();
	const events = kept.events(ada, 0, leaving.signal);
	tell(ada, "1");
	expect((await events.next()).value).toMatchObject({ data: { params: { domain: "1" } } });
	tell(ada, "2");
	await new Promise((resolve) => setImmediate(resolve));
	expect((await events.next()).value).toMatchObject({ data: { params: { domain: "2" } } });
	await events.return(undefined);
});

test("a stream that is over before it begins gives nothing", async () => {
	const events = kept.events(ada, 0, AbortSignal.abort());
	tell(ada, "1");
	expect(await events.next()).toEqual({ done: true, value: undefined });
});
