/** The domain's record: updates with a prerequisite, which may come late or twice. */
import type { Side } from "#protocol/migration/messages.ts";
import type { Step } from "./explore.ts";
import { type DnsRecord, named, nodeOf, type Rules, sessionOf, sides, type Update, type World } from "./world.ts";

type Steps = Generator<Step<World>>;

/** After `move` either side may ask the zone for the next epoch; updates arrive at the name server when they like. */
export function* recording(world: World, rules: Rules): Steps {
	for (const [index, { talks }] of world.sessions.entries())
		for (const side of sides)
			if (mayAsk(world, index, side, rules)) {
				const from = { epoch: talks[side].epoch, node: nodeOf(index, "source") };
				const to = { epoch: talks[side].epoch + 1, node: nodeOf(index, "target") };
				const asked = asking(world, { from, to });
				if (asked !== world) yield { what: named(index, `${side} asks for the next epoch`), to: asked, alone: true };
			}
	for (const { from, to } of world.updates)
		if (isSame(world.record, from))
			yield { what: `the record becomes e=${to.epoch}; a=${to.node}`, to: recorded(world, to), alone: true };
}

function mayAsk(world: World, index: number, side: Side, rules: Rules): boolean {
	const { talks, said } = sessionOf(world, index);
	const { memory } = world;
	if (talks[side].state !== "committed" || world.nodes[nodeOf(index, side)].restored) return false;
	if (memory.kind === "unsure" && memory.side === side) return false;
	return side === "target" || rules.handsOver === "at once" || said.source.length === 0;
}

export const isSame = (one: DnsRecord, two: DnsRecord) => one.epoch === two.epoch && one.node === two.node;

/** Updates that can never apply again are forgotten: their epoch is over. */
export function asking(world: World, ...updates: readonly Update[]): World {
	const isNew = (update: Update) =>
		update.from.epoch >= world.record.epoch &&
		!world.updates.some(({ from, to }) => isSame(from, update.from) && isSame(to, update.to));
	const fresh = updates.filter(isNew);
	if (fresh.length === 0) return world;
	return { ...world, updates: [...world.updates, ...fresh].sort((a, b) => orderOf(a) - orderOf(b)) };
}

const orderOf = ({ from, to }: Update) => ((from.epoch * 2 + from.node) * 16 + to.epoch) * 2 + to.node;

export function recorded(world: World, record: DnsRecord): World {
	if (record.epoch <= world.record.epoch) return { ...world, accused: "the epoch falls" };
	return { ...world, record, updates: world.updates.filter(({ from }) => from.epoch >= record.epoch) };
}
