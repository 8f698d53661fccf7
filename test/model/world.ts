/**
 * Two nodes, what lies between them, and the domain's record, as small as they can be without losing what matters.
 * A deployment's data is how many writes it has: who lacks one has fewer than were acknowledged.
 */
import type { begin, drop, expire, hear, say, serves, Talk, Word } from "#protocol/migration/conversation.ts";
import type { Side } from "#protocol/migration/messages.ts";

/** How nodes behave. The real rules are `real`; each known-bad variant differs from them in one point. */
export interface Rules {
	readonly begin: typeof begin;
	readonly say: typeof say;
	readonly hear: typeof hear;
	readonly drop: typeof drop;
	readonly expire: typeof expire;
	readonly serves: typeof serves;
	/** Whether services rest from the final manifest on. */
	readonly freezes: boolean;
	/** Whether a message is processed once and in its turn, by its number; otherwise whenever it comes. */
	readonly inbox: boolean;
	/** What of a crash between the two: state and outbox go into one transaction, or one of them is lost. */
	readonly outbox: "with the state" | "before the state" | "after the state";
	/** A restored node raises the epoch before it serves; or looks whom the record names; or just serves. */
	readonly restored: "raises" | "looks" | "serves";
	/** Whether the target serves only when the record names it, or from its last word to the source on. */
	readonly record: "before active" | "after active";
	/** Whether each signer has a chain of its own, or all messages of a session are one chain. */
	readonly chains: "each its own" | "one";
	/** Services rest so often in one session. */
	readonly mostRests: number;
	/** A node that was brought back in mid-move asks what it was heard saying before it does anything, or goes on as it is. */
	readonly past: "asks" | "guesses";
	/** Whether the other node says again what a node that was brought back has forgotten to have heard. */
	readonly repeats: boolean;
	/** When the source may have the record changed. */
	readonly handsOver: "once move is heard" | "at once";
}

/** How far the exploration goes. */
export interface Bounds {
	/** Manifests in the session there, and in the one back; none: nobody goes back. */
	readonly rounds: readonly [number, number];
	readonly writes: number;
	readonly restores: boolean;
	/** Either node is brought back once as it was at some time of the first session, and is not told. Then nothing else breaks. */
	readonly backups?: boolean;
}

/** A message on its way: what it says, and in a common chain how many messages its sender knew before. */
export interface Sent {
	readonly word: Word;
	readonly after: number | null;
}

export interface Session {
	readonly talks: Readonly<Record<Side, Talk>>;
	/** All that a side has said: its outbox. Each may arrive at any time, again and again, or for now not. */
	readonly said: Readonly<Record<Side, readonly Sent[]>>;
	/** How many messages of the other side a side has processed: its inbox. */
	readonly heard: Readonly<Record<Side, number>>;
	/** Writes in the copy that the target has checked; -1: it has none. */
	readonly copy: number;
	/** Whether the target will ever be able to run the services. */
	readonly able: boolean;
	/** Sent, and then forgotten by its sender: its number and message. */
	readonly stray: readonly (readonly [seq: number, sent: Sent])[];
	/** How often services have rested for it. */
	readonly rests: number;
}

export interface Node {
	/** In which its data counts; 0: it has none. */
	readonly epoch: number;
	readonly writes: number;
	/** Since it was started it has seen that the record names it, in its epoch. */
	readonly looked: boolean;
	/** From a backup that knows no session, or too little of it: the session goes on without this node. */
	readonly restored: boolean;
	/** It has seen that it said what it does not know, and calls the session off once it serves. */
	readonly lost: boolean;
}

/** What a backup of one node knows of the session. */
export interface Backup {
	readonly kind: "backup";
	readonly side: Side;
	readonly talk: Talk;
	readonly node: Node;
	readonly copy: number;
	readonly rests: number;
	/** How many messages that side has said since, and what it has heard. */
	readonly since: number;
	readonly missed: readonly Sent[];
}

