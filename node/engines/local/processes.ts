import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { endFor, hasEnded, signalTo } from "./end.ts";
import { launch } from "./launch.ts";
import { type LogLimits, openLog, rotateLog } from "./log-file.ts";
import { isRunning, type Process, processTable, startOf } from "./process-table.ts";
import { Turns } from "./turns.ts";
import { fingerprint, fingerprintMarker, marker, type Unit } from "./unit.ts";

const logger = getLogger(["fediversity", "engines"]);

/** How a program that ended by itself is started again. Milliseconds. */
export interface Patience {
	/** Pause before the first new start; doubled each time. */
	readonly first: number;
	readonly most: number;
	/** A program that lived this long is in good order, and counting begins anew. */
	readonly steady: number;
	/** Short lives in a row after which it stays down until somebody starts it. */
	readonly lives: number;
	/** How often logs, and processes that are not our children, are looked at. */
	readonly look: number;
	readonly log: LogLimits;
}

const usual: Patience = {
	first: 500,
	most: 60_000,
	steady: 60_000,
	lives: 8,
	look: 500,
	log: { bytes: 5 * 2 ** 20, files: 3 },
};

/** What a program gets that runs though nobody wants it, before it is killed. */
const orphan = { signal: "SIGTERM", seconds: 5 } as const;

/** `waiting`: it ended and will be started again; `given-up`: it ended too often. */
export type UnitState = "running" | "waiting" | "given-up" | "stopping" | "stopped";

export interface UnitStatus {
	readonly state: UnitState;
	readonly pid: number | null;
	/** How often it ended by itself since somebody last started it. */
	readonly deaths: number;
}

interface Kept {
	readonly unit: Unit;
	state: UnitState;
	leader: Pick<Process, "pid" | "started"> | null;
	/** Null for one taken over from an earlier life of the node: it is not our child, so nobody tells us of its end. */
	child: ChildProcess | null;
	bornAt: number;
	deaths: number;
	/** Short lives in a row. */
	short: number;
	timer: NodeJS.Timeout | null;
}

/**
 * Keeps programs running. They are started detached and outlive this node if it is killed; the next one finds them by
 * the marker in their environment and takes them over. A unit has ended when no process of its group, none with its
 * marker and, if it has a user of its own, none of that user is left.
 */
export class Processes {
	readonly #nodeId: string;
	readonly #changed: (id: string, status: UnitStatus) => void;
	readonly #patience: Patience;
	readonly #kept = new Map<string, Kept>();
	readonly #turns = new Turns();
	#watch: NodeJS.Timeout | null = null;
	#closed = false;

	/** `changed` is told of every change of a unit's state, whether it came by itself or by a call. */
	constructor(options: {
		nodeId: string;
		changed?: (id: string, status: UnitStatus) => void;
		patience?: Partial<Patience>;
	}) {
		this.#nodeId = options.nodeId;
		this.#changed = options.changed ?? (() => {});
		this.#patience = { ...usual, ...options.patience };
	}

	status(id: string): UnitStatus {
		const kept = this.#kept.get(id);
		if (!kept) return { state: "stopped", pid: null, deaths: 0 };
		return { state: kept.state, pid: kept.leader?.pid ?? null, deaths: kept.deaths };
	}

