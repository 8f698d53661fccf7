import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { building } from "../../test/jobs/building.ts";
import { all, never, turn, Yard } from "../../test/jobs/yard.ts";
import { Database } from "../store/database.ts";
import { Jobs } from "./jobs.ts";

let yard: Yard;
beforeEach(() => {
	yard = new Yard();
});
afterEach(() => yard.close());

describe("events", () => {
	test("a reader who comes back at any point gets the rest, and ends where everybody ends", async () => {
		yard.site.broken = { part: "roof" };
		yard.work();
		const id = yard.build();
		const told = await all(yard.jobs.events(id, 0, never, null));
		expect(told.at(-1)).toMatchObject({ event: "job", data: { state: "undone" } });
		expect(told.length).toBeGreaterThan(15);
		for (const [n, { seq }] of told.entries()) {
			const rest = await all(yard.jobs.events(id, seq, never, null));
			// What shares an entry with something unsaid comes again; nothing is left out, nothing older comes.
			expect(rest.slice(-(told.length - n - 1) || told.length)).toEqual(told.slice(n + 1));
			expect(rest.length - (told.length - n - 1)).toBeLessThanOrEqual(1);
		}
	});

	test("the last of each step and of the job are what the view says, and its `seq` leads to the end", async () => {
		yard.work();
		const id = yard.build();
		const told = await all(yard.jobs.events(id, 0, never, null));
		const view = yard.jobs.view(id, null);
		const last = new Map(told.map((change) => [change.event === "step" ? change.data.step : "job", change.data]));
		for (const step of view.steps) expect(last.get(step.step)).toEqual(step);
		expect(last.get("job")).toEqual(yard.jobs.head(id, null));
		expect(await all(yard.jobs.events(id, view.seq, never, null))).toEqual([]);
	});

	test("a reader who joins in the middle of the work misses nothing", async () => {
		const readers: Promise<Awaited<ReturnType<typeof all>>>[] = [];
		yard.site.during = (_what, { progress }) => {
			readers.push(all(yard.jobs.events(id, 0, never, null)));
			progress(0.5, "half");
			readers.push(all(yard.jobs.events(id, 0, never, null)));
		};
		yard.work();
		const id = yard.build();
		await yard.ended(id);
		const [first, ...others] = await Promise.all(readers);
		expect(others.length).toBe(5);
		for (const told of others) expect(told).toEqual(first);
		expect(first?.filter(({ data }) => "note" in data && data.note === "half").length).toBeGreaterThan(2);
	});

	test("a slow reader gets everything too", async () => {
		yard.work();
		const id = yard.build();
		const slow: Awaited<ReturnType<typeof all>> = [];
		for await (const change of yard.jobs.events(id, 0, never, null)) {
			await new Promise((resolve) => setTimeout(resolve, 3));
			slow.push(change);
		}
		expect(slow).toEqual(await all(yard.jobs.events(id, 0, never, null)));
	});

	test("a number from another life of the node means everything", async () => {
		yard.work();
		const id = yard.build();
		await yard.ended(id);
		expect(await all(yard.jobs.events(id, 1_000_000, never, null))).toEqual(
			await all(yard.jobs.events(id, 0, never, null)),
		);
	});

	test("end when the reader goes, also before anything happened", async () => {
		const id = yard.build();
		const reading = new AbortController();
		const told = all(yard.jobs.events(id, 0, reading.signal, null));
		reading.abort();
		expect(await told).toEqual([]);
		expect(await all(yard.jobs.events(id, 0, reading.signal, null))).toEqual([]);
	});

	test("tell what another process wrote, too", async () => {
		const folder = mkdtempSync(join(tmpdir(), "events-"));
		const [here, there] = [new Database(join(folder, "node.db")), new Database(join(folder, "node.db"))];
		try {
			const [reader, other] = [here, there].map((db) => new Jobs(db, yard.jobs.ledger.kinds)) as [Jobs, Jobs];
			const id = reader.start("build", { built: 0 });
			const next = reader.events(id, 0, never, null)[Symbol.asyncIterator]().next();
			await turn();
			other.cancel(id, null);
			expect((await next).value).toMatchObject({ event: "job", data: { state: "cancelling" } });
			reader.close();
		} finally {
			for (const db of [here, there]) db.close();
			rmSync(folder, { recursive: true });
		}
	});

	test("end when the node closes", async () => {
		const id = yard.build();
		const told = all(yard.jobs.events(id, 0, never, null));
		yard.jobs.close();
		expect(await told).toEqual([]);
	});

	test("go on after stuck, for somebody may try again", async () => {
		yard.site.broken = { part: "walls", undo: "ground" };
		yard.work();
		const id = yard.build();
		const told = all(yard.jobs.events(id, 0, never, null));
		await yard.ended(id);
		yard.site.broken = {};
		yard.jobs.retry(id, null);
		const states = (await told).flatMap(({ event, data }) => (event === "job" ? [data.state] : []));
		expect(states.filter((state, n) => state !== states[n - 1])).toEqual(["running", "stuck", "running", "undone"]);
	});
});

describe("raw logs", () => {
	test("keep every line in order, with the step that said it", async () => {
		yard.site.during = (what, { log }) => log(`${what}: ${"x".repeat(5000)}`);
		yard.work();
		const id = yard.build();
		await yard.ended(id);
		const lines = yard.jobs.log(id, 0, null);
		expect(lines.map(({ step, line }) => [step, line.slice(0, 10), line.length])).toEqual([
			["ground", "do ground:", 2000],
			["walls", "do walls: ", 2000],
			["roof", "do roof: x", 2000],
		]);
		expect(yard.jobs.log(id, lines[1]?.seq ?? 0, null)).toEqual(lines.slice(2));
	});

	test("of a job that never stops talking keep the latest lines", () => {
		const id = yard.build();
		for (let n = 0; n < 25_000; n++) yard.jobs.logs.write(id, null, `${n}`);
		let after = 0;
		const kept: string[] = [];
		for (let lines = yard.jobs.log(id, after, null); lines.length > 0; lines = yard.jobs.log(id, after, null)) {
			kept.push(...lines.map(({ line }) => line));
			after = lines.at(-1)?.seq ?? 0;
		}
		expect(kept.at(-1)).toBe("24999");
		expect(kept.length).toBeLessThanOrEqual(20_000);
		expect(kept.length).toBeGreaterThanOrEqual(10_000);
	});
});

test("a job whose kind or steps the program no longer knows can still be read", async () => {
	yard.work();
	const id = yard.build();
	await yard.ended(id);
	const later = new Jobs(yard.db, { build: { saga: { ...building(), steps: () => ({}) }, tools: () => yard.site } });
	expect(later.view(id, null)).toMatchObject({ state: "done", steps: [], canCancel: false });
	const strange = new Jobs(yard.db, {});
	expect(strange.view(id, null)).toMatchObject({ state: "done", kind: "build", expectedSeconds: 0 });
	expect((await all(strange.events(id, 0, never, null))).at(-1)).toMatchObject({ event: "job" });
});
