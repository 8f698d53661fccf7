/**
 * How two nodes talk while a deployment moves: one pure table for both sides. What it promises is shown by exploring
 * every way in which it can go (test/model, specs/model).
 */
import type { Content, Kind, Side } from "./messages.ts";

export type SourceState =
	| ("planned" | "offered" | "agreed" | "copying" | "frozen" | "voted" | "committed" | "done" | "erased")
	| ("taken-back" | "refused" | "withdrawn" | "dropped");
export type TargetState =
	| ("issued" | "asked" | "agreed" | "receiving" | "verifying" | "voted" | "committed" | "active" | "closed")
	| ("refused" | "withdrawn" | "dropped");
export type State = SourceState | TargetState;

/** A message's kind as the table knows it: a final manifest is another thing than that of a round. */
type Step = Kind | "final";

interface Row<S extends State> {
	/** The deployment's services may run at this side, as far as this session goes. The domain's epoch must agree. */
	readonly serves?: true;
	/** What this side may say now, and where it then is. */
	readonly says?: { readonly [step in Step]?: S };
	/** What it may hear now. `late`: the other side had not heard yet what this side said before. */
	readonly hears?: { readonly [step in Step]?: S | "late" };
	/** Nobody else knows of the session yet: it may end without a word. */
	readonly drops?: "dropped";
}
type Rows<S extends State> = Readonly<Record<S, Row<S>>>;

const table: { readonly source: Rows<SourceState>; readonly target: Rows<TargetState> } = {
	source: {
		planned: { serves: true, says: { offer: "offered" }, drops: "dropped" },
		offered: {
			serves: true,
			says: { withdraw: "withdrawn" },
			hears: { accept: "agreed", reject: "refused" },
		},
		/** No round is under way. */
		agreed: {
			serves: true,
			says: { manifest: "copying", final: "frozen", withdraw: "withdrawn" },
			hears: { announce: "agreed", reject: "refused", vote: "late" },
		},
		/** The target fetches a round. The next may begin before it is through. */
		copying: {
			serves: true,
			says: { manifest: "copying", final: "frozen", withdraw: "withdrawn" },
			hears: { announce: "agreed", reject: "refused", vote: "late" },
		},
		frozen: {
			says: { thaw: "agreed", withdraw: "withdrawn" },
			hears: { vote: "voted", reject: "refused", announce: "late" },
		},
		voted: {
			says: { move: "committed", thaw: "agreed", withdraw: "withdrawn" },
			hears: { reject: "refused" },
		},
		/** The deployment is the target's. Only the target's word ends this state: no timer and no person here. */
		committed: { hears: { active: "done", reject: "taken-back" } },
		/** The old copy rests, requests are forwarded. */
		done: { says: { erased: "erased" } },
		erased: {},
		/** The target will never serve. This side serves again as soon as the domain's record names it in a new epoch. */
		"taken-back": { serves: true },
		refused: { serves: true },
		withdrawn: { serves: true, hears: { accept: "late", reject: "late", announce: "late", vote: "late" } },
		dropped: { serves: true },
	},
	target: {
		/** The token was made; nobody has come with it. */
		issued: { hears: { offer: "asked" }, drops: "dropped" },
		asked: { says: { accept: "agreed", reject: "refused" }, hears: { withdraw: "withdrawn" } },
		/** No round is under way. */
		agreed: {
			// Once more, when the round has been rehearsed.
			says: { announce: "agreed", reject: "refused" },
			hears: { manifest: "receiving", final: "verifying", withdraw: "withdrawn" },
		},
		receiving: {
			says: { announce: "agreed", reject: "refused" },
			hears: { manifest: "receiving", final: "verifying", withdraw: "withdrawn" },
		},
		verifying: {
			says: { vote: "voted", reject: "refused" },
			hears: { thaw: "agreed", withdraw: "withdrawn" },
		},
		/** The source may have moved already. So no timer ends this state, though a person may. */
		voted: {
			says: { reject: "refused" },
			hears: { move: "committed", thaw: "agreed", withdraw: "withdrawn" },
		},
		/** Must start the services, or reject and never start them. */
		committed: { says: { active: "active", reject: "refused" } },
		active: { serves: true, hears: { erased: "closed" } },
		closed: { serves: true },
		refused: { hears: { manifest: "late", final: "late", thaw: "late", move: "late", withdraw: "late" } },
		withdrawn: {},
		/** A node turns such an offer away at its door, before it counts as heard. */
		dropped: { hears: { offer: "late", withdraw: "late" } },
	},
};

/** Where one side is in a session: all that decides what it may say and hear next. Kept as it is, it can be JSON. */
export interface Talk {
	readonly state: State;
	/** The epoch in which the source serves the domain; 0 until the offer. The target's will be the next one. */
	readonly epoch: number;
	/** Of the manifest that the source said last; 0: none yet. */
	readonly round: number;
	/** SHA-256 of that manifest's canonical JSON. */
	readonly manifest: string | null;
}

