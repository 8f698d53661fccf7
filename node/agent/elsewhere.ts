import { createHash } from "node:crypto";
import about from "../../package.json" with { type: "json" };
import type { Elsewhere, Place, RemotePlace, Source, Target } from "../volumes/volume.ts";
import type { Agent } from "./agent.ts";
import { Connection } from "./connection.ts";
import { RemoteSource } from "./remote-source.ts";
import { RemoteTarget } from "./remote-target.ts";

/** Volumes on machines. What is remembered of them lies there as well, under a name made of the scratch folder's here. */
export class Machinery implements Elsewhere {
	readonly #agentOf: (machine: string) => Agent;

	/** `agentOf` finds the agent of a machine by the machine's id. */
	constructor(agentOf: (machine: string) => Agent) {
		this.#agentOf = agentOf;
	}

	openSource(place: RemotePlace, scratch: string): Source {
		return new RemoteSource(this.#connect("source", place, scratch, []), scratch);
	}

	openTarget(place: RemotePlace, scratch: string, seeds: readonly Place[]): Target {
		const near = seeds.flatMap((seed) =>
			seed.kind === "remote" && seed.machine === place.machine && seed.volume === place.volume ? [seed.service] : [],
		);
		return new RemoteTarget(this.#connect("target", place, scratch, near), scratch, (other) =>
			isRehearsalOf(other, place),
		);
	}

	#connect(end: "source" | "target", { machine, service, volume }: RemotePlace, scratch: string, seeds: string[]) {
		const words = ["volume", end, about.version, service, volume, moveOf(scratch), ...seeds];
		return new Connection(this.#agentOf(machine), words);
	}
}

/** The name of what a machine remembers for a scratch folder of this node. */
export const moveOf = (scratch: string): string => createHash("sha256").update(scratch).digest("hex").slice(0, 32);

function isRehearsalOf(other: Place, place: RemotePlace): boolean {
	return (
		other.kind === "remote" &&
		other.rehearsal === true &&
		other.machine === place.machine &&
		other.service === place.service &&
		other.volume === place.volume
	);
}
