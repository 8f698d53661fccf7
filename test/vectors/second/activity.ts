/** Activities, receipts and sheets: sections 4, 9 and 11. */
import { scryptSync } from "node:crypto";
import {
	canonical,
	digest,
	fromCanonical,
	fromMultibase,
	holds,
	type Json,
	type Members,
	refuse,
	sha256,
} from "./bytes.ts";
import { contents, exactly, like, oneOf, orNull, sha, sheet, text, whole } from "./shapes.ts";
import { after, begin, type Side, type Talk } from "./table.ts";

const moment = like(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const context = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"];
const ourContext = (value: Json) => void (canonical(value) === canonical(context) || refuse("another context"));
const proofShape = exactly({
	...{ "@context": ourContext, type: oneOf("DataIntegrityProof"), cryptosuite: oneOf("eddsa-jcs-2022") },
	...{
		verificationMethod: text(300),
		proofPurpose: oneOf("assertionMethod"),
		created: moment,
		expires: moment,
		proofValue: text(100),
	},
});
const mediaType = "application/vnd.fediversity.migration+json";
const document = exactly({
	...{
		"@context": ourContext,
		id: text(500),
		type: text(40),
		actor: text(300),
		to: text(300),
		published: moment,
		proof: proofShape,
	},
	object: exactly({ type: oneOf("Document"), mediaType: oneOf(mediaType), content: text(1_100_000) }),
});
const head = exactly({
	sid: text(22),
	seq: whole(1),
	prev: orNull(sha),
	heard: orNull(sha),
	kind: text(40),
	content: () => {},
});

const sheetDocument = exactly({
	...{ "@context": ourContext, id: text(300), type: oneOf("Document"), attributedTo: text(300), published: moment },
	...{ mediaType: oneOf("application/vnd.fediversity.offer-sheet+json"), content: text(65_536), proof: proofShape },
});

export const types: Readonly<Record<string, readonly [type: string, said: Side]>> = {
	...{ offer: ["Offer", "source"], accept: ["TentativeAccept", "target"], manifest: ["Add", "source"] },
	...{
		announce: ["Announce", "target"],
		thaw: ["Remove", "source"],
		vote: ["Accept", "target"],
		move: ["Move", "source"],
	},
	...{
		active: ["Arrive", "target"],
		withdraw: ["Undo", "source"],
		reject: ["Reject", "target"],
		erased: ["Delete", "source"],
	},
};

export interface Party {
	readonly actor: string;
	readonly keyid: string;
	readonly key: string;
}

export interface Activity {
	readonly seq: number;
	readonly prev: string | null;
	readonly heard: string | null;
	readonly kind: string;
	readonly content: Members;
	readonly digest: string;
	readonly published: number;
}

/** eddsa-jcs-2022: the hashes of the proof without its value and of the document without the proof are signed. */
export function proofHolds(signed: Members, { keyid, key }: Party): boolean {
	const { proof, ...unsigned } = signed;
	const { proofValue, ...configuration } = proof as Members;
	if (configuration["verificationMethod"] !== keyid) return false;
	const bytes = Buffer.concat([sha256(canonical(configuration)), sha256(canonical(unsigned))]);
	return holds(key, bytes, fromMultibase(String(proofValue)));
}

/** An activity of this side as section 4 has it; its proof is looked at by `proofHolds`. */
export function readActivity(value: Json, sid: string, said: Side, from: Party, to: Party): Activity {
	const written = canonical(value);
	document(value, "activity");
	const {
		id,
		type,
		actor,
		to: hearer,
		published,
		object,
		proof,
	} = value as { object: Members; proof: Members } & Members;
	const payload = fromCanonical(String(object["content"])) as Members;
	head(payload, "content");
	const { seq, prev, heard, kind, content } = payload as unknown as Activity;
	(contents[kind] ?? refuse("no such kind"))(content, kind);
	if (written.length > (kind === "move" ? 1_100_000 : 262_144)) refuse("too long");
	const { verificationMethod, created, expires } = proof;
	const name = `${new URL(from.actor).origin}/migrate/${sid}/activities/${said}/${seq}`;
	const agreements = [
		...[id === name, actor === from.actor, hearer === to.actor, payload["sid"] === sid, created === published],
		...[type === types[kind]?.[0], said === types[kind]?.[1], String(verificationMethod).startsWith(`${from.actor}#`)],
		...[(seq === 1) === (prev === null), heard !== null || said === "source"],
	];
	if (agreements.includes(false)) refuse("what it says does not agree");
	if (Date.parse(String(expires)) - Date.parse(String(created)) > 400 * 86_400_000) refuse("good for too long");
	return {
		seq,
		prev,
		heard,
		kind,
		content,
		digest: sha256(written).toString("base64url"),
		published: Date.parse(String(published)),
	};
}

/** Section 9. `now`: seconds since 1970. */
export function checkSheet(written: string, provider: Party, now: number): "ok" | "proof-wrong" {
	if (written.length > 65_536) refuse("too long");
	const whole = fromCanonical(written) as { proof: Members } & Members;
	sheetDocument(whole, "sheet");
	const { id, attributedTo, published, content, proof } = whole;
	const [from, until] = [Date.parse(String(published)) / 1000, Date.parse(String(proof["expires"])) / 1000];
	if (id !== `${new URL(provider.actor).origin}/migrate/sheet` || attributedTo !== provider.actor)
		refuse("not its own");
	if (proof["created"] !== published || until - from > 31 * 86_400) refuse("its times do not agree");
	if (from > now + 600 || until < now - 600) refuse("not of now");
	sheet(fromCanonical(String(content)), "sheet");
	return proofHolds(whole, provider) ? "ok" : "proof-wrong";
}

/** The six words of section 3. */
export function sixWords(
	list: readonly string[],
	meant: { domain: string; sid: string; source: string; target: string },
): string[] {
	const bytes = scryptSync(canonical(meant), "fediversity six words 1", 8, { N: 16_384, r: 8, p: 1 });
	const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
	return [0, 1, 2, 3, 4, 5].map((at) => list[Number.parseInt(bits.slice(at * 10, at * 10 + 10), 2)] ?? "");
}

/** What is wrong with a receipt first: `source 4 turn`; undefined: it holds. Section 11. */
export function mistakeInReceipt(receipt: Members, list: readonly string[]): string | undefined {
	const { sid, source, target, activities, summary } = receipt as unknown as Receipt;
	const parties = { source, target };
	const chains: Record<Side, Activity[]> = { source: [], target: [] };
	for (const side of sides)
		for (const [at, one] of activities[side].entries()) {
			try {
				chains[side].push(readActivity(one, sid, side, parties[side], parties[other(side)]));
			} catch {
				return `${side} ${at + 1} form`;
			}
			if (!proofHolds(one as Members, parties[side])) return `${side} ${at + 1} proof`;
		}
	for (const side of sides) {
		let known = 0;
		for (const [at, { seq, prev, heard }] of chains[side].entries()) {
			const place = heard === null ? 0 : chains[other(side)].findIndex((one) => one.digest === heard) + 1;
			const follows = seq === at + 1 && prev === (chains[side][at - 1]?.digest ?? null);
			if (!follows || (heard !== null && place === 0) || place < known) return `${side} ${at + 1} chain`;
			known = place;
		}
	}
	const talks = {} as Record<Side, Talk>;
	for (const side of sides) {
		const [end, mistake] = played(side, chains);
		if (mistake) return mistake;
		talks[side] = end;
	}
	const summed = summaryOf(chains, talks.source.state, sixWordsOf(list, sid, parties, chains));
	return canonical(summed) === canonical(summary) ? undefined : "summary";
}

interface Receipt extends Record<Side, Party> {
	readonly sid: string;
	readonly activities: Record<Side, Json[]>;
	readonly summary: Members;
}

const sides = ["source", "target"] as const;
const other = (side: Side): Side => (side === "source" ? "target" : "source");

/** A side has the conversation again; what the other one said out of turn is its mistake. */
function played(side: Side, chains: Record<Side, Activity[]>): [Talk, string?] {
	let talk = begin(side);
	let heard = 0;
	const theirs = chains[other(side)];
	const word = (one: Activity) => ({ kind: one.kind, content: one.content, digest: digest(one.content) });
	const hear = (until: number): string | undefined => {
		for (; heard < until; heard++) {
			const one = theirs[heard] as Activity;
			const next = after(side, talk, "hears", word(one));
			if (next === undefined) return `${other(side)} ${one.seq} turn`;
			if (next !== "late") talk = next;
		}
	};
	for (const one of chains[side]) {
		const mistake = hear(one.heard === null ? 0 : theirs.findIndex(({ digest }) => digest === one.heard) + 1);
		if (mistake) return [talk, mistake];
		const next = after(side, talk, "says", word(one));
		if (next === undefined || next === "late") return [talk, `${side} ${one.seq} turn`];
		talk = next;
	}
	const mistake = hear(theirs.length);
	return mistake ? [talk, mistake] : [talk];
}

function sixWordsOf(
	list: readonly string[],
	sid: string,
	{ source, target }: Record<Side, Party>,
	chains: Record<Side, Activity[]>,
) {
	const domain = String(chains.source.findLast(({ kind }) => kind === "offer")?.content["domain"]);
	return sixWords(list, { domain, sid, source: source.key, target: target.key });
}

function summaryOf(chains: Record<Side, Activity[]>, state: string, words: string[]): Json {
	const all = (kind: string) => [...chains.source, ...chains.target].filter((one) => one.kind === kind);
	const last = (kind: string): Members => all(kind).at(-1)?.content ?? {};
	const [offer, vote, active] = [last("offer"), last("vote"), last("active")];
	const said = (kind: string) => all(kind).at(-1)?.published ?? null;
	const people = ({ provider, customer }: Members): Json =>
		provider === undefined ? null : { provider, customer: customer ?? null };
	const frozenAt = all("manifest").find(({ content }) => digest(content) === vote["manifest"])?.published ?? null;
	const rounds = new Map(all("announce").map(({ content }) => [content["round"], Number(content["bytes"])]));
	const ends: Record<string, string> = {
		...{ done: "moved", erased: "moved", refused: "refused", withdrawn: "withdrawn", "taken-back": "taken-back" },
	};
	const outcome = ends[state] ?? "open";
	const at = (active["at"] ?? null) as number | null;
	return {
		...{ domain: offer["domain"] ?? null, services: (offer["services"] as Members[]).map(({ name }) => name ?? null) },
		...{ from: people(offer), to: people(last("accept")), outcome, words, rounds: all("manifest").length },
		epoch: Number(offer["epoch"]) + (outcome === "moved" ? 1 : 0),
		...{ manifest: vote["manifest"] ?? null, entries: vote["entries"] ?? null, bytes: vote["bytes"] ?? null },
		copied: [...rounds.values()].reduce((sum, bytes) => sum + bytes, 0),
		...{
			offeredAt: said("offer"),
			frozenAt,
			movedAt: said("move"),
			servingAt: at,
			erasedAt: last("erased")["at"] ?? null,
		},
		freezeSeconds: at !== null && frozenAt !== null ? Math.max(0, (at - frozenAt) / 1000) : null,
		expectedSeconds: last("announce")["freezeSeconds"] ?? null,
	};
}
