import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Arrival, StreamRefused, Torn } from "./arrival.ts";
import { isListing } from "./checked.ts";
import { applyDifference } from "./difference.ts";
import { fileOf, type ManifestVolume } from "./inventory.ts";
import type { Meter } from "./meter.ts";
import type { Patience } from "./patience.ts";

export interface FetchOptions {
	readonly folder: string;
	/** The source's answer from one of its bytes on; with `base` it may be the difference from that listing. */
	readonly ask: (listing: string, from: number, base?: string) => Promise<Readable>;
	/** An older listing of this volume that lies here. */
	readonly base: string | undefined;
	/** Throws what `checkListing` throws. */
	readonly check: (file: string) => Promise<void>;
	readonly silence: number;
	readonly patience: Patience;
	readonly meter: Meter;
}

/**
 * Sees to it that the volume's listing lies in the folder, true to its hash and valid; answers its file. What came before
 * a cut is kept, also through `kill -9`. Throws what `checkListing` throws.
 */
export async function fetchListing(volume: ManifestVolume, options: FetchOptions): Promise<string> {
	const file = fileOf(options.folder, volume.listing);
	let base = options.base === volume.listing ? undefined : options.base;
	while (!existsSync(file)) {
		const failure = await fetchOnce(volume, file, base, options).catch((error: unknown) => ({ error }));
		if (!failure) break;
		// What does not make sense as a difference can be told in full.
		if (failure.error instanceof StreamRefused) base = undefined;
		await options.patience.after(failure.error);
	}
	options.patience.restart();
	return file;
}

async function fetchOnce(volume: ManifestVolume, file: string, base: string | undefined, options: FetchOptions) {
	const part = join(options.folder, base ? `${volume.listing}.from.${base}.part` : `${volume.listing}.part`);
	await fetchRest(volume, part, base, options);
	try {
		const whole = base ? await joined(volume, part, base, options.folder) : part;
		if (!(await isListing(whole, volume))) throw new StreamRefused("A listing is not the one that was announced");
		await options.check(whole);
		renameSync(whole, file);
	} finally {
		rmSync(part, { force: true });
	}
}

/** Appends what is missing. */
async function fetchRest(volume: ManifestVolume, part: string, base: string | undefined, options: FetchOptions) {
	const fd = openSync(part, "a", 0o600);
	try {
		const from = statSync(part).size;
		if (!base && from === volume.length) return;
		const arrival = new Arrival(await options.ask(volume.listing, from, base), options.silence);
		try {
			for (let bytes = await arrival.some(); bytes; bytes = await arrival.some()) {
				options.meter.wire += bytes.length;
				if (from + arrival.bytes > volume.length) throw new StreamRefused("A listing is longer than announced");
				for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
			}
		} finally {
			arrival.close();
		}
		if (!base && from + arrival.bytes < volume.length) throw new Torn("A listing ended too early");
	} catch (error) {
		if (error instanceof StreamRefused) rmSync(part, { force: true });
		throw error;
	} finally {
		closeSync(fd);
	}
}

/** The whole listing in a file of its own, made of an older one and what differs. */
async function joined({ listing, length }: ManifestVolume, difference: string, base: string, folder: string) {
	const whole = join(folder, `${listing}.whole.part`);
	if (await applyDifference(fileOf(folder, base), difference, whole, length)) return whole;
	throw new StreamRefused("What differs from the listing before makes no sense");
}
