import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Content } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Engine, PlacedVolume, Plan, Rehearsal } from "../engines/engine.ts";
import type { Work } from "../jobs/saga.ts";
import type { Calls } from "../peers/calls.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Progressed } from "../transfer/meter.ts";
import type { Taker } from "../transfer/receive.ts";
import { type Elsewhere, kindOf, type Place } from "../volumes/volume.ts";
import type { Haul } from "./arrive.ts";
import { Ends } from "./ends.ts";
import { sealName } from "./move-ins.ts";
import { roomIn } from "./room.ts";
import { folderOf, removeFolder } from "./scratch.ts";
import type { Sessions } from "./sessions.ts";

export interface ArrivalParts {
	readonly engine: Engine;
	readonly sessions: Sessions;
	readonly calls: Calls;
	readonly vault: Vault;
	readonly folder: string;
	/** How volumes on other machines are reached. */
	readonly elsewhere?: Elsewhere | undefined;
	/** The plan of what moved away from here under this domain, and whose copy is still kept. */
	formerPlan(domain: string): Plan | undefined;
	limits(migration: string): { bytes: number; entries: number };
}

/** What comes to this node: the volumes of each migration, fetched, checked and put beside what services may see. */
export class Arrivals {
	readonly #parts: ArrivalParts;
	readonly #ends = new Ends<Taker & PlacedVolume>(({ target }) => target.close());

	constructor(parts: ArrivalParts) {
		this.#parts = parts;
	}

