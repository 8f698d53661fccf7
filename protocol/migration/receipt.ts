/**
 * The receipt of a migration: everything that both nodes said, as they signed it. Whoever has it can check without any
 * network that nothing was changed, left out in between, or said out of turn. It proves what was said with the two keys
 * in it; that these are the providers' keys, people know from the six words and from the providers' actors. What was
 * said after it was written is not in it.
 */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { type ReadActivity, verifyActivity } from "./activity.ts";
import { canonical, digest } from "./canonical.ts";
import { type Chains, checkLinks, type Finding, type Replayed, replay } from "./chains.ts";
import type { Content, Kind, Side } from "./messages.ts";
import { webVerifier } from "./multikey.ts";
import { fit } from "./strict.ts";
import { sixWords } from "./words.ts";

export type { Finding } from "./chains.ts";

/** Characters of a receipt's file: `move` with all secrets, and hundreds of small activities. */
export const largestReceipt = 16 * 1024 * 1024;

const Party = z.strictObject({
	actor: z.url({ protocol: /^https?$/ }).max(300),
	keyid: z.string().max(300),
	/** Multikey (`z6Mk…`) of its Ed25519 key. */
	key: z.string().max(100),
});

const When = z.int().nullable();

/** What the activities come to. Times in ms since 1970, by the clock of the node that said it; null: it did not come to that. */
export const Summary = z.strictObject({
	domain: z.string(),
	services: z.array(z.string()),
	from: z.strictObject({ provider: z.string(), customer: z.string() }),
	to: z.strictObject({ provider: z.string(), customer: z.string() }).nullable(),
	/** `taken-back`: refused after `move`, so the source serves again. `open`: neither moved nor given up yet. */
	outcome: z.enum(["moved", "refused", "withdrawn", "taken-back", "open"]),
	/** The target's once it was moved, else the source's when it was offered. */
	epoch: z.int(),
	words: z.array(z.string()).length(6),
	rounds: z.int(),
	/** Digest of the manifest that the target voted for, and what it holds. */
	manifest: z.string().nullable(),
	entries: z.int().nullable(),
	bytes: z.int().nullable(),
	/** Bytes that came over the wire before the freeze. */
	copied: z.int(),
	offeredAt: When,
	frozenAt: When,
	movedAt: When,
	servingAt: When,
	erasedAt: When,
	/** From the manifest of the freeze until the target served, and what had been expected. */
	freezeSeconds: z.number().nullable(),
	expectedSeconds: z.number().nullable(),
});

const Receipt = z.strictObject({
	type: z.literal("fediversity-migration-receipt"),
	version: z.literal(1),
	sid: z.string().regex(/^[\w-]{22}$/),
	source: Party,
	target: Party,
	activities: z.strictObject({
		source: z.array(z.record(z.string(), z.unknown())).min(1).max(2000),
		target: z.array(z.record(z.string(), z.unknown())).max(2000),
	}),
	summary: Summary,
});

export type Party = z.infer<typeof Party>;
export type Summary = z.infer<typeof Summary>;
export type Receipt = z.infer<typeof Receipt>;

export interface Verified {
	/** Nothing was found. */
	readonly ok: boolean;
	readonly findings: readonly Finding[];
	/** From the activities; null when they do not hold. */
	readonly summary: Summary | null;
}

/** All that was said, in order, by whom, with which keys. */
export type Said = Omit<Receipt, "type" | "version" | "summary">;

/** The receipt of a session as far as it has come. Throws a Problem `receipt-not-valid` for activities that make none. */
export async function writeReceipt(record: Said): Promise<Receipt> {
	const { chains, findings } = await read(record);
	const [first] = findings.length > 0 ? findings : checkLinks(chains);
	if (first) throw refused(first.detail);
	const { sid, source, target, activities } = record;
	const summary = await summaryOf(record, chains, replay(chains));
	return { type: "fediversity-migration-receipt", version: 1, sid, source, target, activities, summary };
}

/**
 * Checks a receipt's text or JSON: every activity's form and proof, both chains, every turn of the conversation (which
 * makes vote, move and active name one manifest, and epochs rise), and the summary. Throws a Problem `receipt-not-valid`
 * for what is no receipt at all.
 */
