/** The migration as a model that can be explored: the node's own rules, in a world where everything may go wrong. */

import type { SourceState } from "#protocol/migration/conversation.ts";
import * as conversation from "#protocol/migration/conversation.ts";
import { mostRests } from "../../node/migrations/resting.ts";
import { isUnsure } from "./backups.ts";
import type { Model } from "./explore.ts";
import { stepsOf } from "./steps.ts";
import { type Bounds, isServing, newWorld, nodeOf, type Rules, sides, type World } from "./world.ts";

/** As nodes are meant to behave. */
export const real: Rules = {
	...conversation,
	freezes: true,
	inbox: true,
	outbox: "with the state",
	restored: "raises",
	record: "before active",
	chains: "each its own",
	mostRests,
	past: "asks",
	repeats: true,
	handsOver: "once move is heard",
};

type Rule = (world: World, rules: Rules) => boolean;

/** The source has said `move`. */
const moved: readonly string[] = ["committed", "done", "erased", "taken-back"] satisfies SourceState[];

/** What must never be, in any world. */
export const never = {
	"two serve": (world, rules) => isServing(world, 0, rules) && isServing(world, 1, rules),
	"who serves lacks an acknowledged write": (world, rules) =>
		([0, 1] as const).some((name) => isServing(world, name, rules) && world.nodes[name].writes < world.writes),
	"one serves whom the record does not name": ({ record, ...world }, rules) =>
		([0, 1] as const).some((name) => {
			const named = record.node === name && record.epoch === world.nodes[name].epoch;
			return isServing({ record, ...world }, name, rules) && !named;
		}),
	"the source erased what the target never served": ({ sessions, memory }) =>
		!("forgot" in memory && memory.forgot === "that it serves") &&
		sessions.some(({ talks }) => talks.source.state === "erased" && !["active", "closed"].includes(talks.target.state)),
	"a time can still end a session that moved": ({ sessions, nodes, ...world }, rules) =>
		sessions.some(
			({ talks }, index) =>
				moved.includes(talks.source.state) &&
				sides.some(
					(side) =>
						!nodes[nodeOf(index, side)].restored &&
						!isUnsure(world, side) &&
						(["token", "reservation", "freeze"] as const).some((timer) => rules.expire(timer, side, talks[side].state)),
				),
		),
	"services rest too often": ({ sessions }, rules) =>
		sessions.some(({ rests }) => rests > Math.min(rules.mostRests, mostRests)),
	"a peer that keeps the rules is accused": ({ accused }) => accused !== undefined,
} as const satisfies Record<string, Rule>;

export type Never = keyof typeof never;

/** Explores with these rules; looks for everything that must never be, or for one thing alone. */
export function migration(rules: Rules, bounds: Bounds, only?: Never | "nobody can serve again"): Model<World> {
	const watched = Object.entries(never).filter(([name]) => only === undefined || only === name);
	const accusing = only === undefined || only === "a peer that keeps the rules is accused";
	const hoping = only === undefined || only === "nobody can serve again";
	return {
		start: newWorld(rules),
		*steps(world) {
			// Where nobody looks for accusations, the message is just not taken.
			for (const step of stepsOf(world, rules, bounds)) if (accusing || step.to.accused === undefined) yield step;
		},
		key: keys(),
		wrong(world) {
			const found = watched.find(([, isWrong]) => isWrong(world, rules));
			return found && (world.accused ? `${found[0]}: ${world.accused}` : found[0]);
		},
		...(hoping && {
			hoped: (world: World) => isServing(world, 0, rules) || isServing(world, 1, rules) || isForPeople(world),
		}),
	};
}

/** Only people can say what becomes of a target that has forgotten that it serves. */
const isForPeople = ({ memory }: World) => memory.kind === "over" && memory.forgot === "that it serves";

/** Short keys: what recurs in many worlds gets a number. */
function keys(): (world: World) => string {
	const numbers = new Map<string, number>();
	const seen = new WeakMap<object, number>();
	const number = (part: object): number => {
		let known = seen.get(part);
		if (known === undefined) {
			const text = JSON.stringify(part);
			known = numbers.get(text) ?? numbers.size;
			numbers.set(text, known);
			seen.set(part, known);
		}
		return known;
	};
	return ({ sessions, nodes, record, updates, writes, memory, accused = "" }) => {
		const rest = [record, updates, memory].map(number);
		const parts = [...sessions.map(sessionKey), ...nodes.map(number), ...rest, writes];
		return `${parts.join(" ")}${accused}`;
	};

	function sessionKey({ talks, said, heard, copy, able, stray, rests }: World["sessions"][number]): string {
		const lists = [said.source, said.target].map((list) => list.map(number).join("."));
		const talked = `${number(talks.source)}.${number(talks.target)}`;
		return `${talked}/${lists.join("/")}/${heard.source}.${heard.target}.${copy}.${able ? 1 : 0}.${stray.length}.${rests}`;
	}
}
