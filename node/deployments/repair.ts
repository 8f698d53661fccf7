import type { Engine } from "../engines/engine.ts";
import type { Saga } from "../jobs/saga.ts";
import { type Input, pointed, type Tools, throughStages } from "./deploy.ts";

/**
 * Sets up again what has drifted from how it was set up. There is nothing to take back: each step leaves things more as they
 * should be. The domain comes last, since its records may be for somebody else to mend.
 */
export function repair(engine: Engine): Saga<Input, Tools> {
	return {
		name: "repair",
		steps: ({ plan }) => ({ ...throughStages(engine.repair({ ...plan, mode: "serving" })), records: pointed }),
	};
}
