import { getLogger, resetSync, withContext } from "@logtape/logtape";
import { afterEach, expect, test } from "vitest";
import type { Config } from "../config.ts";
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

test.each(["json", "text"] as const)(
	"a secret hides by its looks too, within errors and other texts (%s)",
	(format) => {
		const told = [
			"fdv_q8Lw0d1cTJr2bWk3c5v7xw9y1z2a3b4c5d6e7f8g9h0",
			"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			"session=q8Lw0d1cTJr2bWk3c5v7xw9y1z2a3b4c5d6e7f8g9h0",
			"__Host-session=q8Lw0d1cTJr2bWk3c5v7xw9y1z2a3b4c5d6e7f8g9h0",
			"smtp://me:q8Lw0d1c@mail.example",
			"north-7KQX-q8Lw-q8lw-Q8LW-q8Lw",
			'{"password":"q8Lw"}',
			String.raw`{\"password\":\"q8Lw\"}`,
			"password=q8Lw&name=anna",
			"$argon2id$v=19$m=19456,t=2,p=1$q8Lwq8Lw$q8Lwq8Lw",
			"-----BEGIN PRIVATE KEY-----\nq8Lw\n-----END PRIVATE KEY-----",
		];
		const lines = logged({ level: "info", format }, (log) => {
			for (const text of told) {
				log.info("It said {text}", { text });
				log.error("It broke: {error}", { error: new Error(text, { cause: new Error(text) }) });
				log.info(text);
				log.info("Deep {thing}", { thing: { list: [{ text }] } });
			}
		});
		expect(lines.join("")).not.toMatch(/q8lw|MfKQ9/i);
		expect(lines.join("")).toContain("7KQX-[hidden]");
		expect(lines.length).toBe(told.length * 4);
	},
);

test("a harmless property with a secret's value shows no secret in the message", () => {
	const [line] = logged({ level: "info", format: "text" }, (log) =>
		log.info("{password} {name}", { password: "hunter2", name: "hunter2" }),
	);
	expect(line).not.toContain("hunter2");
});

test.each([
	["in the message", "x\n12:00 [error] fake", {}],
	["in a property", "{a}", { a: "x\n12:00 [error] fake" }],
	["in an error", "{a}", { a: new Error("x\n12:00 [error] fake") }],
])("a second line %s cannot pass for a line of its own", (_, message, properties) => {
	const [line = ""] = logged({ level: "info", format: "text" }, (log) => log.info(message, properties));
	expect(line).toContain("[error] fake");
	expect(line).not.toMatch(/^12:00/m);
});

test("lines carry the id of the request they belong to", () => {
	for (const format of ["json", "text"] as const) {
		const [line] = logged({ level: "info", format }, (log) => withContext({ request: "r-17" }, () => log.info("Done")));
		expect(line).toContain("r-17");
	}
});
