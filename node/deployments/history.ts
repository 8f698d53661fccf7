import type { Page } from "#protocol/api/page.ts";
import { fill } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";

/** What the customer can read of a deployment's life, each with its English sentence. */
export const historySentences = {
	"deploy-asked": "Deploying {services} was asked for",
	"deploy-done": "All services are ready",
	"deploy-undone": "Deploying did not work out and was undone: {reason}",
	"remove-asked": "Removing was asked for",
	"remove-done": "Removed; kept until {date}",
	"remove-undone": "Removing did not work out; everything serves as before: {reason}",
	"restore-asked": "Bringing it back was asked for",
	"restore-done": "It is back",
	"restore-undone": "Bringing it back did not work out: {reason}",
	"erase-asked": "Erasing was asked for",
	"erase-due": "The days of grace are over",
	"erase-done": "Erased; nothing of it is left here",
	"restart-asked": "Restarting {services} was asked for",
	"restart-done": "Restarted",
	"restart-undone": "Restarting did not work out: {reason}",
	"repair-asked": "Setting it up again was asked for",
	"repair-by-staff": "The provider began to set it up again",
	"repair-done": "It was set up again",
	"repair-undone": "Setting it up again did not work out: {reason}",
	"set-password-asked": "A new password for {service} was asked for",
	"set-password-done": "{service} has the new password",
	"set-password-undone": "{service} did not take the new password and keeps the old one: {reason}",
	"leave-asked": "Moving to {provider} was asked for",
	"leave-done": "Moved to {provider}; the copy here is kept until {date}",
	"leave-undone": "Moving to {provider} did not work out; everything serves as before: {reason}",
	"arrive-asked": "Moving here from {provider} began",
	"arrive-done": "Moved here from {provider}",
	"arrive-undone": "Moving here from {provider} did not work out: {reason}",
	"served-elsewhere": "{holder} serves the domain by now, as its DNS says; the services here rest",
	"job-stuck": "Work is stuck: {reason}",
	"password-shown": "The first password of {service} was shown",
	"service-unwell": "{service} stopped answering",
	"service-well": "{service} answers again",
} as const;

export type HistoryKind = keyof typeof historySentences;

export interface HistoryEntry {
	readonly seq: number;
	readonly at: string;
	readonly kind: HistoryKind;
	readonly text: string;
	params: Record<string, string>;
	readonly job: string | null;
}

/** The story of each deployment, only ever added to. */
export class History {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	add(deployment: string, kind: HistoryKind, params: Record<string, string> = {}, job: string | null = null): void {
		this.#db.run(
			"INSERT INTO history (deployment, at, kind, params, job) VALUES ($deployment, $at, $kind, $params, $job)",
			{ deployment, at: this.#now(), kind, params: JSON.stringify(params), job },
		);
	}

	/** Newest first. */
	page(deployment: string, ask: PageAsk): Page<HistoryEntry> {
		// The number as text of one length, so that it compares as numbers do.
		const sql = `SELECT * FROM (SELECT *, printf('%020d', seq) AS id, at AS created_at FROM history WHERE deployment = $deployment)
			WHERE (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, deployment }), entryOf);
	}
}

interface Row {
	id: string;
	seq: number;
	created_at: number;
	kind: HistoryKind;
	params: string;
	job: string | null;
}

function entryOf({ seq, created_at, kind, params: json, job }: Row): HistoryEntry {
	const params = JSON.parse(json) as Record<string, string>;
	return { seq, at: new Date(created_at).toISOString(), kind, text: fill(historySentences[kind], params), params, job };
}
