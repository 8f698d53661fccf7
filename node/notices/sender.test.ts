import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Customers } from "../customers/customers.ts";
import { Database } from "../store/database.ts";
import { type Channel, type ChannelName, type Letter, NotDelivered } from "./channel.ts";
import { Outbox } from "./outbox.ts";
import { Sender } from "./sender.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** A channel that keeps what it is given and answers as the test says. */
class Wire implements Channel {
	readonly name: ChannelName = "mail";
	readonly got: Letter[] = [];
	/** Letters that arrived and have no answer yet. */
	readonly open: { letter: Letter; accept(): void; refuse(error: Error): void }[] = [];
	answer: ((letter: Letter) => Promise<void> | void) | undefined;

	async send(letter: Letter, signal: AbortSignal) {
		this.got.push(letter);
		if (this.answer) return this.answer(letter);
		await new Promise<void>((accept, refuse) => {
			this.open.push({ letter, accept, refuse });
			signal.addEventListener("abort", () => refuse(signal.reason));
		});
	}
}

let database: Database;
let now: number;
let wire: Wire;
let sender: Sender;
let outbox: Outbox;
let keys = 0;

beforeEach(() => {
	now = 1_790_000_000_000;
	database = new Database(":memory:");
	wire = new Wire();
	open();
	sender.start();
});
afterEach(async () => {
	await sender.close();
	database.close();
});

function open() {
	sender = new Sender(database, [wire], () => now);
	const settings = { of: () => ({ mail: true, browser: true, webhook: null, successes: true }) };
	outbox = new Outbox({ database, settings, sender, now: () => now });
}

function customer(name: string, language: "en" | "de" = "en") {
	const wish = { name, email: `${name}@choir.example`, language, password: "" };
	return new Customers(database, () => now).add(wish).id;
}

const tell = (customer: string) =>
	outbox.tell({ key: `k${keys++}`, customer, kind: "deploy-done", params: { domain: "d.example" }, link: "/d" });

interface Delivery {
	id: string;
	state: string;
	attempts: number;
	last_error: string | null;
	next_at: number | null;
}
const deliveries = () =>
	database.all<Delivery>("SELECT id, state, attempts, last_error, next_at FROM delivery ORDER BY seq");
const only = () => {
	const [delivery] = deliveries();
	if (!delivery) throw new Error("There is no delivery");
	return delivery;
};
/** Until the sender has nothing at hand: every due letter was begun and every answer written down. */
const idle = async () => {
	for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("sends what was told, with everything a channel needs", async () => {
	tell(customer("ada", "de"));
	wire.answer = () => {};
	await vi.waitFor(() => expect(only().state).toBe("sent"));
	expect(only()).toMatchObject({ attempts: 1, last_error: null, next_at: null });
	expect(wire.got).toEqual([
		{
			...{ id: only().id, target: "ada@choir.example", customer: { id: expect.any(String), language: "de" } },
			...{ notice: expect.any(String), kind: "deploy-done", params: { domain: "d.example" }, link: "/d", at: now },
		},
	]);
});

test("tells nobody anything before it is started", async () => {
	await sender.close();
	open();
	tell(customer("ada"));
	await idle();
	expect(wire.got).toEqual([]);
	sender.start();
	await vi.waitFor(() => expect(wire.got.length).toBe(1));
});

test("tries again with longer and longer pauses, for two days, always with the same id, then gives up", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No answer"));
	const begin = now;
	tell(customer("ada"));
	const pauses: number[] = [];
	for (;;) {
		await idle();
		const { state, next_at } = only();
		if (state !== "waiting" || next_at === null) break;
		expect(only().last_error).toBe("No answer");
		pauses.push(next_at - now);
		now = next_at;
		sender.wake();
	}
	expect(only()).toMatchObject({ state: "given-up", attempts: 12, next_at: null, last_error: "No answer" });
	expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
	expect(pauses[0]).toBe(5000);
	expect((now - begin) / day).toBeCloseTo(2, 1);
	expect(new Set(wire.got.map(({ id }) => id)).size).toBe(1);
});

test("does not try before the time has come", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No answer"));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().last_error).not.toBeNull());
	now += 4999;
	sender.wake();
	await idle();
	expect(wire.got.length).toBe(1);
	now += 1;
	sender.wake();
	await vi.waitFor(() => expect(wire.got.length).toBe(2));
});

describe("by itself", () => {
	beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
	afterEach(() => void vi.useRealTimers());
	const pass = async (ms: number) => {
		now += ms;
		vi.advanceTimersByTime(ms);
		await idle();
	};

	test("it tries again when the time has come", async () => {
		wire.answer = () => Promise.reject(new NotDelivered("No answer"));
		tell(customer("ada"));
		await idle();
		await pass(4999);
		expect(wire.got.length).toBe(1);
		await pass(1);
		expect(wire.got.length).toBe(2);
	});

	test("it notices within a minute that the clock was set", async () => {
		wire.answer = () => Promise.reject(new NotDelivered("No answer"));
		tell(customer("ada"));
		await idle();
		await pass(5000);
		await pass(30_000); // The next pause is two minutes.
		expect(wire.got.length).toBe(3);
		now += day;
		vi.advanceTimersByTime(60_000);
		await idle();
		expect(wire.got.length).toBe(4);
	});

	test("it goes on after the store has failed", async () => {
		tell(customer("ada"));
		database.run("ALTER TABLE delivery RENAME TO away");
		await idle();
		database.run("ALTER TABLE away RENAME TO delivery");
		expect(wire.got.length).toBe(0);
		await pass(60_000);
		expect(wire.got.length).toBe(1);
	});
});

