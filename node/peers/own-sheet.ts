import { statfs } from "node:fs/promises";
import type { Signer } from "#protocol/migration/multikey.ts";
import type { Sheet, SignedSheet } from "#protocol/migration/sheet.ts";
import type { Engine } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";

/** What a provider says of itself in its offer sheet; the rest is looked up. */
export type SaidByProvider = Omit<Sheet, "engine" | "services" | "freeBytes">;

export interface OwnSheetParts {
	/** This node's. */
	readonly actor: string;
	readonly said: SaidByProvider;
	readonly engine: Pick<Engine, "name" | "can">;
	readonly catalogue: readonly Service[];
	/** On the disk that services are on. */
	readonly folder: string;
	readonly signer: () => Promise<Signer>;
	readonly now: () => number;
}

/** How long a sheet is served before what can change is looked up again, ms. */
const freshFor = 10 * 60_000;
const GiB = 1024 ** 3;
/** Room is told in steps: nobody needs to see each customer's files come and go. */
const roomStep = 5 * GiB;

/** This node's offer sheet, signed anew when it is older than ten minutes. Many may ask at once. */
export function ownSheet(parts: OwnSheetParts): () => Promise<SignedSheet> {
	let made: { at: number; sheet: Promise<SignedSheet> } | undefined;
	return () => {
		const now = parts.now();
		if (made && now >= made.at && now - made.at < freshFor) return made.sheet;
		const sheet = signed(parts, now);
		const one = { at: now, sheet };
		made = one;
		sheet.catch(() => {
			if (made === one) made = undefined;
		});
		return sheet;
	};
}

async function signed({ actor, said, engine, catalogue, folder, signer }: OwnSheetParts, now: number) {
	const { signSheet } = await import("#protocol/migration/sheet.ts");
	const offered = await Promise.all(
		catalogue.map(async (service) => {
			const ability = await engine.can(service);
			return ability.can ? [{ name: service.name, title: service.title, version: ability.version ?? null }] : [];
		}),
	);
	const { bavail, bsize } = await statfs(folder);
	const freeBytes = Math.floor((bavail * bsize) / roomStep) * roomStep;
	const sheet: Sheet = { ...said, engine: engine.name, services: offered.flat(), freeBytes };
	return signSheet(actor, sheet, await signer(), now);
}