export async function verifyReceipt(given: unknown): Promise<Verified> {
	const receipt = fit(Receipt, typeof given === "string" ? parsed(given) : given, refused);
	const { chains, findings } = await read(receipt);
	if (findings.length > 0) return { ok: false, findings, summary: null };
	const links = checkLinks(chains);
	if (links.length > 0) return { ok: false, findings: links, summary: null };
	const replayed = replay(chains);
	if (replayed.findings.length > 0) return { ok: false, findings: replayed.findings, summary: null };
	const summary = await summaryOf(receipt, chains, replayed);
	if (canonical(summary) === canonical(receipt.summary)) return { ok: true, findings: [], summary };
	const detail = "the summary does not say what the activities come to";
	return { ok: false, findings: [{ side: null, seq: null, code: "summary", detail }], summary };
}

function parsed(text: string): unknown {
	if (text.length > largestReceipt) throw refused("it is too large");
	try {
		return JSON.parse(text);
	} catch {
		throw refused("it is not JSON");
	}
}

/** Each activity by itself: its form and its proof. */
async function read(record: Said): Promise<{ chains: Chains; findings: Finding[] }> {
	const findings: Finding[] = [];
	const chainOf = async (said: Side): Promise<ReadActivity[]> => {
		const [speaker, hearer] = said === "source" ? [record.source, record.target] : [record.target, record.source];
		const expected = { sid: record.sid, said, from: speaker.actor, to: hearer.actor, now: null };
		const chain: ReadActivity[] = [];
		const verifier = await webVerifier(speaker.keyid, speaker.key);
		for (const [index, document] of record.activities[said].entries())
			try {
				chain.push(await verifyActivity(document, expected, verifier));
			} catch (error) {
				if (!(error instanceof Problem)) throw error;
				const code = error.code === "proof-wrong" ? "proof" : "form";
				findings.push({ side: said, seq: index + 1, code, detail: error.params["why"] ?? error.message });
			}
		return chain;
	};
	const chains = { source: await chainOf("source"), target: await chainOf("target") };
	return { chains, findings };
}

async function summaryOf(record: Said, chains: Chains, { talks }: Replayed): Promise<Summary> {
	const said = everything(chains);
	const offer = said("offer").at(-1);
	if (!offer) throw refused("nothing was offered");
	const { domain, services, provider, customer, epoch } = offer.content;
	const [accept, vote, active] = [said("accept").at(-1), said("vote").at(-1), said("active").at(-1)];
	const announced = said("announce").map(({ content }) => content);
	const frozen = vote && said("manifest").find(({ content }) => digest(content) === vote.content.manifest);
	const outcome = outcomeOf(talks.source.state);
	return {
		domain,
		services: services.map(({ name }) => name),
		from: { provider, customer },
		to: accept ? { provider: accept.content.provider, customer: accept.content.customer } : null,
		outcome,
		epoch: outcome === "moved" ? epoch + 1 : epoch,
		words: await sixWords({ source: record.source.key, target: record.target.key, sid: record.sid, domain }),
		rounds: said("manifest").length,
		manifest: vote?.content.manifest ?? null,
		entries: vote?.content.entries ?? null,
		bytes: vote?.content.bytes ?? null,
		copied: [...new Map(announced.map(({ round, bytes }) => [round, bytes])).values()].reduce((a, b) => a + b, 0),
		offeredAt: offer.published,
		frozenAt: frozen?.published ?? null,
		movedAt: said("move").at(-1)?.published ?? null,
		servingAt: active?.content.at ?? null,
		erasedAt: said("erased").at(-1)?.content.at ?? null,
		freezeSeconds: active && frozen ? Math.max(0, (active.content.at - frozen.published) / 1000) : null,
		expectedSeconds: announced.at(-1)?.freezeSeconds ?? null,
	};
}

/** Looks up what was said of a kind, in order, with when. */
function everything({ source, target }: Chains) {
	const all = [...source, ...target];
	return <K extends Kind>(kind: K) =>
		all
			.filter(({ message }) => message.kind === kind)
			.map(({ message, head }) => ({ content: message.content as Content<K>, published: head.published }));
}

function outcomeOf(state: string): Summary["outcome"] {
	if (state === "done" || state === "erased") return "moved";
	if (state === "refused" || state === "withdrawn" || state === "taken-back") return state;
	return "open";
}

function refused(why: string): Problem {
	return new Problem("receipt-not-valid", { why });
}
