import type { Engine } from "../engines/engine.ts";
import type { Saga } from "../jobs/saga.ts";
import { type DeploymentStep, type Input, pointed, type Tools, throughStages } from "./deploy.ts";

const stop: DeploymentStep = {
	verb: "stop",
	title: "Stop the services and keep what they hold",
	seconds: 3,
	do: ({ plan }, { engine }, work) => engine.apply({ ...plan, mode: "stopped" }, work),
	undo: ({ plan }, { engine }, work) => engine.apply({ ...plan, mode: "serving" }, work),
};

/** Erasing cannot be taken back: the engine answers only when it has looked and nothing is left. */
const erasure: DeploymentStep = {
	verb: "erase",
	title: "Erase everything the services hold, and make sure it is gone",
	seconds: 3,
	pivot: true,
	do: async ({ plan }, { engine, vault }, work) => {
		await engine.apply({ ...plan, mode: "absent" }, work);
		await vault.remove(`${plan.deployment}/`);
	},
};

const unpoint: DeploymentStep = {
	verb: "withdraw",
	title: "Take back the domain's records",
	seconds: 2,
	do: ({ plan }, { withdraw }) => withdraw(plan),
};

/** First half of removing: nothing serves any more, everything is kept. */
export const remove: Saga<Input, Tools> = { name: "remove", steps: () => ({ stop }) };

/** Second half, after the days of grace or at the customer's word. */
export const erase: Saga<Input, Tools> = { name: "erase", steps: () => ({ erase: erasure, withdraw: unpoint }) };

/** A removed deployment comes back, in its days of grace. */
export function restore(engine: Engine): Saga<Input, Tools> {
	const keep: NonNullable<DeploymentStep["undo"]> = ({ plan }, tools, work) =>
		tools.engine.apply({ ...plan, mode: "stopped" }, work);
	return {
		name: "restore",
		steps: ({ plan }) => ({ records: pointed, ...throughStages(engine.stages({ ...plan, mode: "serving" }), keep) }),
	};
}
