import type { Patch } from "#protocol/nixops4/messages.ts";
import { emptyState, type NixopsState } from "#protocol/nixops4/state.ts";
import type { Database } from "../../store/database.ts";
import { patched } from "./patching.ts";

/** Something that happened to a deployment's state, newest last in a history. */
export interface StateEvent {
	readonly seq: number;
	readonly event: string;
	readonly patch: Patch;
	readonly at: number;
}

/** So many events that are in the document already are kept as history. */
const kept = 10_000;

interface Held {
	readonly document: NixopsState;
	seq: number;
	/** Length of the document when it was last written, and of the patches since. */
	written: number;
	since: number;
}

/**
 * What NixOps4 knows of each deployment. An event costs what its patch costs, however large the document: that is kept
 * as of one event, with all later ones beside it, and the whole of it in memory while somebody works with it.
 */
export class States {
	readonly #db: Database;
	readonly #now: () => number;
	readonly #held = new Map<string, Held>();

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** The document as it is now; `emptyState` at first. Not to be changed by the caller. */
	read(deployment: string): NixopsState {
		return this.#hold(deployment).document;
	}

	/** Adds what has happened: all of the patch, written for good, or nothing, and then it throws Unfit. */
	add(deployment: string, event: string, patch: Patch): void {
		const held = this.#hold(deployment);
		try {
			patched(held.document, patch);
			this.#write(deployment, held, event, JSON.stringify(patch));
		} catch (error) {
			this.forget(deployment);
			throw error;
		}
	}

	/** What has happened, oldest first. */
	history(deployment: string): StateEvent[] {
		return this.#events(deployment, 0);
	}

	/** The deployment is erased, with its history. Twice is fine. */
	remove(deployment: string): void {
		this.forget(deployment);
		this.#db.transaction(() => {
			this.#db.run("DELETE FROM nixops_event WHERE deployment = $deployment", { deployment });
			this.#db.run("DELETE FROM nixops_state WHERE deployment = $deployment", { deployment });
		});
	}

	/** Nobody works with it now: it need not be in memory. */
	forget(deployment: string): void {
		this.#held.delete(deployment);
	}

	#hold(deployment: string) {
		const known = this.#held.get(deployment);
		if (known) return known;
		const row = this.#db.get<{ seq: number; document: string }>(
			"SELECT seq, document FROM nixops_state WHERE deployment = $deployment",
			{ deployment },
		);
		const document = row ? (JSON.parse(row.document) as NixopsState) : structuredClone(emptyState);
		const later = this.#events(deployment, row?.seq ?? 0);
		for (const { patch } of later) patched(document, patch);
		const held = {
			document,
			seq: later.at(-1)?.seq ?? row?.seq ?? 0,
			written: row?.document.length ?? 0,
			since: JSON.stringify(later).length,
		};
		this.#held.set(deployment, held);
		return held;
	}

	#write(deployment: string, held: Held, event: string, patch: string): void {
		const seq = held.seq + 1;
		const isLong = held.since + patch.length > Math.max(held.written, 2 ** 20);
		const document = isLong ? JSON.stringify(held.document) : undefined;
		this.#db.transaction(() => {
			this.#db.run(
				"INSERT INTO nixops_event (deployment, seq, event, patch, at) VALUES ($deployment, $seq, $event, $patch, $at)",
				{ deployment, seq, event, patch, at: this.#now() },
			);
			if (document !== undefined) this.#compact(deployment, seq, document);
		});
		held.seq = seq;
		held.since = isLong ? 0 : held.since + patch.length;
		held.written = document?.length ?? held.written;
	}

	/** The document takes the place of the events before; the newest of them stay as history. */
	#compact(deployment: string, seq: number, document: string): void {
		this.#db.run("REPLACE INTO nixops_state (deployment, seq, document) VALUES ($deployment, $seq, $document)", {
			deployment,
			seq,
			document,
		});
		this.#db.run("DELETE FROM nixops_event WHERE deployment = $deployment AND seq <= $old", {
			deployment,
			old: seq - kept,
		});
	}

	#events(deployment: string, after: number): StateEvent[] {
		const rows = this.#db.all<{ seq: number; event: string; patch: string; at: number }>(
			"SELECT seq, event, patch, at FROM nixops_event WHERE deployment = $deployment AND seq > $after ORDER BY seq",
			{ deployment, after },
		);
		return rows.map((row) => ({ ...row, patch: JSON.parse(row.patch) as Patch }));
	}
}
