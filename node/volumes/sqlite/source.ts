import {
	chmodSync,
	existsSync,
	linkSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { companions, copyDatabase } from "../../store/copy.ts";
import { unfit } from "../directory/name.ts";
import { stagedSignatureOf } from "../directory/records.ts";
import { Removal } from "../directory/removal.ts";
import { DirectorySource } from "../directory/source.ts";
import { isBefore, tick } from "../directory/tick.ts";
import type { Entry, Piece, PieceName, Source } from "../volume.ts";
import { database, removeCompanions } from "./database.ts";

/** A database of SQLite as the old provider gives it away: what moves is a copy as of one moment. */
export class SqliteSource implements Source {
	readonly #file: string;
	readonly #scratch: string;
	readonly #copies: DirectorySource;

	constructor(file: string, scratch: string) {
		this.#file = file;
		this.#scratch = scratch;
		this.#copies = new DirectorySource(this.#at("copy"), scratch, (raw) => raw === database);
	}

	async *list(options: { frozen: boolean; signal: AbortSignal; fixed?(): void }): AsyncGenerator<readonly Entry[]> {
		if (!existsSync(this.#file)) throw unfit(this.#file, "it is not there");
		mkdirSync(this.#at("copy"), { recursive: true, mode: 0o700 });
		await this.#renew(options);
		options.fixed?.();
		yield* this.#copies.list({ frozen: true, signal: options.signal });
	}

	read(wanted: readonly PieceName[], signal: AbortSignal): AsyncIterable<readonly Piece[]> {
		return this.#copies.read(wanted, signal);
	}

	close(): Promise<void> {
		return this.#copies.close();
	}

	async forget(): Promise<void> {
		await new Removal().remove(this.#scratch);
	}

	/** Makes the copy what the database is now, unless nobody has written since it was made. */
	async #renew({ frozen, signal }: { frozen: boolean; signal: AbortSignal }): Promise<void> {
		const now = tick(this.#at("tick"));
		const look = this.#look();
		const copy = join(this.#at("copy"), database);
		if (existsSync(copy) && existsSync(this.#at("copied")) && readFileSync(this.#at("copied"), "utf8") === look.text)
			return;
		rmSync(this.#at("copied"), { force: true });
		if (!(frozen && this.#link())) await this.#copy(signal);
		renameSync(this.#at("new"), copy);
		if (isBefore(look.changed, now)) writeFileSync(this.#at("copied"), look.text);
	}

	/** With nobody writing and nothing left beside it, the file itself is what a copy would be. */
	#link(): boolean {
		if (companions.some((suffix) => (statSync(this.#file + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0))
			return false;
		rmSync(this.#at("new"), { force: true });
		try {
			linkSync(this.#file, this.#at("new"));
			return true;
		} catch {
			return false;
		}
	}

	async #copy(signal: AbortSignal): Promise<void> {
		const copy = this.#at("new");
		rmSync(copy, { force: true });
		removeCompanions(copy);
		await copyDatabase(this.#file, copy, signal);
		removeCompanions(copy);
		chmodSync(copy, statSync(this.#file).mode & 0o777);
	}

	/** How the database and what is kept beside it look from outside, and when they changed last. */
	#look(): { readonly text: string; readonly changed: bigint } {
		const stats = ["", "-wal", "-journal"].map((suffix) =>
			statSync(this.#file + suffix, { bigint: true, throwIfNoEntry: false }),
		);
		// Whoever opens a log, we too, may change its owner and so its ctime; who writes changes its mtime.
		const changes = stats.map((one) => one?.mtimeNs ?? 0n);
		return {
			text: stats.map((one) => (one ? stagedSignatureOf(one) : "none")).join("\n"),
			changed: changes.reduce((latest, one) => (one > latest ? one : latest)),
		};
	}

	#at(name: string): string {
		return join(this.#scratch, name);
	}
}
