/** What every journal of jobs promises. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Behind, type Happening, type Journal, SqliteJournal } from "../../node/jobs/journal.ts";
import { MemoryJournal } from "../../node/jobs/memory-journal.ts";
import type { StepEvent } from "../../node/jobs/saga.ts";
import { Database } from "../../node/store/database.ts";

const clock = { now: 0 };
const open: (() => void)[] = [];
afterEach(() => {
	for (const close of open.splice(0)) close();
});

function sqlite(file = ":memory:") {
	const db = new Database(file);
	open.push(() => db.close());
	for (const id of ["one", "two"])
		db.run("INSERT OR IGNORE INTO job (id, kind, input, state, created_at) VALUES (:id, 'build', '{}', 'waiting', 0)", {
			id,
		});
	return new SqliteJournal(db, () => clock.now);
}

const journals: [name: string, make: () => Journal][] = [
	["SqliteJournal", () => sqlite()],
	["MemoryJournal", () => new MemoryJournal(() => clock.now)],
];

const started: Happening = { step: "ground", event: { type: "started" } };
const cancelled: Happening = { step: null, event: { type: "cancel-requested" } };

describe.each(journals)("%s", (_name, make) => {
	test("knows nothing of a job before the first entry", () => {
		expect(make().read("one")).toEqual([]);
	});

	test("gives back what was written, in order, with the time", () => {
		const journal = make();
		clock.now = 1000;
		const first = journal.append("one", 0, started);
		// A clock that was set back changes nothing about the order.
		clock.now = 10;
		const second = journal.append("one", first.seq, cancelled);
		expect(journal.read("one")).toEqual([first, second]);
		expect([first, second]).toMatchObject([
			{ at: 1000, ...started },
			{ at: 10, ...cancelled },
		]);
		expect(second.seq).toBeGreaterThan(first.seq);
	});

	test("gives only what comes after an entry", () => {
		const journal = make();
		const first = journal.append("one", 0, started);
		const second = journal.append("one", first.seq, cancelled);
		expect(journal.read("one", first.seq)).toEqual([second]);
		expect(journal.read("one", second.seq)).toEqual([]);
	});

	test("keeps jobs apart, and numbers the entries of all of them", () => {
		const journal = make();
		const one = journal.append("one", 0, started);
		const two = journal.append("two", 0, started);
		const again = journal.append("one", one.seq, cancelled);
		expect(journal.read("one")).toEqual([one, again]);
		expect(journal.read("two")).toEqual([two]);
		expect(new Set([one.seq, two.seq, again.seq]).size).toBe(3);
	});

	test("refuses whoever has not read it to the end, and whoever has read too much", () => {
		const journal = make();
		const first = journal.append("one", 0, started);
		journal.append("one", first.seq, cancelled);
		for (const seen of [0, first.seq, first.seq + 10])
			expect(() => journal.append("one", seen, started)).toThrow(Behind);
		expect(journal.read("one").length).toBe(2);
	});

	test("writes plain data only, and gives it back as a reader will find it", () => {
		const journal = make();
		const result = { when: new Date(0), nothing: undefined, list: [1, { deep: true }] };
		const entry = journal.append("one", 0, { step: "ground", event: { type: "done", result } });
		expect(entry.event).toEqual({
			type: "done",
			result: { when: "1970-01-01T00:00:00.000Z", list: [1, { deep: true }] },
		});
		expect(Object.keys((entry.event as StepEvent & { result: object }).result)).not.toContain("nothing");
		expect(journal.read("one")).toEqual([entry]);
	});

	test("is not changed by what becomes of the data outside", () => {
		const journal = make();
		const result = { port: 1 };
		const entry = journal.append("one", 0, { step: "ground", event: { type: "done", result } });
		result.port = 2;
		for (const copy of [entry, ...journal.read("one")]) (copy.event as { result: typeof result }).result.port = 3;
		expect(journal.read("one")).toMatchObject([{ event: { result: { port: 1 } } }]);
	});
});

describe("SqliteJournal on a disk", () => {
	test("another connection reads it, and the one that lags is refused", () => {
		const folder = mkdtempSync(join(tmpdir(), "journal-"));
		open.push(() => rmSync(folder, { recursive: true }));
		const [one, other] = [sqlite(join(folder, "node.db")), sqlite(join(folder, "node.db"))];
		const entry = one.append("one", 0, started);
		expect(other.read("one")).toEqual([entry]);
		other.append("one", entry.seq, cancelled);
		expect(() => one.append("one", entry.seq, started)).toThrow(Behind);
		expect(one.read("one")).toEqual(other.read("one"));
	});
});
