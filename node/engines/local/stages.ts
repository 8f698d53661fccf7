import type { Plan, Report, Stage } from "../engine.ts";
import type { LocalService } from "./local-service.ts";
import type { Recipe } from "./recipe.ts";

/** How a stage gets at its service: the last word on a plan counts, and one piece of work at a time for each service. */
export type Reach = (plan: Plan, service: string, work: (service: LocalService) => Promise<void>) => Promise<void>;

type Doing = (service: LocalService, report: Report) => Promise<void>;

/** The stages to a plan, service by service in the plan's order. `title` gives the services' names for people. */
export function stagesTo(
	plan: Plan,
	recipe: (service: string) => Recipe,
	title: (service: string) => string,
	reach: Reach,
	steps = stepsToServe,
): Stage[] {
	return plan.services.flatMap(({ name: service }) => {
		const stage = (verb: string, sentence: string, seconds: number, deadline: number, doing: Doing): Stage => ({
			name: `${verb}:${service}`,
			verb,
			service,
			title: sentence.replace("{service}", title(service)),
			seconds,
			deadline,
			run: (report) => reach(plan, service, (found) => doing(found, report)),
		});
		if (plan.mode === "serving") return inSteps(steps(recipe(service)), recipe(service), stage);
		const { seconds } = recipe(service).stop;
		const stop = stage("stop", "Stop {service}", 2, seconds + 60, (found, report) => found.stop(report));
		if (plan.mode !== "absent") return [stop];
		return [
			stop,
			stage("erase", "Erase {service} and look that it is gone", 2, 600, (found, report) => found.erase(report)),
		];
	});
}

/** What brings a service up, in this order. */
export type Step = "get" | "configure" | "mend" | "start" | "account" | "check";

export function stepsToServe({ account }: Recipe): readonly Step[] {
	if (!account) return ["get", "configure", "start", "check"];
	return account.while === "stopped"
		? ["get", "configure", "account", "start", "check"]
		: ["get", "configure", "start", "account", "check"];
}

/** What puts a service right that has been set up before. */
export function stepsBack({ account }: Recipe): readonly Step[] {
	return account ? ["get", "mend", "account", "check"] : ["get", "mend", "check"];
}

function inSteps(
	steps: readonly Step[],
	recipe: Recipe,
	stage: (verb: string, title: string, seconds: number, deadline: number, doing: Doing) => Stage,
): Stage[] {
	const { usually, atMost } = recipe.ready;
	const about: Record<Step, readonly [title: string, seconds: number, deadline: number]> = {
		get: ["Get {service}", recipe.obtainSeconds, 900],
		configure: ["Set up {service}", 1, 120],
		mend: ["Put {service} right", usually, atMost + 180],
		start: ["Start {service}", usually, atMost + 60],
		account: ["Make the first account in {service}", 1, 120],
		check: ["Check that {service} answers", 1, 60],
	};
	return steps.map((step) => stage(step, ...about[step], (found, report) => found[step](report)));
}
