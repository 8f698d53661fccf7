import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

/** Says what it hears, with a clock that is set from outside. */
const program = `
import { untilStopped } from ${JSON.stringify(join(import.meta.dirname, "stop.ts"))};
let now = 0;
const say = (text) => process.stdout.write(text + "\\n");
process.on("message", (at) => { now = at; say("clock " + at); });
untilStopped(() => { say("harder"); process.exit(130); }, () => now).then((why) => say("stop: " + why));
setInterval(() => {}, 1000);
say("ready");
`;

let child: ChildProcess;
beforeEach(async () => {
	const args = ["--input-type=module", "--eval", program];
	child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
	await heard("ready");
});
afterEach(() => child.kill("SIGKILL"));

async function heard(text: string): Promise<void> {
	for await (const [chunk] of on(child)) if (String(chunk).includes(text)) return;
}
async function* on(child: ChildProcess): AsyncGenerator<[Buffer]> {
	while (child.stdout) yield (await once(child.stdout, "data")) as [Buffer];
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s asks to stop", async (signal) => {
	child.kill(signal);
	await heard(`stop: ${signal}`);
});

test("one key press that arrives several times is one; a later one is not", async () => {
	child.kill("SIGINT");
	await heard("stop: SIGINT");
	child.kill("SIGINT");
	child.kill("SIGTERM");
	child.send(1500);
	await heard("clock 1500");
	expect(child.exitCode).toBe(null);
	child.kill("SIGINT");
	expect(await once(child, "exit")).toEqual([130, null]);
});

test("so does the end of whoever started it", async () => {
	child.disconnect();
	await heard("stop: the process that started this one has ended");
});
