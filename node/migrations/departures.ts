import { join } from "node:path";
import type { Content } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import type { Work } from "../jobs/saga.ts";
import type { Giving } from "../transfer/inventory.ts";
import { type Elsewhere, kindOf } from "../volumes/volume.ts";
import type { Streamed } from "./door.ts";
import { Ends } from "./ends.ts";
import { folderOf, removeFolder } from "./scratch.ts";
import type { Sessions } from "./sessions.ts";

export interface DepartureParts {
	readonly engine: Engine;
	readonly sessions: Sessions;
	/** Where what a move needs is kept, a folder each. */
	readonly folder: string;
	/** How volumes on other machines are reached. */
	readonly elsewhere?: Elsewhere | undefined;
	/** What a deployment should be now. */
	planOf(deployment: string): Plan;
}

/** What leaves this node: the volumes of each migration, listed and handed out piece by piece. */
export class Departures {
	readonly #parts: DepartureParts;
	readonly #ends = new Ends<Giving>(({ source }) => source.close());

	constructor(parts: DepartureParts) {
		this.#parts = parts;
	}

	/** Lists what all volumes hold. A second call lists anew; what has not changed is not read again. */
	async inventory(
		migration: string,
		plan: Plan,
		how: { round: number; final: boolean },
		work: Work,
	): Promise<Content<"manifest">> {
		const { takeInventory } = await import("../transfer/inventory.ts");
		const sources = await this.#sources(migration, plan);
		return takeInventory({
			...{ sources, ...how, folder: this.#listings(migration), signal: work.signal },
			progress: (entries) => work.progress(null, `${entries} files looked at`),
		});
	}

	/** A listing, or the difference from another one that the asker has, from one of its bytes on. */
	async listing(migration: string, digest: string, query: URLSearchParams): Promise<Streamed> {
		const { readListing } = await import("../transfer/listings.ts");
		const from = Number(query.get("from") ?? 0);
		if (!Number.isSafeInteger(from) || from < 0) throw new Problem("not-valid");
		return {
			stream: await readListing(this.#listings(migration), digest, from, query.get("base") ?? undefined),
			says: "listing",
		};
	}

	/** The pieces that a request names, sealed to the session. */
	async pieces(migration: string, request: Uint8Array, signal: AbortSignal): Promise<Streamed> {
		const { sessions, planOf } = this.#parts;
		const manifest = sessions.last(migration, "source", "manifest");
		const accept = sessions.last(migration, "target", "accept");
		const { deployment } = sessions.known(migration);
		if (!manifest || !accept || !deployment) throw new Problem("not-found");
		const [{ ship }, { newStreamKey }] = await Promise.all([
			import("../transfer/ship.ts"),
			import("#protocol/migration/seal.ts"),
		]);
		const key = await newStreamKey(accept.sealTo);
		const sources = await this.#sources(migration, planOf(deployment));
		const folder = this.#listings(migration);
		return { stream: ship({ manifest, request, folder, sources, key, sid: migration, signal }), says: key.header };
	}

	/** Removes every trace that the move left here. Twice is fine. */
	async forget(migration: string, plan: Plan): Promise<void> {
		for (const { source } of await this.#sources(migration, plan)) await source.forget();
		await this.#ends.close(migration);
		await removeFolder(folderOf(this.#parts.folder, migration));
	}

	close(): Promise<void> {
		return this.#ends.closeAll();
	}

	#listings(migration: string): string {
		return join(folderOf(this.#parts.folder, migration), "listings");
	}

	#sources(migration: string, plan: Plan): Promise<readonly Giving[]> {
		return this.#ends.of(migration, () => this.#opened(migration, plan));
	}

	async #opened(migration: string, plan: Plan): Promise<readonly Giving[]> {
		const { openSource } = await import("../volumes/open.ts");
		const { elsewhere } = this.#parts;
		const placed = await this.#parts.engine.places(plan);
		return Promise.all(
			placed.map(async ({ service, name, place }) => {
				const scratch = join(folderOf(this.#parts.folder, migration), `${service}-${name}`);
				return { service, name, kind: kindOf(place), source: await openSource(place, { scratch, elsewhere }) };
			}),
		);
	}
}
