import { expect, test } from "vitest";
import type { Plan, Report } from "../engine.ts";
import { stagesTo } from "./stages.ts";

const services = ["pixelfed", "garage"].map((name) => ({ name }));
const report = {} as Report;

test.each<[Plan["mode"], string[], (string | undefined)[][]]>([
	[
		"serving",
		["machine", "system", "check:pixelfed", "check:garage"],
		[["machine"], ["system"], ["wait", "pixelfed"], ["wait", "garage"]],
	],
	[
		"frozen",
		["stop:pixelfed", "stop:garage"],
		[
			["rest", "pixelfed"],
			["rest", "garage"],
		],
	],
	[
		"stopped",
		["stop:pixelfed", "stop:garage"],
		[
			["rest", "pixelfed"],
			["rest", "garage"],
		],
	],
	[
		"absent",
		["stop:pixelfed", "stop:garage", "erase:pixelfed", "erase:garage", "return"],
		[["rest", "pixelfed"], ["rest", "garage"], ["empty", "pixelfed"], ["empty", "garage"], ["return"]],
	],
])("to a plan that is %s: each service by itself, what is for all of them once", async (mode, names, steps) => {
	const taken: (string | undefined)[][] = [];
	const plan = { deployment: "d1", domain: "choir.example", mode, services } as unknown as Plan;
	const stages = stagesTo(plan, async (step, service, told) => {
		expect(told).toBe(report);
		taken.push(service === undefined ? [step] : [step, service]);
	});
	expect(stages.map(({ name }) => name)).toEqual(names);
	for (const stage of stages) await stage.run(report);
	expect(taken).toEqual(steps);
	// A person reads these, and a job gives up by them.
	for (const { name, verb, service, title, seconds, deadline } of stages) {
		expect([name, title]).toEqual([
			service === undefined ? verb : `${verb}:${service}`,
			expect.not.stringMatching(/[{}]/),
		]);
		if (service) expect(title).toContain({ pixelfed: "Pixelfed", garage: "Garage" }[service]);
		expect(deadline).toBeGreaterThanOrEqual(10 * seconds);
	}
});
