/**
 * One life of a node that only works on jobs: `life.ts <folder> <node> [entries] [moment]`.
 * It kills itself after so many entries of the journal, or in the middle of a step such as "do walls";
 * otherwise it ends when no job is left. What it builds are folders, so that it outlives the process.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Jobs } from "../../node/jobs/jobs.ts";
import type { Saga, Work } from "../../node/jobs/saga.ts";
import { Worker } from "../../node/jobs/worker.ts";
import { Database } from "../../node/store/database.ts";
import { parts } from "./building.ts";

interface Order {
	/** The folder of this house. */
	site: string;
	/** The part that cracks. */
	broken?: string;
	/** A file without which no part is begun. */
	gate?: string;
}

/** Builds a house of folders, each in the one before. */
export function raising(moment?: string): Saga<Order, object> {
	const path = (site: string, n: number) => join(site, ...parts.slice(0, n + 1));
	const step = (part: string, n: number) => ({
		verb: "raise",
		title: part,
		seconds: 1,
		attempts: 1,
		do: ({ site, broken, gate }: Order, _tools: object, { job }: Work) =>
			alone(site, job, async () => {
				mkdirSync(path(site, n), { recursive: true });
				while (gate && !existsSync(gate)) await sleep(5);
				if (moment === `do ${part}`) die();
				if (broken === part) throw new Error("cracked");
			}),
		undo: ({ site }: Order, _tools: object, { job }: Work) =>
			alone(site, job, async () => {
				if (n + 1 < parts.length && existsSync(path(site, n + 1)))
					writeFileSync(join(site, "..", `carries-${job}`), part);
				if (moment === `undo ${part}`) die();
				rmSync(path(site, n), { recursive: true, force: true });
			}),
	});
	return { name: "raise", steps: () => Object.fromEntries(parts.map((part, n) => [part, step(part, n)])) };
}

/** Leaves a note if somebody who is alive is at work on the same house. */
async function alone(site: string, job: string, work: () => Promise<void>) {
	const lock = join(site, "..", `lock-${job}`);
	if (existsSync(lock) && isAlive(Number(readFileSync(lock, "utf8")))) {
		writeFileSync(join(site, "..", `twice-${job}`), `${process.pid} beside ${readFileSync(lock, "utf8")}`);
	}
	writeFileSync(lock, String(process.pid));
	try {
		await work();
	} finally {
		rmSync(lock, { force: true });
	}
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

function die() {
	process.kill(process.pid, "SIGKILL");
}

if (import.meta.main) {
	const [folder = "", node = "", entries, moment] = process.argv.slice(2);
	const db = new Database(join(folder, "node.db"));
	const jobs = new Jobs(db, { raise: { saga: raising(moment), tools: () => ({}) } });
	const worker = new Worker({ jobs, node, limit: 3, beat: 100, patience: 20 });
	let left = Number(entries) || Number.POSITIVE_INFINITY;
	const append = jobs.ledger.journal.append.bind(jobs.ledger.journal);
	jobs.ledger.journal.append = (...entry) => {
		// Once the transaction around the entry is over.
		if (--left === 0) queueMicrotask(die);
		return append(...entry);
	};
	worker.start();
	const isOpen = () => db.get("SELECT 1 FROM job WHERE state NOT IN ('done', 'undone')");
	while (isOpen()) await sleep(10);
	await worker.close();
	jobs.close();
	db.close();
}
