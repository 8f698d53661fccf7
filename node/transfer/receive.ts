import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { SealPair } from "#protocol/migration/seal.ts";
import { Problem } from "#protocol/problem.ts";
import type { PieceName, Target } from "../volumes/volume.ts";
import { changesSince } from "./changes.ts";
import { checkListing, checkManifest, type Limits } from "./checked.ts";
import { onDisk } from "./disk.ts";
import { fetchListing } from "./fetch.ts";
import { fileOf, keepOnly, type Manifest, type ManifestVolume } from "./inventory.ts";
import { type Changes, ListingFile } from "./lines.ts";
import { Meter, type MeterPart, type Progressed } from "./meter.ts";
import { Patience, realWait, type Wait } from "./patience.ts";
import { pull, type SealedStream } from "./pull.ts";
import { sideBySide } from "./side-by-side.ts";
import { Wanted } from "./wanted.ts";

/** How to ask the source. What comes in streams belongs to who asked. Every failure but a Problem of the 400s is taken for weather, and it is asked again. */
export interface Wire {
	/** A listing from one of its bytes on; with `base` it may come as the difference from that older listing. */
	listing(listing: string, from: number, base?: string): Promise<Readable>;
	/** The answer to a request for pieces. */
	pieces(request: Uint8Array): Promise<SealedStream>;
}

/** One end of a volume at the node that takes it. */
export interface Taker {
	readonly service: string;
	readonly name: string;
	readonly target: Target;
}

export interface ReceiveOptions {
	readonly manifest: Manifest;
	readonly wire: Wire;
	/** One for each volume of the manifest. */
	readonly targets: readonly Taker[];
	/** Where listings and what else must be remembered are kept; nothing else may lie there. */
	readonly folder: string;
	readonly limits: Limits;
	readonly sid: string;
	readonly keys: SealPair;
	readonly signal: AbortSignal;
	progress?(progressed: Progressed): void;
	/** For how long the source may say nothing before it is asked again, in milliseconds. Default: 30,000. */
	readonly silence?: number;
	/** Milliseconds, for rates and seconds. */
	readonly now?: () => number;
	readonly wait?: Wait;
}

export interface Received {
	/** What came over the wire in all, listings too. */
	readonly bytes: number;
	readonly pieces: number;
	/** In the manifest. */
	readonly entries: number;
	readonly seconds: number;
	/** Pieces that were found damaged or missing after all had been written, and were fetched again. */
	readonly damaged: number;
	/** Pieces that were no longer as listed; they are left to the next round. */
	readonly skipped: number;
}

/** How often what was damaged or missing at the end is fetched again. */
const attempts = 4;

/**
 * Brings what a manifest names to the targets, several volumes at once, and settles them. Cut off at any moment, also by `kill -9`, a second call
 * fetches only what is still lacking. While services run (not `final`), pieces that changed meanwhile are left out; in the
 * final round that is `copy-unfaithful`. Also throws `copy-too-large` and `copy-refused` for what no honest source would
 * send, `disk-full`, and what targets throw; while the source cannot be reached it waits, until the signal is aborted.
 */
export async function receive(options: ReceiveOptions): Promise<Received> {
	const { manifest, limits, folder } = options;
	checkManifest(manifest, limits);
	return onDisk(folder, async () => {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		return new Reception(options).run();
	});
}

interface Part {
	readonly volume: ManifestVolume;
	readonly target: Target;
	readonly listing: ListingFile;
	readonly meter: MeterPart;
	/** Pieces that S no longer has as listed; only so many are known by name. */
	readonly skipped: Set<string>;
}

const mostSkipped = 100_000;
/** So many paths are named in a failure. */
const mostNamed = 5;

function unfaithful(missing: readonly PieceName[]): Problem {
	const paths = [...new Set(missing.map(({ path }) => path.slice(0, 200)))];
	const named = paths.slice(0, mostNamed).join(", ") + (paths.length > mostNamed ? ", …" : "");
	return new Problem("copy-unfaithful", { count: missing.length, paths: named });
}

const keyOf = ({ path, index }: PieceName) => `${index}/${path}`;

class Reception {
	readonly #options: ReceiveOptions;
	readonly #meter: Meter;
	readonly #patience: Patience;
	readonly #wait: Wait;
	readonly #now: () => number;
	readonly #memory: Memory;
	#skipped = 0;
	#damaged = 0;

	constructor(options: ReceiveOptions) {
		this.#options = options;
		this.#now = options.now ?? Date.now;
		this.#wait = options.wait ?? realWait;
		this.#meter = new Meter(this.#now, (progressed) => options.progress?.(progressed));
		this.#patience = new Patience(options.signal, this.#wait);
		this.#memory = new Memory(options.folder);
	}

