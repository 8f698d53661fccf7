import { serviceNamed } from "../../services/catalogue.ts";
import type { Plan, Report, Stage } from "../engine.ts";

/** What the engine does on the way to a plan: a run of NixOps4 serves `machine` and `system`, the agent the others. */
export type Step = "machine" | "system" | "wait" | "rest" | "empty" | "return";

type Take = (step: Step, service: string | undefined, report: Report) => Promise<void>;

const hour = 3600;

/** The stages to a plan, the same ones however often they are asked for. */
export function stagesTo(plan: Plan, take: Take): Stage[] {
	const toAll = (step: Step, title: string, seconds: number, deadline: number): Stage => ({
		...{ name: step, verb: step, title, seconds, deadline },
		run: (report) => take(step, undefined, report),
	});
	const toEach = (step: Step, verb: string, title: string, seconds: number, deadline: number): Stage[] =>
		plan.services.map(({ name: service }) => ({
			...{ name: `${verb}:${service}`, verb, service, seconds, deadline },
			title: title.replace("{service}", serviceNamed(service)?.title ?? service),
			run: (report) => take(step, service, report),
		}));
	if (plan.mode === "serving")
		return [
			toAll("machine", "Find a machine for the services", 5, 300),
			toAll("system", "Build the machine's system and switch to it", 600, 2 * hour),
			...toEach("wait", "check", "Check that {service} answers", 30, hour),
		];
	const rest = toEach("rest", "stop", "Stop {service}", 5, 300);
	if (plan.mode !== "absent") return rest;
	return [
		...rest,
		...toEach("empty", "erase", "Erase {service} and look that it is gone", 5, hour),
		toAll("return", "Give the machine back", 300, hour),
	];
}
