/** How services are kept apart, for real: root has more means than others, so tests say which they need. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { TinyNode } from "../../../test/contracts/tiny/tiny-node.ts";
import { ask, eventually, listening, planFor, running } from "../../../test/contracts/tiny/world.ts";
import { powersHere } from "./powers.ts";

vi.setConfig({ testTimeout: 60_000 });

const powers = await powersHere({ PATH: process.env["PATH"] ?? "" });
const node = new TinyNode();

/** Where walls cannot be got round, services have users of their own only if there are no walls. */
beforeEach(() => {
	if (powers.mounts !== "root") chmodSync(node.folder, 0o711);
});

describe.skipIf(process.platform !== "linux")("on Linux", () => {
	const two = ["choir", "club"] as const;

	test.skipIf(powers.mounts === null)("two services do not see each other's /dev/shm", async () => {
		const engine = node.engine();
		for (const name of two) await engine.apply(planFor("tiny", "serving", name), listening());
		for (const name of two) {
			const file = `${node.nodeId}-${name}`;
			expect(await ask(engine, planFor("tiny", "serving", name), `/shm?name=${file}`)).toBe(file);
			expect(existsSync(`/dev/shm/${file}`)).toBe(false);
		}
	});

	test.skipIf(powers.users === null)(
		"as root: each has a user of its own, who cannot read the other's state",
		async () => {
			const engine = node.engine();
			for (const name of two) await engine.apply(planFor("tiny", "serving", name), listening());
			const at0 = planFor("tiny", "serving", "choir");
			const uids = await Promise.all(two.map((name) => ask(engine, planFor("tiny", "serving", name), "/uid")));
			expect(new Set([...uids, "0"]).size).toBe(3);
			const other = join(node.folder, "services/dep-club/tiny");
			expect(readFileSync(join(other, "state/count"), "utf8")).toBe("1");
			for (const path of ["state/count", "state/password", "log/service.log", "unit.json"])
				expect(await ask(engine, at0, `/read?path=${join(other, path)}`)).toMatch(/^E(ACCES|NOENT)$/);
			expect(await ask(engine, at0, `/list?path=${join(node.folder, "services")}`)).toMatch(/^EACCES|dep-choir$/);
			const own = join(node.folder, "services/dep-choir/tiny");
			expect(await ask(engine, at0, `/read?path=${join(own, "state/count")}`)).toBe("1");
			expect(await ask(engine, at0, `/read?path=${join(own, "unit.json")}`)).toMatch(/^E(ACCES|NOENT)$/);
		},
	);

	test.skipIf(powers.users === null)(
		"as root: a process that only claims to be the service is not taken over",
		async () => {
			const engine = node.engine();
			await engine.apply(planFor("tiny"), listening());
			const [pid] = await node.leaders();
			const markers = readFileSync(`/proc/${pid}/environ`, "latin1")
				.split("\0")
				.filter((line) => line.startsWith("FEDIVERSITY_"));
			await engine.close();
			const forged = spawn("sleep", ["1000"], {
				detached: true,
				stdio: "ignore",
				env: { PATH: process.env["PATH"], ...Object.fromEntries(markers.map((line) => line.split("="))) },
			});
			node.ends.push(() => forged.kill("SIGKILL"));
			await once(forged, "spawn");
			const ended = once(forged, "exit");
			const next = node.engine();
			await next.recover([planFor("tiny")]);
			await ended;
			expect(await node.leaders()).not.toContain(forged.pid);
			await eventually(async () => expect(await ask(next, planFor("tiny"), "/")).toContain("tiny 2 at"));
		},
	);

	test.skipIf(powers.mounts !== "root")("a full disk is called a full disk, and no process is left", async () => {
		const folder = join(node.folder, "small");
		mkdirSync(folder);
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]);
		node.ends.push(() => execFileSync("umount", [folder]));
		const engine = node.engine({ folder: join(folder, "services") });
		await engine.apply(planFor("tiny"), listening());
		await engine.apply(planFor("tiny", "stopped"), listening());
		const free = Number(execFileSync("df", ["--output=avail", "-B1", folder]).toString().split("\n")[1]);
		const problem = { code: "disk-full", params: { folder: expect.stringContaining(folder) } };
		writeFileSync(join(folder, "filler"), Buffer.alloc(free - 500_000));
		await expect(engine.apply(planFor("tiny"), listening()), "too little to begin").rejects.toMatchObject(problem);
		writeFileSync(join(folder, "filler"), Buffer.alloc(free));
		await expect(engine.apply(planFor("tiny"), listening())).rejects.toMatchObject(problem);
		await expect(engine.apply(planFor("tiny", "serving", "club"), listening())).rejects.toMatchObject(problem);
		expect(await running(node.nodeId)).toEqual([]);
		execFileSync("rm", [join(folder, "filler")]);
		await engine.apply(planFor("tiny"), listening());
		expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 2 at");
	});
});