	async run(): Promise<Received> {
		const { manifest, folder } = this.#options;
		const start = this.#now();
		const parts: Part[] = [];
		for (const volume of manifest.volumes) parts.push(await this.#prepared(volume));
		keepOnly(folder, new Set(manifest.volumes.map(({ listing }) => listing)));

		const lacking = await sideBySide(parts, this.#options.signal, (part, signal) => this.#lacking(part, signal));
		for (const wanted of lacking) if (wanted) this.#meter.expect(wanted);
		await sideBySide([...parts.entries()], this.#options.signal, async ([at, part], signal) => {
			const wanted = lacking[at];
			if (wanted) await this.#pull(part, wanted, signal);
			await this.#settle(part, signal);
		});
		this.#meter.tell();
		return {
			bytes: this.#meter.wire,
			pieces: this.#meter.pieces,
			entries: manifest.volumes.reduce((sum, { entries }) => sum + entries, 0),
			seconds: (this.#now() - start) / 1000,
			damaged: this.#damaged,
			skipped: manifest.final ? 0 : this.#skipped,
		};
	}

	async #prepared(volume: ManifestVolume): Promise<Part> {
		const { targets, wire, folder, silence = 30_000 } = this.#options;
		const taker = targets.find(({ service, name }) => service === volume.service && name === volume.name);
		if (!taker) throw new Problem("copy-refused", { reason: `nobody takes ${volume.service}/${volume.name}` });
		if (!this.#memory.hasChecked(volume)) rmSync(fileOf(folder, volume.listing), { force: true });
		const base = this.#memory.before(volume)?.listing;
		const ask = (...args: Parameters<Wire["listing"]>) => wire.listing(...args);
		const shared = { folder, silence, patience: this.#patience, meter: this.#meter };
		let changes: Changes | undefined;
		const check = async (whole: string) => {
			changes = await this.#compared(volume, whole);
			if (!changes) await checkListing(whole, volume);
		};
		const file = await fetchListing(volume, { ...shared, ask, base, check });
		this.#memory.has(volume);
		const listing = new ListingFile(file, volume, changes);
		return { volume, target: taker.target, listing, meter: this.#meter.part(), skipped: new Set() };
	}

	/** What is otherwise than in the listing before, if that is here and tells enough. */
	async #compared(volume: ManifestVolume, file: string): Promise<Changes | undefined> {
		const before = this.#memory.before(volume);
		const older = before && fileOf(this.#options.folder, before.listing);
		if (!before || !older || before.kind !== volume.kind || !existsSync(older)) return undefined;
		const all = await changesSince({ file: older, volume: before }, { file, volume });
		return all && { since: before.listing, all };
	}

	/** Undefined: it has settled as it is listed. */
	async #lacking({ volume, target, listing }: Part, signal: AbortSignal): Promise<Wanted | undefined> {
		if (this.#memory.hasSettled(volume)) return undefined;
		const wanted = this.#wanted(listing);
		try {
			for await (const names of target.lacking(listing, signal)) wanted.add(names);
		} finally {
			wanted.end();
		}
		return wanted;
	}

	#wanted(listing: ListingFile): Wanted {
		return new Wanted(`${listing.file.slice(0, -".ndjson".length)}.wanted`, listing.file);
	}

	async #pull({ volume, target, listing, meter, skipped }: Part, wanted: Wanted, signal: AbortSignal): Promise<void> {
		const { wire, sid, keys, silence = 30_000 } = this.#options;
		await pull({ listing: volume.listing, file: listing.file, target }, wanted, {
			...{ sid, keys, silence, signal, patience: this.#patience, meter: this.#meter, part: meter },
			ask: (request) => wire.pieces(request),
			skipped: (name) => {
				this.#skipped++;
				if (skipped.size < mostSkipped) skipped.add(keyOf(name));
			},
		});
	}

	/**
	 * Until it holds, or, while services run, until only that is missing which changed at the source. What never comes as it
	 * is listed would be fetched for ever: while services run it is left to the next round, and in the end that is a failure.
	 */
	async #settle(part: Part, signal: AbortSignal): Promise<void> {
		const { volume, target, listing, skipped } = part;
		const { manifest } = this.#options;
		for (let attempt = 1; ; attempt++) {
			const missing = await target.settle(listing, signal, { isLive: !manifest.final });
			if (missing.length === 0) return this.#memory.settled(volume);
			const unexpected = missing.filter((name) => !skipped.has(keyOf(name)));
			this.#damaged += unexpected.length;
			if (!manifest.final && (unexpected.length === 0 || attempt === attempts)) return;
			if (attempt === attempts) throw unfaithful(missing);
			if (attempt > 1) await this.#wait(500 * 2 ** attempt, signal);
			const wanted = this.#wanted(listing);
			wanted.add(manifest.final ? missing : unexpected);
			wanted.end();
			this.#meter.expect(wanted);
			await this.#pull(part, wanted, signal);
		}
	}
}

interface Remembered {
	readonly volume: ManifestVolume;
	readonly hasSettled: boolean;
}

/** Which listing of each volume came last, and whether its target settled on it; in a file that outlives the process. */
class Memory {
	readonly #file: string;
	#volumes: readonly Remembered[];

	constructor(folder: string) {
		this.#file = join(folder, "rounds.json");
		this.#volumes = existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as Remembered[]) : [];
	}

	/** An older listing of the same volume. */
	before(volume: ManifestVolume): ManifestVolume | undefined {
		return this.#of(volume)?.volume;
	}

	hasChecked(volume: ManifestVolume): boolean {
		return JSON.stringify(this.#of(volume)?.volume) === JSON.stringify(volume);
	}

	hasSettled(volume: ManifestVolume): boolean {
		return this.hasChecked(volume) && this.#of(volume)?.hasSettled === true;
	}

	/** Its listing lies here now, checked. */
	has(volume: ManifestVolume): void {
		this.#replace({ volume, hasSettled: this.hasSettled(volume) });
	}

	settled(volume: ManifestVolume): void {
		this.#replace({ volume, hasSettled: true });
	}

	#of({ service, name }: ManifestVolume): Remembered | undefined {
		return this.#volumes.find(({ volume }) => volume.service === service && volume.name === name);
	}

	#replace(one: Remembered): void {
		const known = this.#of(one.volume);
		this.#volumes = [...this.#volumes.filter((other) => other !== known), one];
		writeFileSync(`${this.#file}.new`, JSON.stringify(this.#volumes), { mode: 0o600, flush: true });
		renameSync(`${this.#file}.new`, this.#file);
	}
}
