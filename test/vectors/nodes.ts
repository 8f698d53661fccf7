/** Two nodes with keys that are always the same, and what they say while a deployment moves. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { type Activity, type Head, signActivity } from "../../protocol/migration/activity.ts";
import { digest } from "../../protocol/migration/canonical.ts";
import type { Content, Message, Side } from "../../protocol/migration/messages.ts";
import { type Signer, toMultikey, type Verifier } from "../../protocol/migration/multikey.ts";
import { proofFor } from "../../protocol/migration/token.ts";

/** 32 bytes that everybody can make again: SHA-256 of a text. */
export const seed = (text: string) => createHash("sha256").update(text).digest();

const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

export function nodeAt(origin: string, secret: Buffer) {
	const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: "der", type: "pkcs8" });
	const publicKey = createPublicKey(privateKey);
	const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
	const actor = `${origin}/actor`;
	const keyid = `${actor}#multikey-2`;
	const signer: Signer = { keyid, sign: (bytes) => sign(null, bytes, privateKey) };
	const verifier: Verifier = { keyid, verify: (bytes, signature) => verify(null, bytes, publicKey, signature) };
	return { origin, actor, keyid, key: toMultikey(raw), secret: secret.toString("hex"), signer, verifier };
}

export const north = nodeAt("https://north.example", seed("north"));
export const south = nodeAt("https://south.example", seed("south"));
export const sid = seed("sid").subarray(0, 16).toString("base64url");
export const tokenSecret = seed("token").toString("base64url");
export const domain = "choir.example";
/** 2026-11-22T12:00:00Z. */
export const noon = Date.UTC(2026, 10, 22, 12);

export const offer: Content<"offer"> = {
	domain,
	services: [
		{
			name: "snac",
			version: "2.84",
			hosts: ["social.choir.example"],
			volumes: [{ name: "data", kind: "directory", bytes: 4096 }],
		},
	],
	owner: { username: "anna", email: "anna@choir.example" },
	epoch: 1,
	managesZone: false,
	keepDays: 30,
	customer: "Anna",
	provider: "North",
	proof: proofFor(tokenSecret, { sid, actor: north.actor, domain }),
};

export const accept: Content<"accept"> = {
	until: noon + 86_400_000,
	sealTo: seed("session").toString("base64url"),
	front: "https://south.example",
	records: [{ type: "CNAME", name: "social.choir.example", value: "south.example", ttl: 300 }],
	limits: { bytes: 1_000_000_000, entries: 100_000 },
	customer: "Anna at South",
	provider: "South",
};

export function manifest(round: number, final: boolean): Content<"manifest"> {
	const volume = { service: "snac", name: "data", kind: "directory", entries: 3, bytes: 4096 } as const;
	return { round, final, volumes: [{ ...volume, listing: digest(Buffer.from(`listing ${round}`)), length: 400 }] };
}

export const digestOf = (round: number, final: boolean) => digest(manifest(round, final));

const checks = [{ what: "snac answers", ok: true, detail: "200" }];
export const says = {
	offer: { kind: "offer", content: offer },
	accept: { kind: "accept", content: accept },
	round: (round: number): Message => ({ kind: "manifest", content: manifest(round, false) }),
	final: (round: number): Message => ({ kind: "manifest", content: manifest(round, true) }),
	announce: (round: number): Message => ({
		kind: "announce",
		content: {
			round,
			manifest: digestOf(round, false),
			bytes: 4096,
			seconds: 2,
			skipped: 0,
			rehearsal: null,
			freezeSeconds: 5,
		},
	}),
	vote: (round: number): Message => ({
		kind: "vote",
		content: { manifest: digestOf(round, true), entries: 3, bytes: 4096 },
	}),
	thaw: (round: number): Message => ({
		kind: "thaw",
		content: { manifest: digestOf(round, true), reason: "It took too long" },
	}),
	move: (round: number): Message => ({
		kind: "move",
		content: { manifest: digestOf(round, true), epoch: 2, secrets: "c2VjcmV0" },
	}),
	active: (round: number): Message => ({
		kind: "active",
		content: { manifest: digestOf(round, true), epoch: 2, at: noon + 90_000, checks },
	}),
	reject: { kind: "reject", content: { code: "full", params: {}, detail: "There is no room left" } },
	withdraw: { kind: "withdraw", content: { code: "cancelled", detail: "Cancelled" } },
	erased: { kind: "erased", content: { at: noon + 2_592_000_000, entries: 3, bytes: 4096 } },
} as const satisfies Record<string, Message | ((round: number) => Message)>;

export type Line = readonly [side: Side, message: Message, change?: Partial<Head>];

/** All of a move, from the offer until the old copy is erased. */
export const wholeMove: readonly Line[] = [
	["source", says.offer],
	["target", says.accept],
	["source", says.round(1)],
	["target", says.announce(1)],
	["source", says.final(2)],
	["target", says.vote(2)],
	["source", says.move(2)],
	["target", says.active(2)],
	["source", says.erased],
];

/** Both chains, if each side had heard everything before it spoke, ten seconds after the last word. `change` makes lies. */
export async function conversation(lines: readonly Line[]): Promise<Record<Side, Activity[]>> {
	const chains: Record<Side, Activity[]> = { source: [], target: [] };
	for (const [index, [side, message, change]] of lines.entries()) {
		const [me, you] = side === "source" ? [north, south] : [south, north];
		const [mine, theirs] = side === "source" ? [chains.source, chains.target] : [chains.target, chains.source];
		const head: Head = {
			...{ sid, seq: mine.length + 1, prev: mine.at(-1)?.digest ?? null, heard: theirs.at(-1)?.digest ?? null },
			...{ from: me.actor, to: you.actor, published: noon + index * 10_000 },
			...change,
		};
		mine.push(await signActivity(head, message, me.signer));
	}
	return chains;
}
