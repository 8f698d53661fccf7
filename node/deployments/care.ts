import type { Saga, Step } from "../jobs/saga.ts";
import type { Input, Tools } from "./deploy.ts";

/** Small work on a deployment that goes on serving: restarting, and setting a first account's password. */
export interface CareInput extends Input {
	readonly services: readonly string[];
	/** Where in the vault the wished password waits; a name of its own, so that two wishes cannot mix. */
	readonly wished?: string;
}

type CareStep = Step<CareInput, Tools>;

export const restart: Saga<CareInput, Tools> = {
	name: "restart",
	steps: ({ services }) => Object.fromEntries(services.map((service) => [`restart:${service}`, restartOf(service)])),
};

function restartOf(service: string): CareStep {
	return {
		verb: "restart",
		service,
		title: `Restart ${service}`,
		seconds: 5,
		do: ({ plan }, { engine }, work) => engine.restart(plan, service, work),
	};
}

/** Where a service's passwords lie in the vault: the one that is valid, and the one to go back to. */
export function passwordNames(deployment: string, service: string) {
	const valid = `${deployment}/${service}/password`;
	return { valid, former: `${valid}-former` };
}

export const setPassword: Saga<CareInput, Tools> = {
	name: "set-password",
	steps: ({ services: [service = ""] }) => ({
		[`password:${service}`]: change(service),
		[`settle:${service}`]: settle(service),
	}),
};

function change(service: string): CareStep {
	return {
		verb: "password",
		service,
		title: `Give ${service} the new password`,
		seconds: 3,
		do: async ({ plan, wished = "" }, { engine, vault }, work) => {
			const { valid, former } = passwordNames(plan.deployment, service);
			const before = (await vault.get(valid)) ?? "";
			await vault.obtain(former, () => before);
			await vault.put(valid, (await vault.get(wished)) ?? before);
			await engine.setPassword(plan, service, work);
		},
		undo: async ({ plan, wished = "" }, { engine, vault }, work) => {
			const { valid, former } = passwordNames(plan.deployment, service);
			const before = await vault.get(former);
			if (before === undefined) return;
			await vault.put(valid, before);
			await engine.setPassword(plan, service, work);
			await vault.remove(wished);
			await vault.remove(former);
		},
	};
}

function settle(service: string): CareStep {
	return {
		verb: "settle",
		service,
		title: "Forget the old password",
		seconds: 1,
		do: async ({ plan, wished = "" }, { vault }) => {
			await vault.remove(wished);
			await vault.remove(passwordNames(plan.deployment, service).former);
		},
	};
}