test("gives up at once when told that it is final", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No such user", { final: true }));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().state).toBe("given-up"));
	expect(only()).toMatchObject({ attempts: 1, next_at: null, last_error: "No such user" });
});

test("what nobody expected is tried again, and its words stay in the log", async () => {
	wire.answer = () => Promise.reject(new TypeError("password=hunter2"));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().last_error).toBe("Something went wrong on our side"));
	expect(only()).toMatchObject({ state: "waiting", next_at: now + 5000 });
});

test("an error is forgotten when the letter arrives after all", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No answer"));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().last_error).toBe("No answer"));
	wire.answer = () => {};
	now += 5000;
	sender.wake();
	await vi.waitFor(() => expect(only()).toMatchObject({ state: "sent", attempts: 2, last_error: null }));
});

test("to one address it is one after the other, in the order told", async () => {
	const ada = customer("ada");
	for (let n = 0; n < 3; n++) tell(ada);
	for (let n = 0; n < 3; n++) {
		await vi.waitFor(() => expect(wire.open.length).toBe(n + 1));
		await idle();
		expect(wire.open.length).toBe(n + 1);
		wire.open[n]?.accept();
	}
	await vi.waitFor(() => expect(deliveries().every(({ state }) => state === "sent")).toBe(true));
	expect(wire.got.map(({ id }) => id)).toEqual(deliveries().map(({ id }) => id));
});

test("one slow address does not keep others waiting, and no more than four are sent at once", async () => {
	const slow = customer("slow");
	for (let n = 0; n < 20; n++) tell(slow);
	for (const name of ["a", "b", "c", "d", "e"]) tell(customer(name));
	await vi.waitFor(() => expect(wire.open.length).toBe(4));
	await idle();
	expect(wire.open.map(({ letter }) => letter.target[0])).toEqual(["s", "a", "b", "c"]);
	wire.open[1]?.accept();
	await vi.waitFor(() => expect(wire.open.length).toBe(5));
	expect(wire.open[4]?.letter.target).toBe("d@choir.example");
});

test("after the clock was set back nothing waits longer than the longest pause", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No answer"));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().last_error).not.toBeNull());
	now -= 400 * day;
	sender.wake();
	await vi.waitFor(() => expect(wire.got.length).toBe(2));
	await idle();
	expect(only().next_at).toBe(now + 30_000);
});

test("a clock that leaps forward brings the next attempt, not the end", async () => {
	wire.answer = () => Promise.reject(new NotDelivered("No answer"));
	tell(customer("ada"));
	await vi.waitFor(() => expect(only().last_error).not.toBeNull());
	now += 400 * day;
	sender.wake();
	await vi.waitFor(() => expect(wire.got.length).toBe(2));
	await idle();
	expect(only()).toMatchObject({ state: "waiting", attempts: 2 });
});

test("ending breaks off what is under way; the next start sends it again", async () => {
	tell(customer("ada"));
	await vi.waitFor(() => expect(wire.open.length).toBe(1));
	await sender.close();
	expect(only()).toMatchObject({ state: "waiting", attempts: 1, last_error: null });
	tell(customer("bob"));
	await idle();
	expect(wire.got.length).toBe(1);
	now += 5000;
	open();
	sender.start();
	await vi.waitFor(() => expect(wire.open.length).toBe(3));
	expect(wire.got[1]?.id).toBe(wire.got[0]?.id);
});

test("what arrives while the node is ending is written down", async () => {
	tell(customer("ada"));
	await vi.waitFor(() => expect(wire.open.length).toBe(1));
	wire.open[0]?.accept();
	await sender.close();
	expect(only().state).toBe("sent");
});

test("an attempt is counted before it begins, so a letter that kills the node has to wait as well", async () => {
	tell(customer("ada"));
	await vi.waitFor(() => expect(wire.open.length).toBe(1));
	expect(only()).toMatchObject({ attempts: 1, next_at: now + 5000 });
});

test("a server that takes for ever is not waited for", async () => {
	const clock = new AbortController();
	const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValueOnce(clock.signal);
	tell(customer("ada"));
	await vi.waitFor(() => expect(wire.open.length).toBe(1));
	expect(timeout).toHaveBeenCalledExactlyOnceWith(60_000);
	clock.abort(new NotDelivered("Took too long"));
	await vi.waitFor(() => expect(only().last_error).toBe("Took too long"));
	timeout.mockRestore();
});

test("a letter for a channel that this node has no more stays, and others go", async () => {
	const ada = customer("ada");
	tell(ada);
	database.run("UPDATE delivery SET channel = 'webhook'");
	tell(customer("bob"));
	await vi.waitFor(() => expect(wire.open.length).toBe(1));
	wire.open[0]?.accept();
	await vi.waitFor(() => expect(deliveries().map(({ state }) => state)).toEqual(["waiting", "sent"]));
});

test("one channel that is busy does not hold up another", async () => {
	await sender.close();
	const hook = Object.assign(new Wire(), { name: "webhook" as const });
	sender = new Sender(database, [wire, hook], () => now);
	for (const name of ["a", "b", "c", "d", "e", "f"]) tell(customer(name));
	database.run("UPDATE delivery SET channel = 'webhook' WHERE seq < 6");
	sender.start();
	await vi.waitFor(() => expect([wire.open.length, hook.open.length]).toEqual([1, 5]));
});
