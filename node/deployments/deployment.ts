import type { Plan } from "../engines/engine.ts";

/** Services running for one customer under one domain. */
export interface Deployment {
	readonly id: string;
	readonly customer: string;
	readonly domain: string;
	readonly plan: Plan;
	readonly state: DeploymentState;
	readonly createdAt: number;
	/** When a removed deployment is erased, ms. */
	readonly keptUntil: number | null;
}

/** Which state may follow which. `gone` is kept as history; the domain is free again. */
const moves = {
	starting: ["serving", "gone"],
	/** From another node: its state comes first. */
	arriving: ["serving", "gone"],
	serving: ["frozen", "removing"],
	frozen: ["serving", "moved"],
	moved: ["erasing"],
	removing: ["kept", "serving"],
	kept: ["restoring", "erasing"],
	restoring: ["serving", "kept"],
	erasing: ["gone"],
	gone: [],
} as const;

export type DeploymentState = keyof typeof moves;

/** Throws when a deployment in one state cannot come into the other: that would be a bug. */
export function checkMove(from: DeploymentState, to: DeploymentState): void {
	const possible: readonly DeploymentState[] = moves[from];
	if (!possible.includes(to)) throw new Error(`A deployment that is ${from} cannot become ${to}`);
}

/**
 * What the engine should make true of a deployment in this state; while it changes, what was true before. But `starting` and
 * `restoring` count as serving: a start that is done is not done again after a kill. `arriving` does not: nothing may serve
 * before the hand-over, so its saga looks again (`serve` in arrive.ts).
 */
export function modeOf(state: DeploymentState): Plan["mode"] {
	const modes: Record<DeploymentState, Plan["mode"]> = {
		starting: "serving",
		arriving: "stopped",
		serving: "serving",
		removing: "serving",
		restoring: "serving",
		frozen: "frozen",
		moved: "frozen",
		kept: "stopped",
		erasing: "stopped",
		gone: "absent",
	};
	return modes[state];
}
