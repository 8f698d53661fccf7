/** A node is brought back as it was in the middle of a move, by people who copy a file back and tell nobody. */
import type { Side } from "#protocol/migration/messages.ts";
import type { Step } from "./explore.ts";
import { asking } from "./record.ts";
import {
	type Backup,
	change,
	type Memory,
	nodeOf,
	other,
	put,
	type Rules,
	type Sent,
	sessionOf,
	sides,
	type World,
	withNode,
} from "./world.ts";

type Steps = Generator<Step<World>>;
type Unsure = Extract<Memory, { kind: "unsure" }>;

/** Whether a side has been brought back and has not asked yet what it was heard saying. */
export const isUnsure = ({ memory }: Pick<World, "memory">, side: Side) =>
	memory.kind === "unsure" && memory.side === side;

/** Whether what comes next to a side stands behind something that it has forgotten to have heard. */
export function isDeaf({ memory }: World, side: Side): boolean {
	if (memory.kind === "over") return memory.deaf === side;
	return memory.kind === "unsure" && memory.side === side && memory.missed.length > 0;
}

/** One backup, once; then the node asks. */
export function* backingUp(world: World, rules: Rules): Steps {
	const { memory } = world;
	if (memory.kind === "none")
		for (const side of sides) {
			const to = backedUp(world, side);
			if (to) yield { what: `${side} is backed up`, to, alone: false };
		}
	if (memory.kind === "backup") {
		const to = back(world, memory);
		const what = `${memory.side} is brought back as it was when it was ${memory.talk.state}`;
		yield { what, to: rules.past === "asks" ? to : guessing(to), alone: false };
	}
	if (memory.kind === "unsure")
		yield {
			what: `${memory.side} learns that it has forgotten ${memory.forgot}`,
			to: known(world, memory, rules),
			alone: true,
		};
}

/** Keeps account of what is said after a backup: by `speaker`, or, once it is `heard`, to the other side. */
export function remembering(world: World, speaker: Side, heard?: Sent): World {
	const { memory } = world;
	if (memory.kind !== "backup") return world;
	if (!heard) return memory.side === speaker ? { ...world, memory: { ...memory, since: memory.since + 1 } } : world;
	return memory.side === speaker ? world : { ...world, memory: { ...memory, missed: [...memory.missed, heard] } };
}

/** A target of which no offer has come knows of nobody whom it could ask. */
function backedUp(world: World, side: Side): World | undefined {
	const { talks, copy, rests } = sessionOf(world, 0);
	const node = world.nodes[nodeOf(0, side)];
	const talk = talks[side];
	if (node.restored || talk.state === "issued") return undefined;
	return { ...world, memory: { kind: "backup", side, talk, node, copy, rests, since: 0, missed: [] } };
}

/** What was said since and not heard yet is gone with the machine. (What is on its way then, to the name server too, comes before it asks, or never.) */
function back(world: World, backup: Backup): World {
	const { side, talk, node, copy, rests, since, missed } = backup;
	const session = sessionOf(world, 0);
	const unheard = session.said[side];
	const gone = Math.min(since, unheard.length);
	const served = isTargets(world) && side === "target" && !servesThere(talk.state);
	const forgot = since === gone ? "nothing" : served && gone === 0 ? "that it serves" : "something";
	const said = { ...session.said, [side]: unheard.slice(0, unheard.length - gone) };
	const to = change(put(world, 0, side, talk), 0, { said, ...(side === "target" ? { copy } : { rests }) });
	const memory: Unsure = { kind: "unsure", side, forgot, missed };
	const asksAgain = side === "target" || talk.state === "taken-back";
	const updates = world.updates.filter(({ to }) => asksAgain || to.node !== 0);
	return withNode({ ...to, writes: declared(world, backup, forgot), memory, updates }, nodeOf(0, side), {
		...node,
		looked: false,
	});
}

const servesThere = (state: string) => state === "active" || state === "closed";
const isTargets = (world: World) => servesThere(sessionOf(world, 0).talks.target.state);

/** Who brings a backup back has said that what users wrote there after it is gone. */
function declared(world: World, { side, talk, node }: Backup, forgot: Unsure["forgot"]): number {
	const { writes } = world;
	if (side === "source") return isTargets(world) || forgot !== "nothing" ? writes : Math.min(writes, node.writes);
	if (!isTargets(world)) return writes;
	return Math.min(writes, servesThere(talk.state) ? node.writes : sessionOf(world, 0).copy);
}

/** Goes on as if nothing had been: what it says then stands where the other side has something else. */
function guessing(world: World): World {
	const { side, forgot, missed } = world.memory as Unsure;
	return {
		...world,
		memory: { kind: "over", ...(forgot !== "nothing" && { mute: side }), ...(missed.length > 0 && { deaf: side }) },
	};
}

function known(world: World, { side, forgot, missed }: Unsure, rules: Rules): World {
	const over = { ...world, memory: { kind: "over" } as const };
	const { said, talks } = sessionOf(world, 0);
	if (forgot === "nothing") {
		if (!rules.repeats && missed.length > 0) return { ...world, memory: { kind: "over", deaf: side } };
		return change(over, 0, { said: { ...said, [other(side)]: [...missed, ...said[other(side)]] } });
	}
	if (side === "source") {
		const { epoch } = world.nodes[0];
		const to = change(over, 0, { said: { ...said, source: [] } });
		const update = { from: { epoch, node: 0 }, to: { epoch: epoch + 1, node: 0 } } as const;
		return asking(withNode(to, 0, { epoch: epoch + 1, looked: false, restored: true, lost: true }), update);
	}
	if (forgot === "that it serves")
		return withNode({ ...world, memory: { kind: "over", forgot } }, 1, { restored: true });
	const word = { kind: "reject" } as const;
	const talk = rules.say(side, talks.target, word);
	if (!talk) return over;
	const to = change(put(over, 0, side, talk), 0, { said: { ...said, target: [{ word, after: null }] } });
	return withNode(to, 1, { lost: true });
}
