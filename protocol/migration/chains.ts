/** Both sides' chains of activities, checked against each other and against the conversation's rules. */
import type { ReadActivity } from "./activity.ts";
import { digest } from "./canonical.ts";
import { begin, hear, say, type Talk } from "./conversation.ts";
import type { Side } from "./messages.ts";

/** All that each side said, in order. */
export type Chains = Readonly<Record<Side, readonly ReadActivity[]>>;

/** Something that does not hold, and where. */
export interface Finding {
	readonly side: Side | null;
	/** Of the activity; null: it is about all of them. */
	readonly seq: number | null;
	readonly code: "form" | "proof" | "chain" | "turn" | "summary";
	readonly detail: string;
}

const others = { source: "target", target: "source" } as const;

/**
 * What is wrong with the links: places, what came before, and what was heard of the other side. That nothing answers what
 * answers it needs no check: each would have to hold the other's hash. Times are not compared: a clock may be put right while a
 * deployment moves.
 */
export function checkLinks(chains: Chains): Finding[] {
	return (["source", "target"] as const).flatMap((side) =>
		chains[side].flatMap((activity, index) => {
			const detail = mistakeIn(activity, index, chains[side], chains[others[side]]);
			return detail ? [{ side, seq: index + 1, code: "chain" as const, detail }] : [];
		}),
	);
}

function mistakeIn(
	{ head }: ReadActivity,
	index: number,
	mine: readonly ReadActivity[],
	theirs: readonly ReadActivity[],
): string | undefined {
	const before = mine[index - 1];
	if (head.seq !== index + 1) return `it says that it is number ${head.seq}`;
	if (head.prev !== (before?.digest ?? null)) return "it does not follow the one before it";
	const heard = placeOf(head.heard, theirs);
	if (heard === undefined) return "it answers something that the other side did not say";
	if (before && heard < (placeOf(before.head.heard, theirs) ?? 0)) return "it has heard less than the one before it";
	return undefined;
}

/** How many of a chain somebody had heard; undefined: something else. */
function placeOf(heard: string | null, chain: readonly ReadActivity[]): number | undefined {
	if (heard === null) return 0;
	const index = chain.findIndex((activity) => activity.digest === heard);
	return index < 0 ? undefined : index + 1;
}

/** Where both sides are when everything was heard that was said. */
export interface Replayed {
	readonly talks: Readonly<Record<Side, Talk>>;
	readonly findings: readonly Finding[];
}

/** Lets both sides have the conversation again. Only for chains whose links hold. */
export function replay(chains: Chains): Replayed {
	const findings: Finding[] = [];
	const talkOf = (side: Side): Talk => {
		let talk = begin(side);
		let heard = 0;
		const hearUpTo = (count: number) => {
			for (const activity of chains[others[side]].slice(heard, count)) {
				const next = hear(side, talk, wordOf(activity));
				if (next === undefined) findings.push(outOfTurn(others[side], activity, `while the ${side} was ${talk.state}`));
				else if (next !== "late") talk = next;
			}
			heard = Math.max(heard, count);
		};
		for (const activity of chains[side]) {
			hearUpTo(placeOf(activity.head.heard, chains[others[side]]) ?? 0);
			const next = say(side, talk, wordOf(activity));
			if (next === undefined) findings.push(outOfTurn(side, activity, `while it was ${talk.state}`));
			else talk = next;
		}
		hearUpTo(chains[others[side]].length);
		return talk;
	};
	return { talks: { source: talkOf("source"), target: talkOf("target") }, findings };
}

function wordOf({ message }: ReadActivity) {
	return message.kind === "manifest" ? { ...message, digest: digest(message.content) } : message;
}

function outOfTurn(side: Side, { head, message }: ReadActivity, when: string): Finding {
	return { side, seq: head.seq, code: "turn", detail: `the ${side} said ${message.kind} ${when}` };
}
