/** Real processes, really killed: what the journal in SQLite is for. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parts } from "../../test/jobs/building.ts";
import { raising } from "../../test/jobs/life.ts";
import { Database } from "../store/database.ts";
import { Jobs } from "./jobs.ts";

// A life takes a quarter of a second, but on a busy machine ten times as long.
vi.setConfig({ testTimeout: 120_000 });

const script = join(import.meta.dirname, "../../test/jobs/life.ts");
let folder: string;
let jobs: Jobs;
let db: Database;
const alive = new Set<ReturnType<typeof spawn>>();

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "jobs-"));
	db = new Database(join(folder, "node.db"));
	jobs = new Jobs(db, { raise: { saga: raising(), tools: () => ({}) } });
});

afterEach(() => {
	for (const life of alive) life.kill("SIGKILL");
	db.close();
	rmSync(folder, { recursive: true });
});

function begin(node: string, ...more: string[]) {
	const process_ = spawn(process.execPath, [script, folder, node, ...more], { stdio: ["ignore", "ignore", "inherit"] });
	alive.add(process_);
	const over = new Promise<string>((resolve) => {
		process_.once("exit", (code, signal) => {
			alive.delete(process_);
			resolve(signal ?? String(code));
		});
	});
	return { kill: () => process_.kill("SIGKILL"), pid: process_.pid, over };
}

const start = (name: string, order: object = {}) => jobs.start("raise", { site: join(folder, name), ...order });
const standing = (name: string) => parts.filter((_, n) => existsSync(join(folder, name, ...parts.slice(0, n + 1))));
const notes = () => readdirSync(folder).filter((file) => /^(twice|carries)-/.test(file));
const types = (id: string) =>
	jobs.ledger.journal.read(id).map(({ step, event }) => `${event.type} ${step ?? ""}`.trim());

test.each([
	["done", {}, parts, 1],
	["undone", { broken: "roof" }, [], 1],
	["undone", { broken: "roof" }, [], 2],
])("killed after each entry of a job that is to be %s", async (outcome, order, stands, first) => {
	const id = start("house", order);
	const ends = [await begin("north", String(first)).over];
	// Two entries a life, for the first one writes again what the life before had begun.
	while (!["done", "undone"].includes(jobs.head(id, null).state)) ends.push(await begin("north", "2").over);
	expect(ends.filter((end) => end === "SIGKILL").length).toBeGreaterThan(2);
	expect(jobs.head(id, null).state).toBe(outcome);
	expect(standing("house")).toEqual(stands);
	expect(types(id).filter((type) => type === "ended").length).toBe(1);
	expect(notes()).toEqual([]);
});

test.each(["do walls", "undo walls"])("killed in the middle of %s", async (moment) => {
	const broken = moment.startsWith("undo") ? "roof" : undefined;
	const id = start("house", { broken });
	expect(await begin("north", "0", moment).over).toBe("SIGKILL");
	expect(jobs.head(id, null).state).toBe("running");
	expect(await begin("north").over).toBe("0");
	expect(jobs.head(id, null).state).toBe(broken ? "undone" : "done");
	expect(standing("house")).toEqual(broken ? [] : parts);
	expect(notes()).toEqual([]);
});

test("of two processes on one file each job has one; when one is killed, the other takes over", async () => {
	const names = ["a", "b", "c", "d", "e", "f"];
	const gate = join(folder, "gate");
	const ids = names.map((name, n) => start(name, { gate, ...(n % 2 && { broken: "walls" }) }));
	const [north, south] = [begin("north"), begin("south")];
	const atWork = () => readdirSync(folder).filter((file) => file.startsWith("lock-"));
	// Three at a time each: north has begun three of the six, and south the others.
	while (atWork().length < 6) await new Promise((resolve) => setTimeout(resolve, 5));
	const holders = () => new Set(atWork().map((file) => readFileSync(join(folder, file), "utf8")));
	while (holders().has("")) await new Promise((resolve) => setTimeout(resolve, 5));
	expect(holders()).toEqual(new Set([String(north.pid), String(south.pid)]));
	north.kill();
	expect(await north.over).toBe("SIGKILL");
	writeFileSync(gate, "");
	expect(await south.over).toBe("0");
	for (const [n, id] of ids.entries()) {
		expect(jobs.head(id, null).state).toBe(n % 2 ? "undone" : "done");
		expect(standing(names[n] ?? "")).toEqual(n % 2 ? [] : parts);
	}
	expect(notes()).toEqual([]);
	const begun = ids.map((id) => types(id).filter((type) => type === "started ground").length);
	expect(begun.sort()).toEqual([1, 1, 1, 2, 2, 2]);
});
