import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../node/agent/agent.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import type { Place } from "../../node/volumes/volume.ts";
import { inventoried } from "../contracts/inventoried.ts";
import { fetched, gathered, never } from "../contracts/round.ts";
import { Counting } from "../counting-host.ts";
import { endedChildren, SshMachine } from "../machine.ts";
import { type Bench, type Measure, median } from "./bench.ts";

const files = Number(/--files=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 40_000);
const rounds = 3;
const service = "a/files";

interface Sample {
	readonly wall: number;
	readonly cpu: number;
	/** Both ways, without what ssh adds. */
	readonly bytes: number;
}

export const bench: Bench = {
	name: "ssh-round",
	goals: `a later round of ${files} files of which 1 in 1,000 has changed, with all its programs' starts, beside rsync -a over the same ssh`,
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-round-"));
		const machine = new SshMachine();
		try {
			await machine.start();
			const found: Measure[] = [];
			for (const isPull of [true, false]) {
				const way = new Way(machine, join(folder, String(isPull)), isPull);
				const what = isPull ? "from a machine" : "to a machine";
				found.push(...beside(what, await way.rounds()));
				say(what);
			}
			return found;
		} finally {
			await machine.stop();
			rmSync(folder, { recursive: true, force: true });
		}
	},
};

function beside(what: string, samples: Record<"ours" | "rsync", Sample[]>): Measure[] {
	const units = { wall: "s", cpu: "s", bytes: "B" } as const;
	return (["wall", "cpu", "bytes"] as const).map((part) => ({
		...{ what: `${what}, ${part}`, unit: units[part], measured: median(samples.ours.map((one) => one[part])) },
		peer: { name: "rsync -a", value: median(samples.rsync.map((one) => one[part])) },
	}));
}

/** One tree, and two copies of it that follow. */
class Way {
	readonly #machine: SshMachine;
	readonly #folder: string;
	readonly #isPull: boolean;
	#round = 0;
	#before: Awaited<ReturnType<typeof inventoried>>["listed"] | undefined;

	constructor(machine: SshMachine, folder: string, isPull: boolean) {
		this.#machine = machine;
		this.#folder = folder;
		this.#isPull = isPull;
		for (let n = 0; n < files; n++) this.#put(n, "0");
	}

	async rounds(): Promise<Record<"ours" | "rsync", Sample[]>> {
		const [ours, rsync]: [Sample[], Sample[]] = [[], []];
		for (let round = 0; round <= rounds; round++) {
			for (let n = round; n < files; n += 1000) this.#put(n, `${round}`);
			ours.push(await this.#measured(() => this.#ours()));
			rsync.push(await this.#measured(async () => this.#rsync()));
		}
		// The first one copies everything.
		return { ours: ours.slice(1), rsync: rsync.slice(1) };
	}

	/** Everything but the swap, as while services run. */
	async #ours(): Promise<number> {
		const [tree, copy] = [join(this.#folder, "tree"), join(this.#folder, "ours")];
		const there = this.#isPull ? tree : copy;
		this.#machine.declare(service, { units: [], volumes: { data: { kind: "directory", path: there } } });
		const host = new Counting(this.#machine.host());
		const elsewhere = this.#machine.elsewhere(new Agent(host, this.#machine.program));
		const remote: Place = { kind: "remote", of: "directory", machine: "one", service, volume: "data" };
		const here: Place = { kind: "directory", path: this.#isPull ? copy : tree, owner: null };
		const source = await openSource(this.#isPull ? remote : here, { scratch: join(this.#folder, "s"), elsewhere });
		const target = await openTarget(this.#isPull ? here : remote, { scratch: join(this.#folder, "t"), elsewhere });
		const lists = join(this.#folder, "lists");
		const { listing, listed } = await inventoried(source, {
			...{ folder: lists, round: ++this.#round, before: this.#before },
		});
		this.#before = listed;
		const wanted = await gathered(target.lacking(listing, never));
		const paths = new Set(wanted.map(({ path }) => path));
		const entries = [];
		for await (const batch of listing.batches()) entries.push(...batch.filter(({ path }) => paths.has(path)));
		await fetched(source, target, entries, wanted);
		const left = await target.settle(listing, never, { isLive: true });
		if (left.length > 0) throw new Error(`${left.length} pieces did not arrive`);
		for (const end of [source, target]) await end.close();
		await host.close();
		return host.sent + host.come;
	}

	#rsync(): number {
		const [tree, copy] = [join(this.#folder, "tree"), join(this.#folder, "rsync")];
		const [from, to] = this.#isPull ? [`127.0.0.1:${tree}/`, copy] : [`${tree}/`, `127.0.0.1:${copy}`];
		const words = ["-a", "--stats", "--no-human-readable", "-e", this.#machine.client, from, to];
		const { status, stderr, stdout } = spawnSync("rsync", words, { encoding: "utf8" });
		if (status !== 0) throw new Error(stderr);
		const said = (what: string) => Number(new RegExp(`Total bytes ${what}: (\\d+)`).exec(stdout)?.[1]);
		return said("sent") + said("received");
	}

	async #measured(copying: () => Promise<number>): Promise<Sample> {
		spawnSync("sync");
		const [before, start] = [await this.#cpu(), performance.now()];
		const bytes = await copying();
		const wall = (performance.now() - start) / 1000;
		return { wall, cpu: (await this.#cpu()) - before, bytes };
	}

	async #cpu(): Promise<number> {
		const { user, system } = process.cpuUsage();
		return (user + system) / 1e6 + endedChildren("self") + (await this.#machine.cpu());
	}

	#put(n: number, text: string): void {
		const folder = join(this.#folder, "tree", `${Math.floor(n / 100)}`);
		if (n % 100 === 0 || text !== "0") mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, `post-${n}.json`), `${n} ${text} `.repeat(100));
	}
}