/** Whether there is a backup; whether a node is back from it, and what is known to have been forgotten. */
export type Memory =
	| { readonly kind: "none" }
	| Backup
	| {
			/** The node has not asked anybody yet. */
			readonly kind: "unsure";
			readonly side: Side;
			readonly forgot: "nothing" | "something" | "that it serves";
			readonly missed: readonly Sent[];
	  }
	| {
			readonly kind: "over";
			/** Only people can go on. */
			readonly forgot?: "that it serves";
			/** It waits for what was said to it already. */
			readonly deaf?: Side;
			/** What it says is in places of its chain that are taken. */
			readonly mute?: Side;
	  };

export type Name = 0 | 1;

/** `_fediversity.<domain>`: e and a. */
export interface DnsRecord {
	readonly epoch: number;
	readonly node: Name;
}

/** A compare-and-swap that was sent: it may come to the name server late, and more than once. */
export interface Update {
	readonly from: DnsRecord;
	readonly to: DnsRecord;
}

export interface World {
	/** Node 0 to node 1, then back. */
	readonly sessions: readonly Session[];
	readonly nodes: readonly [Node, Node];
	readonly record: DnsRecord;
	readonly updates: readonly Update[];
	/** Acknowledged to users, and not given up by who brought an older backup back. */
	readonly writes: number;
	readonly memory: Memory;
	/** What a node would find the other one guilty of, though both keep the rules. */
	readonly accused?: string;
}

export const sides = ["source", "target"] as const;
export const other = (side: Side): Side => (side === "source" ? "target" : "source");
export const nodeOf = (session: number, side: Side): Name => ((session + (side === "source" ? 0 : 1)) % 2) as Name;

export function newSession(rules: Rules): Session {
	return {
		talks: { source: rules.begin("source"), target: rules.begin("target") },
		said: { source: [], target: [] },
		heard: { source: 0, target: 0 },
		copy: -1,
		able: true,
		stray: [],
		rests: 0,
	};
}

const nothing: Memory = { kind: "none" };

/** A deployment at node 0; its customer has a token of node 1. */
export function newWorld(rules: Rules): World {
	return {
		sessions: [newSession(rules)],
		nodes: [
			{ epoch: 1, writes: 0, looked: true, restored: false, lost: false },
			{ epoch: 0, writes: -1, looked: false, restored: false, lost: false },
		],
		record: { epoch: 1, node: 0 },
		updates: [],
		writes: 0,
		memory: nothing,
	};
}

export function sessionOf(world: World, index: number): Session {
	return world.sessions[index] as Session;
}

export function change(world: World, index: number, part: Partial<Session>): World {
	return { ...world, sessions: world.sessions.with(index, { ...sessionOf(world, index), ...part }) };
}

export function put(world: World, index: number, side: Side, talk: Talk): World {
	return change(world, index, { talks: { ...sessionOf(world, index).talks, [side]: talk } });
}

export function withNode(world: World, name: Name, part: Partial<Node>): World {
	return { ...world, nodes: world.nodes.with(name, { ...world.nodes[name], ...part }) as [Node, Node] };
}

/** Whether a node's services run: its last session allows it, and the record did when it last looked. */
export function isServing(world: World, name: Name, rules: Rules): boolean {
	const node = world.nodes[name];
	return node.looked && node.writes >= 0 && (node.restored || rules.serves(...lastOf(world, name)));
}

/** Whether a user's write is acknowledged there. */
export function takesWrites(world: World, name: Name, rules: Rules): boolean {
	const [side, state] = lastOf(world, name);
	const careless = !rules.freezes && side === "source" && (state === "frozen" || state === "voted");
	return isServing(world, name, rules) || (careless && world.nodes[name].looked);
}

function lastOf(world: World, name: Name): [Side, Talk["state"]] {
	const last = world.sessions.length - 1;
	const side = nodeOf(last, "source") === name ? "source" : "target";
	return [side, (world.sessions[last] as Session).talks[side].state];
}

/** What happens in which session, in words. */
export const named = (index: number, what: string) => (index === 0 ? what : `back: ${what}`);
