import type { Sheet } from "#protocol/migration/sheet.ts";

/** What staff has decided on a node: it counts beside what the configuration says of all of them. */
export type Standing = "usual" | "allowed" | "blocked";

/** Another node that this one knows of. Times in ms. */
export interface Peer {
	readonly id: string;
	readonly origin: string;
	/** `config`, `staff`, `customer`, or the origin of the peer that named it. */
	readonly toldBy: string;
	readonly standing: Standing;
	/** Not named to other nodes. */
	readonly hidden: boolean;
	/** Moves from there at a time, and bytes from there in a day; null: as the configuration says for all. */
	readonly mostMoves: number | null;
	readonly mostBytes: number | null;
	/** The key it is known by: the first one seen, or the one that staff has confirmed since. */
	readonly key: PeerKey | null;
	/** Another key that it shows now; not used before staff confirms it. */
	readonly newKey: PeerKey | null;
	readonly sheet: Sheet | null;
	/** When the sheet was signed, and until when it is good. */
	readonly publishedAt: number | null;
	readonly expiresAt: number | null;
	/** Whether it names this node to others. */
	readonly knowsUs: boolean;
	readonly addedAt: number;
	/** When it last answered as it must; null: never. */
	readonly seenAt: number | null;
	/** Why it could not be asked the last time. */
	readonly problem: string | null;
}

/** An Ed25519 key as a node's actor publishes it. */
export interface PeerKey {
	readonly id: string;
	readonly key: string;
}

const GiB = 1024 ** 3;

/** Bytes as people read them. */
export function sizeText(bytes: number): string {
	const [number, unit] = bytes >= GiB ? [bytes / GiB, "GiB"] : [bytes / 1024 ** 2, "MiB"];
	return `${number.toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`;
}

/** A node asked every six hours that has not answered for so long is not well, ms. */
const staleAfter = 24 * 60 * 60_000;

/** Whether what is known of a node is old: it was never seen, not for a day, or its sheet is over. */
export function isStale({ seenAt, expiresAt }: Peer, now: number): boolean {
	return seenAt === null || seenAt < now - staleAfter || expiresAt === null || expiresAt <= now;
}

/** Whether a node's sheet may be shown: it has one that is good, and nothing speaks against the node. */
export function isShown(peer: Peer, now: number): peer is Peer & { sheet: Sheet; seenAt: number } {
	const { sheet, seenAt, expiresAt, standing } = peer;
	return sheet !== null && seenAt !== null && expiresAt !== null && expiresAt > now && standing !== "blocked";
}