	/** Starts a unit. If it runs just so already, nothing happens; if it runs in another way, it is ended first. */
	start(unit: Unit): Promise<void> {
		return this.#turns.take(unit.id, async () => {
			const known = this.#kept.get(unit.id);
			if (known?.state === "running" && fingerprint(known.unit) === fingerprint(unit)) return;
			await this.#end(unit.id, (known?.unit ?? unit).confinement.user);
			await this.#spawn(this.#keep(unit));
		});
	}

	/**
	 * Ends a unit for certain: asks it, waits as long as it may take, then kills whatever is left, also if this node has
	 * not started it. `user` is the number of its own user. Twice is fine.
	 */
	stop(id: string, user: number | null = null): Promise<void> {
		return this.#turns.take(id, () => this.#end(id, user));
	}

	/**
	 * Takes over what runs since an earlier life of this node, and ends what is not among `wanted` or runs in another
	 * way than wanted. Answers the ids of the units that were taken over.
	 */
	async adopt(wanted: readonly Unit[]): Promise<string[]> {
		const found = (await processTable()).filter(({ unit }) => unit?.startsWith(this.#marked("")));
		const ids = new Set(found.map(({ unit = "" }) => (unit as string).slice(this.#marked("").length)));
		const adopted = await Promise.all(
			[...ids].map((id) => {
				const unit = wanted.find((one) => one.id === id);
				const processes = found.filter((one) => one.unit === this.#marked(id));
				return this.#turns.take(id, () => this.#adoptOne(id, unit, processes));
			}),
		);
		return adopted.flat();
	}

	/** Ends all units, side by side; nothing starts any more. */
	async close(): Promise<void> {
		this.#closed = true;
		if (this.#watch) clearInterval(this.#watch);
		await Promise.all([...this.#kept.values()].map(({ unit }) => this.stop(unit.id, unit.confinement.user)));
	}

	#marked(id: string) {
		return `${this.#nodeId}/${id}`;
	}

	#keep(unit: Unit): Kept {
		const kept: Kept = {
			unit,
			state: "stopped",
			leader: null,
			child: null,
			bornAt: performance.now(),
			deaths: 0,
			short: 0,
			timer: null,
		};
		this.#kept.set(unit.id, kept);
		this.#watch ??= setInterval(() => this.#look(), this.#patience.look).unref();
		return kept;
	}

	#turn(kept: Kept, state: UnitState) {
		kept.state = state;
		this.#changed(kept.unit.id, this.status(kept.unit.id));
	}

	async #spawn(kept: Kept): Promise<void> {
		if (this.#closed) return;
		const { unit } = kept;
		rotateLog(unit.log, this.#patience.log);
		const [command = "", ...args] = launch(unit.argv, unit.folder, unit.confinement);
		const output = openLog(unit.log);
		try {
			const child = spawn(command, args, {
				cwd: unit.folder,
				env: { ...unit.env, [marker]: this.#marked(unit.id), [fingerprintMarker]: fingerprint(unit) },
				detached: true,
				stdio: ["ignore", output, output],
			});
			const exit = new Promise<string>((ended) =>
				child.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`)),
			);
			await once(child, "spawn");
			child.unref();
			const pid = child.pid as number;
			Object.assign(kept, { child, leader: { pid, started: await startOf(pid) }, bornAt: performance.now() });
			this.#turn(kept, "running");
			void exit.then((how) => kept.child === child && kept.state === "running" && this.#died(kept, how));
		} finally {
			closeSync(output);
		}
	}

	/** It ended though nobody asked it to. */
	#died(kept: Kept, how: string) {
		const { first, most, steady, lives } = this.#patience;
		const group = kept.leader?.pid ?? null;
		kept.deaths += 1;
		kept.short = performance.now() - kept.bornAt >= steady ? 1 : kept.short + 1;
		Object.assign(kept, { leader: null, child: null });
		this.#turn(kept, kept.short >= lives ? "given-up" : "waiting");
		logger.warning("{unit} ended by itself: {how}", { unit: kept.unit.id, how, state: kept.state });
		const pause = Math.min(first * 2 ** (kept.short - 1), most);
		void this.#turns
			.take(kept.unit.id, () => this.#endRest(kept.unit.id, kept.unit.confinement.user, group))
			.catch(() => {});
		if (kept.state === "waiting") kept.timer = setTimeout(() => void this.#revive(kept), pause).unref();
	}

	#revive(kept: Kept): Promise<void> {
		return this.#turns.take(kept.unit.id, async () => {
			if (kept.state !== "waiting") return;
			try {
				await this.#spawn(kept);
			} catch (error) {
				// Such as a full disk, where not even its log can be opened: it counts as a short life.
				this.#died(kept, (error as Error).message);
			}
		});
	}

	async #end(id: string, user: number | null): Promise<void> {
		const kept = this.#kept.get(id);
		if (kept?.timer) clearTimeout(kept.timer);
		const leader = kept?.leader ?? null;
		if (kept) this.#turn(kept, "stopping");
		if (kept && leader) {
			await signalTo(leader, kept.unit.stop.signal);
			await hasEnded(async () => !(await isRunning(leader)), kept.unit.stop.seconds);
		}
		await this.#endRest(id, user, leader?.pid ?? null);
		if (!kept) return;
		kept.leader = null;
		this.#turn(kept, "stopped");
		this.#kept.delete(id);
	}

	/** Kills what is left of a unit: of its group, with its marker, of its own user. */
	#endRest(id: string, user: number | null, group: number | null): Promise<void> {
		const belongs = (one: Process) =>
			one.unit === this.#marked(id) || (group !== null && one.group === group) || (user !== null && one.user === user);
		return endFor(belongs, null);
	}

	async #adoptOne(id: string, unit: Unit | undefined, processes: readonly Process[]): Promise<string[]> {
		if (this.#kept.has(id)) return [];
		const leader = unit && leaderOf(unit, processes);
		if (unit && leader) {
			const kept = this.#keep(unit);
			kept.leader = leader;
			this.#turn(kept, "running");
			return [id];
		}
		logger.info("Ending {unit}: it runs, but not as it should", { unit: id });
		await endFor((one) => one.unit === this.#marked(id), orphan);
		return [];
	}

	/** Logs get long and processes that are not our children end without telling. */
	#look() {
		for (const kept of this.#kept.values()) {
			if (kept.leader && !kept.child && kept.state === "running") void this.#lookAt(kept, kept.leader);
			try {
				rotateLog(kept.unit.log, this.#patience.log);
			} catch (error) {
				logger.warning("Cannot keep the log of {unit} short: {error}", { unit: kept.unit.id, error });
			}
		}
	}

	async #lookAt(kept: Kept, leader: Pick<Process, "pid" | "started">) {
		if (await isRunning(leader)) return;
		if (kept.leader === leader && kept.state === "running") this.#died(kept, "it was not our child");
	}
}

/**
 * The process that was started as this unit. Its children carry the same markers, hence the oldest that leads a group;
 * and since anybody may set a variable, it must be of the unit's user too.
 */
function leaderOf(unit: Unit, processes: readonly Process[]): Process | undefined {
	const { user } = unit.confinement;
	return processes
		.filter((one) => one.pid === one.group && one.fingerprint === fingerprint(unit))
		.filter((one) => user === null || one.user === user)
		.sort((a, b) => Number(a.started) - Number(b.started) || a.pid - b.pid)[0];
}
