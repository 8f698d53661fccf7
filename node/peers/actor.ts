import { z } from "zod";
import { fromMultikey } from "#protocol/migration/multikey.ts";
import { Problem } from "#protocol/problem.ts";
import type { Outside } from "./outside.ts";

/** Another node, as its actor says. */
export interface Actor {
	readonly origin: string;
	readonly actor: string;
	/** The provider's name. */
	readonly name: string;
	readonly keyId: string;
	/** Its Ed25519 key as a multikey. */
	readonly key: string;
}

const Key = z.object({
	id: z.string(),
	type: z.literal("Multikey"),
	controller: z.string(),
	publicKeyMultibase: z.string(),
});
const Document = z.object({
	id: z.string(),
	type: z.literal("Application"),
	name: z.string().max(300),
	assertionMethod: z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]),
});

/** Looks a node's actor up at its origin. Throws `node-address`, `node-silent` and `node-unfit`. */
export async function lookUpActor(outside: Outside, origin: string): Promise<Actor> {
	const actor = `${origin}/actor`;
	const { data } = Document.safeParse(await outside.document(actor, { accept: "application/activity+json" }));
	if (!data || data.id !== actor) throw new Problem("node-unfit", { origin, reason: "its actor is not a node's" });
	const keys = data.assertionMethod.flatMap((one) => Key.safeParse(one).data ?? []);
	const key = keys.find((one) => one.controller === actor && one.id.startsWith(`${actor}#`) && isEd25519(one));
	if (!key) throw new Problem("node-unfit", { origin, reason: "its actor has no Ed25519 key" });
	return { origin, actor, name: data.name, keyId: key.id, key: key.publicKeyMultibase };
}

function isEd25519({ publicKeyMultibase }: z.infer<typeof Key>): boolean {
	try {
		return fromMultikey(publicKeyMultibase).length === 32;
	} catch {
		return false;
	}
}
