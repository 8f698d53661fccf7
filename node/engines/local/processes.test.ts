/** The keeper without users of its own and without namespaces, as it works for most people on their own machine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, running, scratch, someNode } from "../../../test/contracts/tiny/world.ts";
import { Processes } from "./processes.ts";
import type { Unit } from "./unit.ts";

let at: ReturnType<typeof scratch>;
let nodeId: string;
let keeper: Processes;
let changes: string[];

beforeEach(() => {
	[at, nodeId, changes] = [scratch(), someNode(), []];
	keeper = new Processes({
		nodeId,
		changed: (_id, { state }) => changes.push(state),
		patience: { first: 5, look: 20 },
	});
});
afterEach(async () => {
	await keeper.close();
	expect(await running(nodeId)).toEqual([]);
	at.remove();
});

function unit(script: string, other: Partial<Unit> = {}): Unit {
	return {
		id: "dep/x",
		argv: ["sh", "-c", script],
		env: { PATH: process.env["PATH"] ?? "" },
		folder: at.folder,
		settings: "",
		log: join(at.folder, "log/x.log"),
		stop: { signal: "SIGTERM", seconds: 0.2 },
		confinement: { user: null, mounts: null, ownSharedMemory: false, behind: [], limits: null },
		...other,
	};
}

const forEver = "while :; do sleep 0.02; done";

function log(): string {
	return readFileSync(join(at.folder, "log/x.log"), "utf8");
}

describe("a unit", () => {
	test("goes through its states in order, and both outputs are in its log", async () => {
		await keeper.start(unit(`echo out; echo err >&2; ${forEver}`));
		expect(keeper.status("dep/x")).toMatchObject({ state: "running", deaths: 0 });
		await eventually(() => expect(log()).toBe("out\nerr\n"));
		await keeper.stop("dep/x");
		expect(changes).toEqual(["running", "stopping", "stopped"]);
		expect(keeper.status("dep/x")).toEqual({ state: "stopped", pid: null, deaths: 0 });
		await keeper.stop("dep/x");
		expect(changes).toHaveLength(3);
	});

	test("has ended only when its children have that left its group", async () => {
		await keeper.start(unit(`setsid sh -c 'trap "" TERM; ${forEver}' & ${forEver}`));
		await eventually(async () => expect(new Set((await running(nodeId)).map(({ group }) => group)).size).toBe(2));
		await keeper.stop("dep/x");
		expect(await running(nodeId)).toEqual([]);
	});

	test("has ended only when its children have that wiped their environment but stayed in its group", async () => {
		await keeper.start(unit(`env -i sh -c 'trap "" TERM; echo $$; while :; do /bin/sleep 0.02; done' & ${forEver}`));
		const pid = await eventually(() => {
			expect(log()).toMatch(/^\d+\n$/);
			return Number(log());
		});
		process.kill(pid, 0);
		await keeper.stop("dep/x");
		await eventually(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
	});

	test("is started once however often that is asked at a time", async () => {
		const same = unit(`echo started; ${forEver}`);
		await Promise.all([keeper.start(same), keeper.start(same), keeper.start(same)]);
		await eventually(() => expect(log()).toBe("started\n"));
		expect((await running(nodeId)).filter(({ pid, group }) => pid === group)).toHaveLength(1);
	});

	test("is not started again when it is stopped just as it was to be", async () => {
		const stopped = Promise.withResolvers<void>();
		const hasty = new Processes({
			nodeId,
			patience: { first: 0 },
			changed: (id, { state }) => {
				// Asked for before the pause is over, and done after it.
				if (state === "waiting") queueMicrotask(() => stopped.resolve(hasty.stop(id)));
			},
		});
		// Ending the child takes longer than the pause.
		await hasty.start(unit("echo short; sleep 1000 & exit 1"));
		await stopped.promise;
		await hasty.stop("dep/x");
		expect(log()).toBe("short\n");
		expect(hasty.status("dep/x").state).toBe("stopped");
	});

	test("whose children outlive it has them ended before it is started again", async () => {
		await keeper.start(
			unit(`if [ -e again ]; then ${forEver}; fi; touch again; (trap "" TERM; ${forEver}) & echo $!; exit 1`),
		);
		await eventually(() => expect(keeper.status("dep/x")).toMatchObject({ state: "running", deaths: 1 }));
		const child = Number(log());
		await eventually(() => expect(() => process.kill(child, 0)).toThrow("ESRCH"));
	});

	test("whose program does not exist says so", async () => {
		await expect(keeper.start(unit("", { argv: ["/nowhere/program"] }))).rejects.toMatchObject({ code: "ENOENT" });
		expect(keeper.status("dep/x").pid).toBeNull();
	});
});
