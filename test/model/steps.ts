/** Everything that can happen next in a world. Whatever it says of sessions, it asks the rules, which are the node's own. */
import { type Talk, timers, type Word } from "#protocol/migration/conversation.ts";
import type { Kind, Side } from "#protocol/migration/messages.ts";
import { backingUp, isDeaf, isUnsure, remembering } from "./backups.ts";
import type { Step } from "./explore.ts";
import { asking, isSame, recorded, recording } from "./record.ts";
import {
	type Bounds,
	change,
	isServing,
	type Name,
	named,
	newSession,
	nodeOf,
	other,
	put,
	type Rules,
	type Sent,
	type Session,
	sessionOf,
	sides,
	takesWrites,
	type World,
	withNode,
} from "./world.ts";

type Steps = Generator<Step<World>>;

export function* stepsOf(world: World, rules: Rules, bounds: Bounds): Steps {
	for (const index of world.sessions.keys())
		for (const side of sides) {
			if (world.nodes[nodeOf(index, side)].restored) continue;
			if (!isUnsure(world, side)) {
				yield* speaking(world, index, side, rules, bounds);
				yield* times(world, index, side, rules);
			}
			yield* hearing(world, index, side, rules);
		}
	for (const name of [0, 1] as const) yield* running(world, name, rules, bounds);
	yield* recording(world, rules);
	if (!bounds.backups) yield* breaking(world);
	yield* restoring(world, rules, bounds);
	if (bounds.backups) yield* backingUp(world, rules);
	yield* goingBack(world, rules, bounds);
}

/** What a side may say of itself, or because a person wants it. */
function* speaking(world: World, index: number, side: Side, rules: Rules, bounds: Bounds): Steps {
	const session = sessionOf(world, index);
	const talk = session.talks[side];
	for (const word of wordsOf(world, index, side, bounds)) {
		if (!isReady(world, index, side, word, rules)) continue;
		const { kind } = word;
		const what = `${side} says ${isFinal(word) ? "final manifest" : kind}`;
		// Where the source was restored, people of both providers speak with each other.
		const { restored, lost } = world.nodes[nodeOf(index, other(side))];
		const forsaken = restored && !lost;
		const helpless = kind === "reject" && (!session.able || talk.state === "committed" || forsaken);
		const alone = kind !== "withdraw" && (kind !== "reject" || helpless);
		yield* uttered(world, index, side, word, { what: named(index, what), alone }, rules);
	}
	const dropped = rules.drop(side, talk);
	if (dropped)
		yield { what: named(index, `${side} gives up unheard`), to: put(world, index, side, dropped), alone: false };
}

/** Times that are over; a timer may be over at any time. */
function* times(world: World, index: number, side: Side, rules: Rules): Steps {
	const session = sessionOf(world, index);
	const talk = session.talks[side];
	for (const timer of Object.keys(timers) as (keyof typeof timers)[]) {
		const says = atEnd(rules.expire(timer, side, talk.state), session, rules);
		const what = named(index, `${side}'s ${timer} is over: ${says}`);
		const dropped = says === "drop" ? rules.drop(side, talk) : undefined;
		if (dropped) yield { what, to: put(world, index, side, dropped), alone: true };
		const word = says && says !== "drop" ? wordOf(says, talk) : undefined;
		if (word) yield* uttered(world, index, side, word, { what, alone: true }, rules);
	}
}

/** Services that have rested often enough do not do so again. */
function atEnd(says: Kind | "drop" | undefined, { rests }: Session, { mostRests }: Rules): Kind | "drop" | undefined {
	return says === "thaw" && rests >= mostRests ? "withdraw" : says;
}

function* uttered(
	world: World,
	index: number,
	side: Side,
	word: Word,
	step: Omit<Step<World>, "to">,
	rules: Rules,
): Steps {
	const session = sessionOf(world, index);
	const talk = rules.say(side, session.talks[side], word);
	if (!talk) return;
	const known = session.said[side].length + session.heard[side];
	const sent: Sent = { word, after: rules.chains === "one" ? known : null };
	const isMute = world.memory.kind === "over" && world.memory.mute === side;
	const said = isMute ? session.said : { ...session.said, [side]: [...session.said[side], sent] };
	const talked = settled(put(world, index, side, talk), index, side, word);
	yield { ...step, to: remembering(change(talked, index, { said }), side) };
	if (side === "source" && word.kind === "move" && rules.outbox === "before the state")
		yield {
			what: `${step.what}, and is killed before its state is kept`,
			to: change(world, index, { stray: [...session.stray, [session.said[side].length, sent]] }),
			alone: false,
		};
	if (rules.outbox === "after the state")
		yield { what: `${step.what}, and is killed before the message is kept`, to: talked, alone: false };
}

