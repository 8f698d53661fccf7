import { getLogger, resetSync } from "@logtape/logtape";
import { afterEach, expect, test } from "vitest";
import type { Config } from "./config.ts";
import { configureLog } from "./log.ts";

afterEach(() => resetSync());

function logged(log: Config["log"], work: (logger: ReturnType<typeof getLogger>) => void): string[] {
	const lines: string[] = [];
	configureLog(log, (line) => lines.push(line));
	work(getLogger(["fediversity", "jobs"]));
	return lines;
}

test("JSON lines carry time, level, part and properties", () => {
	const [line = ""] = logged({ level: "info", format: "json" }, (log) => log.info("Started {job}", { job: "j1" }));
	expect(JSON.parse(line)).toMatchObject({
		level: "INFO",
		logger: "fediversity.jobs",
		message: 'Started "j1"',
		properties: { job: "j1" },
	});
	expect(line.endsWith("\n")).toBe(true);
});

test("text lines are for people", () => {
	expect(logged({ level: "info", format: "text" }, (log) => log.warn("Late"))[0]).toMatch(/^\d\d:.*warning.*Late\n$/i);
});

test("what is below the level is left out", () => {
	expect(logged({ level: "warning", format: "text" }, (log) => log.info("Quiet"))).toEqual([]);
});

test.each(["json", "text"] as const)("no secret gets into the log (%s)", (format) => {
	const lines = logged({ level: "debug", format }, (log) => {
		log.error("Sign-in with {password} as {name}", {
			password: "hunter2-a",
			name: "anna",
			request: { headers: { authorization: "hunter2-b", cookie: "hunter2-c" }, list: [{ apiToken: "hunter2-d" }] },
			voucherCode: "hunter2-e",
			clientSecret: "hunter2-f",
		});
		log.error("Sent Authorization: Bearer {what}", { what: "Bearer hunter2-g-long" });
	});
	expect(lines.join("")).not.toContain("hunter2");
	expect(lines.join("")).toContain("anna");
});