/** What of a message counts here. Every `{ ...message, digest }` is one. */
export type Word = { readonly digest?: string } & (
	| { readonly kind: "accept" | "reject" | "withdraw" | "erased" }
	| { readonly kind: "offer"; readonly content: Pick<Content<"offer">, "epoch"> }
	| {
			readonly kind: "manifest";
			readonly content: Pick<Content<"manifest">, "round" | "final">;
			/** SHA-256 of the content's canonical JSON, base64url. */
			readonly digest: string;
	  }
	| { readonly kind: "announce"; readonly content: Pick<Content<"announce">, "round" | "manifest"> }
	| { readonly kind: "thaw" | "vote"; readonly content: Pick<Content<"thaw" | "vote">, "manifest"> }
	| { readonly kind: "move" | "active"; readonly content: Pick<Content<"move" | "active">, "manifest" | "epoch"> }
);

/** A new session: the source has a plan, the target has issued a token. */
export function begin(side: Side): Talk {
	return { state: side === "source" ? "planned" : "issued", epoch: 0, round: 0, manifest: null };
}

/** Where a side is once it has said this; undefined: it may not say it now. */
export function say(side: Side, talk: Talk, word: Word): Talk | undefined {
	const to = rowOf(side, talk.state)?.says?.[stepOf(word)];
	return to !== undefined && fit(talk, word) === "fits" ? after(talk, word, to) : undefined;
}

/**
 * Where a side is once it has heard this from the other. `late`: legal, but overtaken by what this side has said since;
 * it is acknowledged and changes nothing. undefined: a peer that keeps the rules can never say this now.
 * Each message is heard once; the inbox sees to that.
 */
export function hear(side: Side, talk: Talk, word: Word): Talk | "late" | undefined {
	const to = rowOf(side, talk.state)?.hears?.[stepOf(word)];
	if (to === undefined || to === "late") return to;
	const fits = fit(talk, word);
	if (fits === "overtaken") return "late";
	return fits === "fits" ? after(talk, word, to) : undefined;
}

/** Where a side is once it gives up a session nobody else knows of; undefined: the other side knows, so say it. */
export function drop(side: Side, talk: Talk): Talk | undefined {
	const state = rowOf(side, talk.state)?.drops;
	return state && { ...talk, state };
}

/** Nothing more can be said or heard that changes anything. (`done` and `active` are not over: `erased` follows.) */
export function isOver(side: Side, state: State): boolean {
	const { says = {}, hears = {}, drops } = rowOf(side, state) ?? {};
	return Object.keys(says).length === 0 && Object.values(hears).every((to) => to === "late") && !drops;
}

/** Whether this side can still call the session off (`withdraw`, `reject`, or `drop`), with nothing lost. */
export function canAbort(side: Side, state: State): boolean {
	const { says, drops } = rowOf(side, state) ?? {};
	return drops !== undefined || says?.[side === "source" ? "withdraw" : "reject"] !== undefined;
}

/** Whether the deployment's services may run at this side, as far as this session goes. The epoch must agree as well. */
export function serves(side: Side, state: State): boolean {
	return rowOf(side, state)?.serves === true;
}

/**
 * What a side says when a time is over; `drop` says nothing. Where nothing stands here, time changes nothing: from
 * `move` on, for the source, and from its vote on, for the target, because the source may have moved by then.
 */
export const timers = {
	/** From issuing the token to its first use. */
	token: { source: {}, target: { issued: "drop" } },
	/** How long the target keeps the place free; both sides know it from `accept`. For an answer to the offer as well. */
	reservation: {
		source: { offered: "withdraw", agreed: "withdraw", copying: "withdraw" },
		target: { asked: "reject", agreed: "reject", receiving: "reject", verifying: "reject" },
	},
	/** How long services may rest for one final manifest. */
	freeze: { source: { frozen: "thaw", voted: "thaw" }, target: {} },
} as const satisfies Record<string, Record<Side, { readonly [state in State]?: Kind | "drop" }>>;

export type Timer = keyof typeof timers;

/** What a side says when this time is over in this state; undefined: nothing happens. */
export function expire(timer: Timer, side: Side, state: State): Kind | "drop" | undefined {
	const says: { readonly [state in State]?: Kind | "drop" } = timers[timer][side];
	return says[state];
}

function rowOf(side: Side, state: State): Row<State> | undefined {
	const rows: Partial<Rows<State>> = table[side];
	return rows[state];
}

function stepOf(word: Word): Step {
	return word.kind === "manifest" && word.content.final ? "final" : word.kind;
}

/** Whether what a word says of manifest, round and epoch agrees with what was said before. */
function fit(talk: Talk, word: Word): "fits" | "overtaken" | "wrong" {
	switch (word.kind) {
		case "manifest":
			return word.content.round === talk.round + 1 ? "fits" : "wrong";
		case "announce":
			if (word.content.manifest !== talk.manifest) return "overtaken";
			return word.content.round === talk.round ? "fits" : "wrong";
		case "vote":
			return word.content.manifest === talk.manifest ? "fits" : "overtaken";
		case "thaw":
			return word.content.manifest === talk.manifest ? "fits" : "wrong";
		case "move":
		case "active":
			return word.content.manifest === talk.manifest && word.content.epoch === talk.epoch + 1 ? "fits" : "wrong";
		default:
			return "fits";
	}
}

function after(talk: Talk, word: Word, state: State): Talk {
	if (word.kind === "offer") return { ...talk, state, epoch: word.content.epoch };
	if (word.kind === "manifest") return { ...talk, state, round: word.content.round, manifest: word.digest };
	return { ...talk, state };
}