/** Any message that the other side ever sent arrives: for the first time, again, or out of turn. */
function* hearing(world: World, index: number, side: Side, rules: Rules): Steps {
	const session = sessionOf(world, index);
	if (isDeaf(world, side)) return;
	// A restored node has forgotten what it said; what is on its way may still come.
	const { restored, lost } = world.nodes[nodeOf(index, other(side))];
	const alone = !restored || lost;
	const arriving = [...session.said[other(side)].entries(), ...(side === "target" ? session.stray : [])];
	for (const [seq, sent] of arriving) {
		if (rules.inbox ? seq !== session.heard[side] : seq > session.heard[side]) continue;
		const what = named(index, `${side} hears ${sent.word.kind}${seq < session.heard[side] ? " again" : ""}`);
		const to = heard(world, index, side, sent, seq, rules);
		// Who does not know yet what it has forgotten just takes nothing that makes no sense to it.
		if (to.accused === undefined || !isUnsure(world, side))
			yield { what, to: remembering(to, other(side), sent), alone };
	}
}

function heard(world: World, index: number, side: Side, sent: Sent, seq: number, rules: Rules): World {
	const session = sessionOf(world, index);
	if (sent.after !== null && sent.after !== session.said[side].length + session.heard[side])
		return { ...world, accused: `${side} finds that ${sent.word.kind} does not follow in the chain` };
	const talk = rules.hear(side, session.talks[side], sent.word);
	const processed = change(world, index, taken(session, side, seq, rules));
	// Who has forgotten what it said cannot know whether its last word still makes sense.
	if (!talk && world.nodes[nodeOf(index, other(side))].lost) return processed;
	if (!talk) return { ...world, accused: `${side} in ${session.talks[side].state} cannot hear ${sent.word.kind}` };
	return talk === "late" ? processed : settled(put(processed, index, side, talk), index, side, sent.word);
}

/** An inbox never takes a message twice, so where there is one the model forgets what was heard. */
function taken({ said, heard }: Session, side: Side, seq: number, rules: Rules): Partial<Session> {
	const isForgotten = rules.inbox && rules.outbox === "with the state" && rules.chains === "each its own";
	if (isForgotten) return { said: { ...said, [other(side)]: said[other(side)].slice(1) } };
	return { heard: { ...heard, [side]: Math.max(heard[side], seq + 1) } };
}

/** What a side does in the transaction in which it says or hears something. */
function settled(world: World, index: number, side: Side, word: Word): World {
	const session = sessionOf(world, index);
	const { state, epoch } = session.talks[side];
	const name = nodeOf(index, side);
	if (isFinal(word)) return change(world, index, { rests: session.rests + (side === "source" ? 1 : 0) });
	if (side === "target" && word.kind === "vote") return change(world, index, { copy: writesIn(word.content.manifest) });
	if (state === "active" && word.kind === "active")
		return withNode(world, name, { epoch: epoch + 1, writes: session.copy, looked: true });
	if (state === "erased" && index === world.sessions.length - 1) return withNode(world, name, { writes: -1 });
	if (state === "taken-back") {
		const to = { epoch: epoch + 2, node: name };
		const named = [
			{ epoch, node: name },
			{ epoch: epoch + 1, node: nodeOf(index, other(side)) },
		];
		return asking(withNode(world, name, { epoch: epoch + 2, looked: false }), ...named.map((from) => ({ from, to })));
	}
	return world;
}

/** A node is killed and starts again; looks whom the record names; takes a user's write. */
function* running(world: World, name: Name, rules: Rules, bounds: Bounds): Steps {
	const node = world.nodes[name];
	if (node.looked)
		yield { what: `node ${name} is killed, starts`, to: withNode(world, name, { looked: false }), alone: false };
	if (
		!node.looked &&
		node.epoch > 0 &&
		isNamed(world, name, rules) &&
		!isUnsure(world, name === 0 ? "source" : "target")
	)
		yield { what: `node ${name} finds its name in the record`, to: begins(world, name, rules), alone: true };
	if (takesWrites(world, name, rules) && world.writes < bounds.writes) {
		const to = withNode(world, name, { writes: node.writes + 1 });
		yield { what: `node ${name} acknowledges a write`, to: { ...to, writes: world.writes + 1 }, alone: false };
	}
}

function isNamed({ nodes, record }: World, name: Name, rules: Rules): boolean {
	const { restored, epoch } = nodes[name];
	if (restored && rules.restored === "serves") return true;
	const wanted = restored && rules.restored === "looks" ? epoch - 1 : epoch;
	return record.node === name && record.epoch === wanted;
}

function begins(world: World, name: Name, rules: Rules): World {
	const node = world.nodes[name];
	const to = withNode(world, name, { looked: true });
	// Whoever restores a backup has said that what came after it is gone.
	const declared = node.restored && rules.restored === "raises" ? { ...to, writes: node.writes } : to;
	return node.lost ? calledOff(declared, rules) : declared;
}

