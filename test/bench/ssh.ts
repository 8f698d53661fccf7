import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import type { Place } from "../../node/volumes/volume.ts";
import { never, round } from "../contracts/round.ts";
import { endedChildren, SshMachine } from "../machine.ts";
import { type Bench, interleave, type Measure, median } from "./bench.ts";
import { makeTree } from "./servers/tree.ts";

const size = Number(/--size=([\d.]+)/.exec(process.argv.join(" "))?.[1] ?? 0.125);
const rounds = 3;
const service = "a/files";

interface Sample {
	readonly wall: number;
	/** Of both machines, with ssh at both ends. */
	readonly cpu: number;
}

export const bench: Bench = {
	name: "ssh",
	goals: `${size} GiB in small and big files between a node and a machine, checked piece by piece, beside rsync -a over the same ssh; freezing`,
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-ssh-"));
		const machine = new SshMachine();
		try {
			await machine.start();
			makeTree(join(folder, "tree"), size);
			const way = new Way(machine, folder);
			const pulled = await interleave(rounds, { ours: () => way.ours(true), rsync: () => way.rsync(true) });
			say("pulled");
			const pushed = await interleave(rounds, { ours: () => way.ours(false), rsync: () => way.rsync(false) });
			say("pushed");
			return [...beside("from a machine", pulled), ...beside("to a machine", pushed), ...(await freezing(machine))];
		} finally {
			await machine.stop();
			rmSync(folder, { recursive: true, force: true });
		}
	},
};

function beside(what: string, samples: Record<"ours" | "rsync", Sample[]>): Measure[] {
	return (["wall", "cpu"] as const).map((part) => ({
		...{ what: `${what}, ${part}`, unit: "s", measured: median(samples.ours.map((one) => one[part])) },
		peer: { name: "rsync -a", value: median(samples.rsync.map((one) => one[part])) },
		goal: { atMost: 1.2 },
	}));
}

/** Copies of one tree over one way, each into a folder of its own. */
class Way {
	readonly #machine: SshMachine;
	readonly #folder: string;
	#number = 0;

	constructor(machine: SshMachine, folder: string) {
		this.#machine = machine;
		this.#folder = folder;
	}

	/** Everything from the first look to the checked copy in its place. */
	ours(isPull: boolean): Promise<Sample> {
		return this.#measured(async (tree, copy) => {
			const there = isPull ? tree : copy;
			this.#machine.declare(service, { units: [], volumes: { data: { kind: "directory", path: there } } });
			const host = this.#machine.host();
			const elsewhere = this.#machine.elsewhere(this.#machine.agent(host));
			const remote: Place = { kind: "remote", of: "directory", machine: "one", service, volume: "data" };
			const here: Place = { kind: "directory", path: isPull ? copy : tree, owner: null };
			const options = (name: string) => ({ scratch: `${copy}.${name}`, elsewhere });
			const source = await openSource(isPull ? remote : here, options("s"));
			const target = await openTarget(isPull ? here : remote, options("t"));
			const { left } = await round(source, target, { frozen: true });
			if (left.length > 0) throw new Error(`${left.length} pieces did not arrive`);
			await target.swap(never);
			for (const end of [source, target]) await end.close();
			await host.close();
		});
	}

	rsync(isPull: boolean): Promise<Sample> {
		return this.#measured(async (tree, copy) => {
			const [from, to] = isPull ? [`127.0.0.1:${tree}/`, copy] : [`${tree}/`, `127.0.0.1:${copy}`];
			const { status, stderr } = spawnSync("rsync", ["-a", "-e", this.#machine.client, from, to], { encoding: "utf8" });
			if (status !== 0) throw new Error(stderr);
		});
	}

	async #measured(copying: (tree: string, copy: string) => Promise<void>): Promise<Sample> {
		const tree = join(this.#folder, "tree");
		const folder = join(this.#folder, `${++this.#number}`);
		mkdirSync(folder);
		spawnSync("sync");
		const [before, start] = [await this.#cpu(), performance.now()];
		await copying(tree, join(folder, "copy"));
		const wall = (performance.now() - start) / 1000;
		const cpu = (await this.#cpu()) - before;
		const { status } = spawnSync("diff", ["-rq", tree, join(folder, "copy")]);
		if (status !== 0) throw new Error("The copy is not the same");
		rmSync(folder, { recursive: true, force: true });
		return { wall, cpu };
	}

	async #cpu(): Promise<number> {
		const { user, system } = process.cpuUsage();
		return (user + system) / 1e6 + endedChildren("self") + (await this.#machine.cpu());
	}
}

/** From the word to the end of the last process, for a service that ends at once. */
async function freezing(machine: SshMachine): Promise<Measure[]> {
	machine.unit("web.service", "exec sleep 1000");
	machine.declare("a/web", { units: ["web.service"], volumes: {} });
	const agent = machine.agent();
	const times: number[] = [];
	const stops: number[] = [];
	for (let n = 0; n < 7; n++) {
		await agent.thaw("a/web");
		let start = performance.now();
		await agent.freeze("a/web");
		times.push((performance.now() - start) / 1000);
		await agent.thaw("a/web");
		start = performance.now();
		await agent.host.run([machine.at("bin/systemctl"), "stop", "--", "web.service"]);
		stops.push((performance.now() - start) / 1000);
	}
	const [measured, stop] = [median(times), median(stops)];
	return [
		{ what: "freeze, connected", unit: "s", measured: measured - stop, goal: { atMost: 2 } },
		{ what: "the service's own stop over ssh", unit: "s", measured: stop },
	];
}
