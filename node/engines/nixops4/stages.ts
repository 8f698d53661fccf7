import { serviceNamed } from "../../services/catalogue.ts";
import type { Plan, Report, Stage } from "../engine.ts";

/** What the engine does on the way to a plan: a run of NixOps4 serves `machine` and `system`, another one to the same plan `again`, the agent the others. */
export type Step = "machine" | "system" | "again" | "mend" | "wait" | "rest" | "empty" | "return";

type Take = (step: Step, service: string | undefined, report: Report) => Promise<void>;

const hour = 3600;

/** The stages to a plan, the same ones however often they are asked for; `back`: to one that has been true. */
export function stagesTo(plan: Plan, take: Take, back = false): Stage[] {
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
	const system = (step: Step) => toAll(step, "Build the machine's system and switch to it", 600, 2 * hour);
	const check = toEach("wait", "check", "Check that {service} answers", 30, hour);
	if (back) return [system("again"), ...toEach("mend", "mend", "Put {service} right", 10, hour), ...check];
	if (plan.mode === "serving")
		return [toAll("machine", "Find a machine for the services", 5, 300), system("system"), ...check];
	const rest = toEach("rest", "stop", "Stop {service}", 5, 300);
	if (plan.mode !== "absent") return rest;
	return [
		...rest,
		...toEach("empty", "erase", "Erase {service} and look that it is gone", 5, hour),
		toAll("return", "Give the machine back", 300, hour),
	];
}