	/** Fetches what a manifest names and is lacking here. Cut off, a second call goes on. */
	async receive(migration: string, plan: Plan, manifest: Content<"manifest">, work: Work): Promise<Haul> {
		const { sessions, limits } = this.#parts;
		const [{ receive }, { realWait }] = await Promise.all([
			import("../transfer/receive.ts"),
			import("../transfer/patience.ts"),
		]);
		const { about } = sessions.known(migration);
		const privateKey = (await this.#parts.vault.get(sealName(migration))) ?? "";
		const targets = await this.#targets(migration, plan);
		checkKinds(manifest, targets);
		const checkRoom = roomIn(dirname(this.#parts.folder));
		return receive({
			...{ manifest, targets, sid: migration, limits: limits(migration), signal: work.signal },
			wire: this.#wire(migration, work.signal),
			wait: (milliseconds, signal) => work.aside(() => realWait(milliseconds, signal)),
			keys: { publicKey: about.sealTo ?? "", privateKey },
			folder: join(folderOf(this.#parts.folder, migration), "listings"),
			progress: (progressed) => {
				checkRoom(progressed);
				work.progress(fractionOf(progressed), noteOf(progressed));
			},
		});
	}

	/** Lets services run from copies of what has been received. */
	async rehearse(migration: string, plan: Plan, work: Work): Promise<Rehearsal> {
		const targets = await this.#targets(migration, plan);
		const fill = async (volumes: readonly PlacedVolume[]) => {
			for (const { service, name, place } of volumes)
				await targets.find((one) => one.service === service && one.name === name)?.target.copyTo(place, work.signal);
		};
		return this.#parts.engine.rehearse({ ...plan, mode: "serving" }, fill, work);
	}

	/** What was received becomes the services' own, with the secrets that came for them. Again is fine. */
	async moveIn(migration: string, plan: Plan, sealed: string, signal: AbortSignal): Promise<void> {
		const { vault, sessions, engine } = this.#parts;
		const { openSecrets } = await import("#protocol/migration/seal.ts");
		const publicKey = sessions.known(migration).about.sealTo ?? "";
		const privateKey = (await vault.get(sealName(migration))) ?? "";
		const secrets = await openSecrets({ publicKey, privateKey }, sealed);
		const services = new Set(plan.services.map(({ name }) => name));
		for (const [name, value] of Object.entries(secrets)) {
			// Only what belongs to a service of this deployment, under a name like those that we give ourselves.
			if (!services.has(name.split("/")[0] ?? "") || !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(name)) continue;
			await vault.put(`${plan.deployment}/${name}`, value);
		}
		for (const { target } of await this.#targets(migration, plan)) await target.swap(signal);
		await engine.adopt(plan);
	}

	/** Removes what lies beside, and the session's key. Twice is fine. */
	async discard(migration: string, plan: Plan): Promise<void> {
		for (const { target } of await this.#targets(migration, plan)) await target.discard();
		await this.#ends.close(migration);
		await this.#parts.vault.remove(sealName(migration));
		await removeFolder(folderOf(this.#parts.folder, migration));
	}

	close(): Promise<void> {
		return this.#ends.closeAll();
	}

	#wire(migration: string, signal: AbortSignal) {
		const { calls, sessions } = this.#parts;
		const peer = sessions.known(migration).about.peer;
		if (!peer) throw new Problem("migration-over");
		const path = new URL(peer.door).pathname;
		return {
			listing: async (digest: string, from: number, base?: string): Promise<Readable> => {
				const query = `from=${from}${base === undefined ? "" : `&base=${base}`}`;
				const call = { method: "GET" as const, path: `${path}/listings/${digest}?${query}`, signal };
				return (await calls.stream(peer, { ...call, patience: 120_000 })).body;
			},
			pieces: async (request: Uint8Array) => {
				const call = { method: "POST" as const, path: `${path}/pieces`, body: request, signal, patience: 120_000 };
				const { body, says } = await calls.stream(peer, call);
				return { stream: body, header: says };
			},
		};
	}

	#targets(migration: string, plan: Plan): Promise<readonly (Taker & PlacedVolume)[]> {
		return this.#ends.of(migration, () => this.#opened(migration, plan));
	}

	async #opened(migration: string, plan: Plan): Promise<readonly (Taker & PlacedVolume)[]> {
		const { engine, formerPlan, folder, elsewhere } = this.#parts;
		const { openTarget } = await import("../volumes/open.ts");
		const former = formerPlan(plan.domain);
		const kept = former ? await engine.places(former) : [];
		return Promise.all(
			(await engine.places(plan)).map(async (placed) => {
				const { service, name, place } = placed;
				const scratch = join(folderOf(folder, migration), `${service}-${name}`);
				const seeds: Place[] = kept
					.filter((one) => one.service === service && one.name === name)
					.map((one) => one.place);
				return { ...placed, target: await openTarget(place, { scratch, seeds, elsewhere }) };
			}),
		);
	}
}

/** A listing is checked by the rules of its volume's kind: the source must not choose them. */
function checkKinds({ volumes }: Content<"manifest">, placed: readonly PlacedVolume[]): void {
	for (const { service, name, kind } of volumes) {
		const place = placed.find((one) => one.service === service && one.name === name)?.place;
		const here = place ? kindOf(place) : kind;
		if (here !== kind)
			throw new Problem("copy-refused", { reason: `${service}/${name} is a ${here} here, and no ${kind}` });
	}
}

function fractionOf({ bytes, bytesOf }: Progressed): number | null {
	return bytesOf > 0 ? Math.min(1, bytes / bytesOf) : null;
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** `84.2 MB`, three digits at most. */
function sized(bytes: number): string {
	const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
	return `${Number((bytes / 1000 ** step).toPrecision(3))} ${units[step]}`;
}

/** `12 MB of 84 MB, 340 of 1200 files, 5.1 MB a second`; the panel knows these words (ui/words/steps.ts). */
function noteOf({ bytes, bytesOf, items, itemsOf, rate }: Progressed): string {
	if (bytesOf === 0 && itemsOf === 0) return "nothing to copy";
	const speed = rate ? `, ${sized(rate)} a second` : "";
	return `${sized(bytes)} of ${sized(bytesOf)}, ${items} of ${itemsOf} files${speed}`;
}
