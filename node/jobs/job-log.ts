import { getLogger } from "@logtape/logtape";
import type { Database } from "../store/database.ts";

const longestLine = 2000;
const mostLines = 10_000;
const flushAfter = 200;

export interface LogLine {
	seq: number;
	at: string;
	step: string | null;
	line: string;
}

/**
 * The raw logs of jobs, for those who want to know. Lines are gathered and written a moment later,
 * and of a job that says very much only the latest are kept: the log is no second journal.
 */
export class JobLog {
	readonly #db: Database;
	readonly #now: () => number;
	#lines: { job: string; at: number; step: string | null; line: string }[] = [];
	#timer: NodeJS.Timeout | undefined;
	readonly #sinceTrim = new Map<string, number>();

	constructor(db: Database, now: () => number = Date.now) {
		this.#db = db;
		this.#now = now;
	}

	/** Never throws: a log that cannot be written fails no work. */
	write(job: string, step: string | null, line: string) {
		this.#lines.push({ job, at: this.#now(), step, line: line.slice(0, longestLine) });
		if (this.#lines.length >= 1000) this.flush();
		this.#timer ??= setTimeout(() => this.flush(), flushAfter);
	}

	read(job: string, after = 0, limit = 1000): LogLine[] {
		this.flush();
		return this.#db
			.all<Omit<LogLine, "at"> & { at: number }>(
				"SELECT seq, at, step, line FROM job_log WHERE job = :job AND seq > :after ORDER BY seq LIMIT :limit",
				{ job, after, limit },
			)
			.map((line) => ({ ...line, at: new Date(line.at).toISOString() }));
	}

	flush() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const lines = this.#lines.splice(0);
		if (lines.length === 0) return;
		try {
			this.#db.transaction(() => {
				for (const line of lines)
					this.#db.run("INSERT INTO job_log (job, at, step, line) VALUES (:job, :at, :step, :line)", line);
				for (const job of new Set(lines.map((line) => line.job))) this.#trim(job, lines.length);
			});
		} catch (error) {
			getLogger(["fediversity", "jobs"]).warn("{count} lines of job logs were lost: {error}", {
				count: lines.length,
				error,
			});
		}
	}

	#trim(job: string, added: number) {
		const since = (this.#sinceTrim.get(job) ?? 0) + added;
		this.#sinceTrim.set(job, since % mostLines);
		if (since < mostLines) return;
		this.#db.run(
			`DELETE FROM job_log WHERE job = :job AND seq <=
				(SELECT seq FROM job_log WHERE job = :job ORDER BY seq DESC LIMIT 1 OFFSET :mostLines)`,
			{ job, mostLines },
		);
	}
}
