import type { Talk } from "#protocol/migration/conversation.ts";
import type { Content, Side } from "#protocol/migration/messages.ts";
import type { Challenge } from "../certificates/certificate.ts";
import type { FailureView } from "../jobs/saga.ts";

/** One side of a deployment's move, as this node keeps it. Times in ms. */
export interface Session {
	/** Both nodes know the migration by it. */
	readonly id: string;
	readonly side: Side;
	readonly customer: string;
	readonly talk: Talk;
	readonly about: About;
	readonly domain: string | null;
	readonly deployment: string | null;
	readonly job: string | null;
	readonly expiresAt: number | null;
	readonly revokedAt: number | null;
	readonly createdAt: number;
	readonly frozenAt: number | null;
	readonly thawedAt: number | null;
	/** When the target said that it serves. */
	readonly handedAt: number | null;
	readonly endedAt: number | null;
	readonly erasedAt: number | null;
	readonly deferred: number;
	readonly forwarded: number;
}

/** What a side has found out and agreed to. Plain data, never a secret. */
export interface About {
	/** The other node: from the token at the source, from the first offer at the target. */
	readonly peer?: Peer;
	/** What the source offers, or was offered. */
	readonly offer?: Content<"offer">;
	readonly words?: readonly string[];
	/** At the target: what the token is good for. */
	readonly wish?: {
		readonly domain: string | null;
		readonly entitlement: string | null;
		readonly services: readonly string[];
		readonly diskMiB: number;
	};
	/** At the target: public half of the session's X25519 keys. */
	readonly sealTo?: string;
	/** At the target: the customer has agreed, by making the token for this domain or when asked. */
	readonly agreed?: boolean;
	/** At the target: staff has let it in, where staff decides on each. */
	readonly letIn?: boolean;
	/** At the target: the domain was made the customer's for this move. */
	readonly claimed?: boolean;
	/** At the target: why the offer cannot be taken. */
	readonly objection?: FailureView;
	/** The other node cannot be talked to in this session any more. */
	readonly problem?: FailureView;
	/** At the source: what may stand in its zone because the target orders a certificate. */
	readonly challenges?: readonly Challenge[];
	/** At the target: how long services rested, as the source has measured it. */
	readonly restedSeconds?: number;
	/** At the source: the times that services rested in vain, ms. */
	readonly rests?: readonly { readonly from: number; readonly to: number }[];
	/** At the source: a person wants services to serve now, and to be moved later. */
	readonly thawWanted?: boolean;
	/**
	 * This node was brought back from a backup and has said what it does not know. At the source: whether the domain's record
	 * names it in a new epoch again, without which nothing may serve.
	 */
	readonly past?: "lost" | "reclaimed";
	/** The customer knows that services rest because of that. */
	readonly restTold?: boolean;
	/** Days the source keeps its copy. */
	readonly keepDays?: number;
}

/** Another node, known by its key. */
export interface Peer {
	readonly origin: string;
	readonly actor: string;
	/** Of its Ed25519 key: its id, and the key as Multikey. */
	readonly keyId: string;
	readonly key: string;
	/** Where it takes this session's messages. */
	readonly door: string;
	readonly provider: string;
	readonly customer: string;
}

/** A message as it was said and signed. */
export interface Said {
	readonly side: Side;
	readonly seq: number;
	readonly kind: string;
	readonly digest: string;
	readonly document: object;
	readonly content: unknown;
	readonly at: number;
}

export const other = (side: Side): Side => (side === "source" ? "target" : "source");
