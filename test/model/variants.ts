/** Ways to get it wrong: each differs from the real rules in one point, and does harm that the exploration finds. */
import { hear, type State, say } from "#protocol/migration/conversation.ts";
import { type Never, real } from "./migration.ts";
import type { Bounds, Rules } from "./world.ts";

export interface Variant {
	readonly rules: Rules;
	/** What comes of it, and how far one must look to find it. */
	readonly harm: Never | "nobody can serve again";
	readonly bounds: Bounds;
}

/** The source serves again when it has waited long enough for `active`. */
const impatient: Partial<Rules> = {
	expire: (timer, side, state) =>
		side === "source" && state === "committed" ? "withdraw" : real.expire(timer, side, state),
	say: (side, talk, word) =>
		side === "source" && talk.state === "committed" && word.kind === "withdraw"
			? { ...talk, state: "withdrawn" }
			: say(side, talk, word),
};

/** Once the source has moved, the target has no way to say that it cannot. */
const obliged: Partial<Rules> = {
	say: (side, talk, word) => (talk.state === "committed" && word.kind === "reject" ? undefined : say(side, talk, word)),
};

/** A vote says "all is here", not what. */
const unbound: Partial<Rules> = {
	hear(side, talk, word) {
		const manifest = talk.manifest ?? "";
		if (word.kind === "vote") return hear(side, talk, { ...word, content: { manifest } });
		if (word.kind === "move" && side === "target" && talk.state === "verifying") return { ...talk, state: "committed" };
		return hear(side, talk, word);
	},
};

/** The source takes a vote for what it has thawed since. */
const hasty: Partial<Rules> = {
	hear(side, talk, word) {
		const { state } = talk;
		const isLate = side === "source" && word.kind === "vote" && (state === "agreed" || state === "copying");
		return isLate && word.content.manifest === talk.manifest ? { ...talk, state: "voted" } : hear(side, talk, word);
	},
};

/** The source takes back what it has handed over, as if its services only rested. */
const relenting: Partial<Rules> = {
	say: (side, talk, word) =>
		side === "source" && talk.state === "committed" && word.kind === "thaw"
			? { ...talk, state: "agreed" }
			: say(side, talk, word),
};

/** Whoever hears what cannot be said stops, as one must with a peer that lies. Before `move` the source just goes on. */
const stopping: Partial<Rules> = {
	hear(side, talk, word) {
		const stopped = side === "source" && talk.state !== "committed" ? "refused" : ("stopped" as State);
		const { state } = talk;
		return hear(side, talk, word) ?? { ...talk, state: state === "active" || state === "closed" ? state : stopped };
	},
};

const oneWay: Bounds = { rounds: [1, 0], writes: 1, restores: false };
const twoRounds: Bounds = { ...oneWay, rounds: [2, 0] };
const restoring: Bounds = { ...oneWay, restores: true };
const backups: Bounds = { ...oneWay, backups: true };

function variant(part: Partial<Rules>, harm: Variant["harm"], bounds = oneWay): Variant {
	return { rules: { ...real, ...part }, harm, bounds };
}

const two = "two serve";
const lost = "who serves lacks an acknowledged write";
const nobody = "nobody can serve again";
const accused = "a peer that keeps the rules is accused";

export const variants: Readonly<Record<string, Variant>> = {
	"the source serves again on a timeout after move": variant(impatient, two),
	"the target cannot reject after move": variant(obliged, nobody),
	"services go on writing during the last round": variant({ freezes: false }, lost),
	"a vote is not bound to a manifest": variant(unbound, lost, twoRounds),
	"a vote counts although the source has thawed": variant(hasty, accused),
	"a restored backup serves without the record": variant({ restored: "serves" }, two, restoring),
	"a restored backup serves if the record names it, and raises no epoch": variant(
		{ restored: "looks" },
		two,
		restoring,
	),
	"the target serves before the record names it": variant({ record: "after active" }, two, restoring),
	"messages count whenever they come": variant({ ...stopping, inbox: false }, nobody),
	"a message is sent before the state is kept": variant({ outbox: "before the state" }, two),
	"the state is kept before the message": variant({ outbox: "after the state" }, nobody),
	"all messages of a session are one chain": variant({ chains: "one" }, accused),
	"services may serve again after move": variant(relenting, two),
	"services may rest as often as a vote does not come": variant(
		{ mostRests: Number.POSITIVE_INFINITY },
		"services rest too often",
		{ ...oneWay, rounds: [4, 0] },
	),
	"a node that was brought back does not ask what it was heard saying": variant({ past: "guesses" }, two, backups),
	"nobody says again what such a node has forgotten to have heard": variant({ repeats: false }, nobody, backups),
	"the record may change before move was heard": variant({ handsOver: "at once" }, nobody, backups),
};
