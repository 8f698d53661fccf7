import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { fromPs, isRunning, processTable, startOf } from "./process-table.ts";

const asMacPrints = `    1     1     0 Ss   Mon Nov  2 09:00:01 2026     /sbin/launchd
  501   501   501 S    Sun Nov 22 12:59:38 2026     node serve.mjs PATH=/bin FEDIVERSITY_UNIT=north/dep1/wiki FEDIVERSITY_UNIT_PRINT=0123456789abcdef HOME=/x
  502   501   501 Z    Sun Nov 22 12:59:39 2026     (node)
  503   503   501 S    Sun Nov 22 12:59:40 2026     grep NOT_FEDIVERSITY_UNIT=north/dep1/wiki
`;

describe("what ps prints on macOS", () => {
	test("is read with markers and start times, without the dead", () => {
		expect(fromPs(asMacPrints)).toEqual([
			{ pid: 1, group: 1, user: 0, started: "Mon Nov  2 09:00:01 2026", unit: null, fingerprint: null },
			{
				...{ pid: 501, group: 501, user: 501, started: "Sun Nov 22 12:59:38 2026" },
				...{ unit: "north/dep1/wiki", fingerprint: "0123456789abcdef" },
			},
			{ pid: 503, group: 503, user: 501, started: "Sun Nov 22 12:59:40 2026", unit: null, fingerprint: null },
		]);
	});
});

describe("the processes of this machine", () => {
	test("show what we started, with its group, user and marker, until it has ended", async () => {
		const env = { PATH: process.env["PATH"], FEDIVERSITY_UNIT: "some node/dep/x", FEDIVERSITY_UNIT_PRINT: "abc" };
		const child = spawn("sleep", ["1000"], {
			detached: true,
			stdio: "ignore",
			env: { ...env, FEDIVERSITY_UNIT: "some/dep/x" },
		});
		await once(child, "spawn");
		const pid = child.pid ?? 0;
		const found = (await processTable()).find((one) => one.pid === pid);
		expect(found).toMatchObject({ group: pid, unit: "some/dep/x", fingerprint: "abc", user: process.getuid?.() });
		expect(await startOf(pid)).toBe(found?.started);
		expect(await isRunning({ pid, started: found?.started ?? "" })).toBe(true);
		expect(await isRunning({ pid, started: "another time" }), "a later process with this number").toBe(false);
		child.kill("SIGKILL");
		await once(child, "exit");
		expect(await isRunning({ pid, started: found?.started ?? "" })).toBe(false);
		expect(await startOf(pid)).toBe("");
	});

	test.skipIf(process.platform !== "linux")("leave out the dead that nobody has reaped", async () => {
		// The shell becomes sleep, which never asks about the child it so inherits.
		const child = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 1000"], {
			stdio: ["ignore", "pipe", "ignore"],
		});
		const [line] = await once(child.stdout, "data");
		const zombie = Number(String(line));
		try {
			while ((await startOf(zombie)) !== "") await new Promise((done) => setTimeout(done, 5));
			process.kill(zombie, 0);
			expect((await processTable()).filter(({ pid }) => pid === zombie)).toEqual([]);
		} finally {
			child.kill("SIGKILL");
		}
	});

	test("are found under names that hold spaces and parentheses", async () => {
		const child = spawn("sh", ["-c", 'cp "$(command -v sleep)" "/tmp/a) R 1 (b $$"; exec "/tmp/a) R 1 (b $$" 1000'], {
			detached: true,
			stdio: "ignore",
		});
		await once(child, "spawn");
		const pid = child.pid ?? 0;
		while (!(await nameOf(pid)).includes("a) R 1")) await new Promise((done) => setTimeout(done, 5));
		expect((await processTable()).find((one) => one.pid === pid)).toMatchObject({ group: pid });
		child.kill("SIGKILL");
		await once(child, "exit");
		spawn("rm", ["-f", `/tmp/a) R 1 (b ${pid}`]);
	});
});

async function nameOf(pid: number): Promise<string> {
	const { readFile } = await import("node:fs/promises");
	return readFile(process.platform === "linux" ? `/proc/${pid}/comm` : "/dev/null", "utf8");
}