/** The last word of a source that knows that it has forgotten what it said; again changes nothing. */
function calledOff(world: World, rules: Rules): World {
	const { talks } = sessionOf(world, 0);
	const word = { kind: "withdraw" } as const;
	const talk = rules.say("source", talks.source, word);
	if (!talk) return world;
	return change(put(world, 0, "source", talk), 0, {
		said: { ...sessionOf(world, 0).said, source: [{ word, after: null }] },
	});
}

/** The target will never be able to run the services. */
function* breaking(world: World): Steps {
	for (const [index, { able, talks }] of world.sessions.entries())
		if (able && talks.target.state !== "active" && talks.target.state !== "closed")
			yield { what: named(index, "target breaks"), to: change(world, index, { able: false }), alone: false };
}

/** Node 0 goes back to a backup from before the session; in need, the domain's owner gives it the next epoch. */
function* restoring(world: World, rules: Rules, bounds: Bounds): Steps {
	const [node] = world.nodes;
	const target = sessionOf(world, 0).talks.target.state;
	if (bounds.restores && !node.restored && world.sessions.length === 1) {
		const to = withNode(world, 0, { epoch: 2, writes: 0, looked: false, restored: true });
		const update = { from: { epoch: 1, node: 0 }, to: { epoch: 2, node: 0 } } as const;
		yield { what: "node 0 restores a backup", to: rules.restored === "raises" ? asking(to, update) : to, alone: false };
	}
	const isLost = world.record.epoch > 1 && !isSame(world.record, { epoch: node.epoch, node: 0 });
	const isBack = node.restored || world.memory.kind === "over";
	if (isBack && isLost && (target === "refused" || target === "withdrawn")) {
		const to = { epoch: world.record.epoch + 1, node: 0 } as const;
		const named = withNode(world, 0, { epoch: to.epoch, looked: false });
		yield { what: "the domain's owner names node 0", to: recorded(named, to), alone: true };
	}
}

function* goingBack(world: World, rules: Rules, bounds: Bounds): Steps {
	if (bounds.rounds[1] === 0 || world.sessions.length > 1 || world.nodes[0].restored) return;
	const { source, target } = sessionOf(world, 0).talks;
	const over = source.state === "done" || source.state === "erased";
	if (over && (target.state === "active" || target.state === "closed") && isServing(world, 1, rules))
		yield {
			what: "the customer wants back",
			to: { ...world, sessions: [...world.sessions, newSession(rules)] },
			alone: false,
		};
}

/** Each word that a side could think of; the rules choose. */
function wordsOf(world: World, index: number, side: Side, bounds: Bounds): Word[] {
	const talk = sessionOf(world, index).talks[side];
	const words = kinds[side].map((kind) => wordOf(kind, talk)).filter((word) => word !== undefined);
	// Rounds before the last one lead to nothing else where a node is brought back.
	if (side === "target") return bounds.backups ? words.filter(({ kind }) => kind !== "announce") : words;
	const { writes, epoch } = world.nodes[nodeOf(index, side)];
	const round = talk.round + 1;
	const manifests = (bounds.backups ? [true] : [false, true]).map((final): Word => {
		return { kind: "manifest", content: { round, final }, digest: `${round} with ${writes}` };
	});
	const limit = bounds.rounds[index as 0 | 1];
	return [{ kind: "offer", content: { epoch } }, ...words, ...(round <= limit ? manifests : [])];
}

const kinds: Record<Side, Kind[]> = {
	source: ["thaw", "move", "withdraw", "erased"],
	target: ["accept", "reject", "announce", "vote", "active"],
};

function wordOf(kind: Kind, { manifest, round, epoch }: Talk): Word | undefined {
	switch (kind) {
		case "accept":
		case "reject":
		case "withdraw":
		case "erased":
			return { kind };
		case "announce":
			return manifest === null ? undefined : { kind, content: { manifest, round } };
		case "thaw":
		case "vote":
			return manifest === null ? undefined : { kind, content: { manifest } };
		case "move":
		case "active":
			return manifest === null ? undefined : { kind, content: { manifest, epoch: epoch + 1 } };
		default:
			return undefined;
	}
}

const isFinal = (word: Word) => word.kind === "manifest" && word.content.final;
const writesIn = (digest: string) => Number(digest.split(" with ")[1]);

/** What must be so outside the conversation before this is said. */
function isReady(world: World, index: number, side: Side, word: Word, rules: Rules): boolean {
	const { able, talks, said, rests } = sessionOf(world, index);
	const { kind } = word;
	if (kind === "thaw") return rests < rules.mostRests;
	if (kind === "accept" || kind === "vote") return able;
	// A round is announced when it is there, and once more when it was rehearsed.
	if (kind === "announce") return able && said.target.filter((sent) => sent.word.kind === kind).length < 2;
	const record = { epoch: talks[side].epoch + 1, node: nodeOf(index, side) };
	if (kind === "active") return able && (rules.record === "after active" || isSame(world.record, record));
	return true;
}
