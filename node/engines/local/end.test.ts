import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { endFor, hasEnded, signalTo } from "./end.ts";
import { startOf } from "./process-table.ts";

const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function started(script: string): Promise<number> {
	const lines = `${script}; echo ready; while :; do sleep 0.05; done`;
	const child = spawn("sh", ["-c", lines], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
	children.push(child);
	await once(child.stdout, "data");
	return child.pid ?? 0;
}

describe("ending processes", () => {
	test("goes on until none is left, also when others come while the first are ended", async () => {
		const [first, second] = [await started(":"), await started(":")];
		// The second belongs from the second look on; every look begins with the first process of all.
		let looks = 0;
		await endFor(({ pid }) => {
			if (pid === 1) looks++;
			return pid === first || (pid === second && looks > 1);
		}, null);
		expect(await startOf(first)).toBe("");
		expect(await startOf(second)).toBe("");
	});

	test("asks those that lead a group, and kills only who has not heard in time", async () => {
		const [polite, deaf] = [await started('trap "exit 0" TERM'), await started('trap "" TERM')];
		await endFor(({ pid }) => pid === polite || pid === deaf, { signal: "SIGTERM", seconds: 0.5 });
		for (const child of children) if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
		expect(children.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([0, "SIGKILL"]);
	});

	test("is done at once when there is none", async () => {
		await endFor(() => false, { signal: "SIGTERM", seconds: 1000 });
	});
});

describe("a signal", () => {
	test("reaches only the process that was meant, not a later one with its number", async () => {
		const pid = await started("trap 'exit 7' TERM");
		await signalTo({ pid, started: "long ago" }, "SIGKILL");
		await signalTo({ pid, started: "" }, "SIGKILL");
		await signalTo({ pid, started: await startOf(pid) }, "SIGTERM");
		const [child] = children;
		if (child?.exitCode === null && child.signalCode === null) await once(child, "exit");
		expect(child?.exitCode).toBe(7);
	});
});

describe("waiting", () => {
	test("ends with yes as soon as it is so, or with no when the time is over", async () => {
		let asked = 0;
		expect(await hasEnded(async () => ++asked === 3, 1000)).toBe(true);
		expect(asked).toBe(3);
		expect(await hasEnded(async () => false, 0)).toBe(false);
	});
});
