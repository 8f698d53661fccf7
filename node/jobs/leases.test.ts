import { beforeEach, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { Jobs } from "./jobs.ts";
import { LeaseLost, Leases } from "./leases.ts";
import { Pen } from "./pen.ts";

const patience = 3;
let db: Database;
let jobs: Jobs;
let north: Leases;
let south: Leases;
const saga = { name: "wait", steps: () => ({ wait: { verb: "wait", title: "Wait", seconds: 1, do: async () => {} } }) };

beforeEach(() => {
	db = new Database(":memory:");
	jobs = new Jobs(db, { wait: { saga, tools: () => ({}) } });
	north = new Leases(db, "north/1", patience);
	south = new Leases(db, "south/1", patience);
});

test("each job is claimed once, the oldest first", () => {
	const ids = [1, 2, 3].map(() => jobs.start("wait", {}));
	expect([north.claim(), south.claim(), north.claim(), south.claim()]).toEqual([...ids, undefined]);
	expect(north.holds(ids[0] ?? "")).toBe(true);
	expect(south.holds(ids[0] ?? "")).toBe(false);
});

test("what has ended, is stuck or is held is not claimed; what was released is", () => {
	const [done, undone, stuck, free] = ["done", "undone", "stuck", "cancelling"].map((state) => {
		const id = jobs.start("wait", {});
		db.run("UPDATE job SET state = :state WHERE id = :id", { id, state });
		return id;
	});
	expect([done, undone, stuck].length).toBe(3);
	expect(north.claim()).toBe(free);
	expect(south.claim()).toBeUndefined();
	south.release(free ?? "");
	expect(south.claim()).toBeUndefined();
	north.release(free ?? "");
	expect(south.claim()).toBe(free);
});

test("a holder that shows it is alive is never reaped", () => {
	const id = jobs.start("wait", {});
	north.claim();
	for (let look = 0; look < 20; look++) {
		if (look % patience === 0) north.beat();
		south.reap();
	}
	expect(north.holds(id)).toBe(true);
});

test("a holder that stands still is reaped after as many looks as patience, and not before", () => {
	const id = jobs.start("wait", {});
	north.claim();
	for (let look = 0; look < patience; look++) south.reap();
	expect(north.holds(id)).toBe(true);
	south.reap();
	expect(north.holds(id)).toBe(false);
	expect(south.claim()).toBe(id);
});

test("a holder that shows it is alive at the last moment keeps its job", () => {
	const id = jobs.start("wait", {});
	north.claim();
	for (let look = 0; look < patience; look++) south.reap();
	const all = db.all.bind(db);
	db.all = (...query) => {
		const rows = all(...query);
		north.beat();
		return rows as never[];
	};
	south.reap();
	expect(north.holds(id)).toBe(true);
});

test("a job that changes hands is looked at anew", () => {
	const id = jobs.start("wait", {});
	north.claim();
	for (let look = 0; look < patience; look++) south.reap();
	north.release(id);
	south.reap();
	north.claim();
	for (let look = 0; look < patience; look++) south.reap();
	expect(north.holds(id)).toBe(true);
});

test("earlier lives of the same node are taken over at once; others and the present life are not", () => {
	const [mine, theirs, earlier] = [1, 2, 3].map(() => jobs.start("wait", {}));
	new Leases(db, "north/0", patience).claim();
	south.claim();
	north.claim();
	const held = () =>
		db.all<{ id: string; lease_owner: string | null }>("SELECT id, lease_owner FROM job ORDER BY rowid");
	north.takeOver("north/");
	expect(held()).toEqual([
		{ id: mine, lease_owner: null },
		{ id: theirs, lease_owner: "south/1" },
		{ id: earlier, lease_owner: "north/1" },
	]);
});

test("whoever lost the lease writes nothing more", () => {
	const id = jobs.start("wait", {});
	north.claim();
	const [mine, theirs] = [new Pen(jobs.ledger, north, undefined), new Pen(jobs.ledger, south, undefined)];
	const started = { step: "wait", event: { type: "started" } } as const;
	const entry = mine.append(id, 0, started);
	expect(() => theirs.append(id, entry.seq, started)).toThrow(LeaseLost);
	for (let look = 0; look <= patience; look++) south.reap();
	expect(() => mine.append(id, entry.seq, started)).toThrow(LeaseLost);
	south.claim();
	expect(() => mine.append(id, entry.seq, started)).toThrow(LeaseLost);
	theirs.append(id, entry.seq, started);
	expect(jobs.ledger.journal.read(id).length).toBe(2);
});

test("an entry that was taken back is not remembered", () => {
	const id = jobs.start("wait", {});
	north.claim();
	const pen = new Pen(jobs.ledger, north, undefined);
	const started = pen.append(id, 0, { step: "wait", event: { type: "started" } });
	const progress = { step: "wait", event: { type: "progress", fraction: 0.5, note: null } } as const;
	const { transaction } = db;
	db.transaction = (work) => {
		db.transaction = transaction;
		return db.transaction(() => {
			work();
			throw new Error("the disk is full");
		});
	};
	expect(() => pen.append(id, started.seq, progress)).toThrow("full");
	expect(pen.append(id, started.seq, progress).seq).toBe(started.seq + 1);
});
