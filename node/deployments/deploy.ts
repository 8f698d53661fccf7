import type { Engine, Plan, Stage } from "../engines/engine.ts";
import type { Saga, Step } from "../jobs/saga.ts";
import type { Vault } from "../secrets/vault.ts";

/** What the sagas of a deployment work on and with. All of them start from the plan that is written in the job. */
export interface Input {
	readonly plan: Plan;
}

export interface Tools {
	readonly engine: Engine;
	readonly vault: Vault;
	/** Makes the domain point here, or makes sure that it does. */
	publish(plan: Plan): Promise<void>;
	/** Takes back what `publish` has set. */
	withdraw(plan: Plan): Promise<void>;
}

export type DeploymentStep = Step<Input, Tools>;

/** Story 1: from a domain and a choice of services to services that answer under it. */
export function deploy(engine: Engine): Saga<Input, Tools> {
	return {
		name: "deploy",
		steps: ({ plan }) => ({ records, ...throughStages(engine.stages(plan), takeBack) }),
	};
}

/** The engine's own stages as steps. Undoing the first of them undoes them all, since an engine makes whole plans true. */
export function throughStages(
	stages: readonly Stage[],
	undo?: NonNullable<DeploymentStep["undo"]>,
): Record<string, DeploymentStep> {
	return Object.fromEntries(
		stages.map((stage, n) => [stage.name, undo && n === 0 ? { ...stepOf(stage), undo } : stepOf(stage)]),
	);
}

/** For services that stay where they are, whatever becomes of the work. */
export const pointed: DeploymentStep = {
	verb: "records",
	title: "Point the domain here",
	seconds: 2,
	attempts: 5,
	do: ({ plan }, { publish }) => publish(plan),
};

export const records: DeploymentStep = { ...pointed, undo: ({ plan }, { withdraw }) => withdraw(plan) };

function stepOf(stage: Stage): DeploymentStep {
	const { verb, service, title, seconds, deadline } = stage;
	return { verb, ...(service && { service }), title, seconds, deadline, do: (_data, _tools, work) => stage.run(work) };
}

async function takeBack({ plan }: Input, { engine, vault }: Tools, work: Parameters<DeploymentStep["do"]>[2]) {
	await engine.apply({ ...plan, mode: "absent" }, work);
	await vault.remove(`${plan.deployment}/`);
}
