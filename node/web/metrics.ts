import type { Counter, Gauge, Registry } from "prom-client";
import type { Database } from "../store/database.ts";

interface Tally {
	answers: number;
	seconds: number;
}

/** What is counted by a query when somebody asks: name, meaning, label, SQL that gives `label` and `value`. */
const gauges = [
	[
		"deployments",
		"Deployments by state",
		"state",
		"SELECT state AS label, count(*) AS value FROM deployment GROUP BY state",
	],
	["jobs", "Jobs by state", "state", "SELECT state AS label, count(*) AS value FROM job GROUP BY state"],
	[
		"services",
		"Services by the health their last probe saw",
		"health",
		`SELECT health AS label, count(*) AS value FROM sighting JOIN deployment ON deployment.id = sighting.deployment
		 WHERE deployment.state <> 'gone' GROUP BY health`,
	],
	[
		"deliveries",
		"Mails and webhooks by state",
		"state",
		"SELECT state AS label, count(*) AS value FROM delivery GROUP BY state",
	],
	["customers", "Customers", null, "SELECT count(*) AS value FROM customer"],
	["sessions", "Sessions that are going on", null, "SELECT count(*) AS value FROM session WHERE expires_at > $now"],
	[
		"oldest_waiting_job_seconds",
		"How long the job has waited that nobody has begun for longest",
		null,
		"SELECT max(0, coalesce(max($now - created_at), 0)) / 1000.0 AS value FROM job WHERE state = 'waiting'",
	],
] as const;

/**
 * Numbers for Prometheus, named `fediversity_*`. Answers are tallied in plain objects while the node works;
 * prom-client is loaded, and the database asked, when somebody reads them.
 */
export class Metrics {
	readonly #db: Database;
	readonly #version: string;
	readonly #now: () => number;
	readonly #tallies = new Map<string, Tally>();
	#registry: Promise<Registry> | undefined;

	constructor(db: Database, version: string, now: () => number) {
		this.#db = db;
		this.#version = version;
		this.#now = now;
	}

	/** Counts one answer of the API. */
	count(operation: string, status: number, seconds: number): void {
		const key = `${status} ${operation}`;
		const tally = this.#tallies.get(key);
		if (tally) {
			tally.answers++;
			tally.seconds += seconds;
		} else this.#tallies.set(key, { answers: 1, seconds });
	}

	/** In Prometheus' text format, version 0.0.4. */
	async text(): Promise<string> {
		this.#registry ??= this.#open();
		return (await this.#registry).metrics();
	}

	async #open(): Promise<Registry> {
		const prom = (await import("prom-client")).default;
		const registry = new prom.Registry();
		const registers = [registry];
		prom.collectDefaultMetrics({ register: registry });
		new prom.Gauge({
			name: "fediversity_build_info",
			help: "The version at work",
			labelNames: ["version"],
			registers,
		}).set({ version: this.#version }, 1);
		for (const [name, help, part] of [
			["fediversity_http_requests_total", "Answers of the API", "answers"],
			["fediversity_http_request_seconds_total", "Time until the answers of the API", "seconds"],
		] as const) {
			const collect = () => this.#fill(counter, part);
			const labelNames = ["operation", "status"];
			const counter: Counter<string> = new prom.Counter<string>({ name, help, labelNames, registers, collect });
		}
		for (const [name, help, label, sql] of gauges) {
			const collect = () => {
				gauge.reset();
				const now = sql.includes("$now") ? { now: this.#now() } : {};
				for (const row of this.#db.all<{ label?: string; value: number }>(sql, now))
					gauge.set(label ? { [label]: row.label ?? "" } : {}, row.value);
			};
			const labelNames = label ? [label] : [];
			const gauge: Gauge<string> = new prom.Gauge<string>({
				name: `fediversity_${name}`,
				help,
				labelNames,
				registers,
				collect,
			});
		}
		return registry;
	}

	#fill(counter: { reset(): void; inc(labels: Record<string, string>, value: number): void }, part: keyof Tally) {
		counter.reset();
		for (const [key, tally] of this.#tallies) {
			const [status = "", ...operation] = key.split(" ");
			counter.inc({ operation: operation.join(" "), status }, tally[part]);
		}
	}
}
