/** The yard of any kind, with the volume behind ssh and the agent: what its places are is known to the machine alone. */
import { join } from "node:path";
import { moveOf } from "../../node/agent/elsewhere.ts";
import { kindOf, type Place, type RemotePlace } from "../../node/volumes/volume.ts";
import type { SshMachine } from "../machine.ts";
import type { VolumeUnderTest, Yard } from "./volume.ts";

/** `machine` is started before the first yard is opened. */
export function remotely(machine: () => SshMachine, inner: VolumeUnderTest, only?: readonly string[]): VolumeUnderTest {
	return {
		skip: inner.skip,
		...(only && { only }),
		open: async (folder) => remote(machine(), await inner.open(folder)),
	};
}

function remote(machine: SshMachine, inner: Yard): Yard {
	const place = (service: string, of: Place, rehearsal = false): RemotePlace => ({
		...{ kind: "remote", of: kindOf(of), machine: machine.machine.id, service, volume: "data", rehearsal },
	});
	const [from, to, rehearsal] = [place("a/old", inner.from), place("b/new", inner.to), place("b/new", inner.to, true)];
	machine.declare("a/old", { units: [], volumes: { data: machine.declared(inner.from) } });
	const arriving = { ...machine.declared(inner.to), rehearsal: machine.declared(inner.rehearsal) };
	machine.declare("b/new", { units: [], volumes: { data: arriving } });
	const there = new Map<Place, Place>([
		[from, inner.from],
		[to, inner.to],
		[rehearsal, inner.rehearsal],
	]);
	const { damage } = inner;
	return {
		...{ from, to, rehearsal, hostile: inner.hostile, elsewhere: machine.elsewhere(), reach: machine.reach },
		populate: () => inner.populate(),
		occupy: () => inner.occupy(),
		change: () => inner.change(),
		grow: (bytes) => inner.grow(bytes),
		writeAllTheTime: () => inner.writeAllTheTime(),
		remove: (entries) => inner.remove(entries),
		damage: damage && ((scratch) => damage(join(machine.at("state"), "moves", moveOf(scratch), "scratch"))),
		contents: (one) => inner.contents(there.get(one) ?? one),
		close: () => inner.close(),
	};
}
