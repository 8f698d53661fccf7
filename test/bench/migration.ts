import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPostgres } from "../postgres.ts";
import { type Bench, type Measure, median } from "./bench.ts";
import { Clusters, settleDisk } from "./servers/clusters.ts";
import { Nodes } from "./servers/nodes.ts";
import { type Shell, startShell, timed } from "./servers/shell.ts";
import { changeTree, makeTree } from "./servers/tree.ts";

/** Seconds on the clock while services rest, in each part of it and in all, processor seconds of everybody in it, MB that an end held at most. */
interface Sample {
	readonly freeze: number;
	readonly parts: readonly number[];
	readonly whole: number;
	readonly cpu: number;
	readonly peak: number;
}

/** What there is to move, of one size. */
interface Things {
	readonly tree: string;
	readonly clusters: Clusters;
	readonly gibibytes: number;
	readonly shell: Shell;
}

type Figure = "freeze" | "whole" | "cpu" | "peak";
type Mover = "ours" | "by hand";
type Samples = Record<Mover, Sample[]>;

const rounds = 3;
const sizes = (/--size=([\d.,]+)/.exec(process.argv.join(" "))?.[1] ?? "0.1").split(",").map(Number);
/** For each GiB of files so much of a database. */
const share = 0.5;
/** One in so many files and rows changes between two rounds. */
const every = 1000;

export const bench: Bench = {
	name: "migration",
	goals: `the content of a deployment, ${sizes.join(", ")} GiB of files and half as much PostgreSQL, moved while it serves, beside a stop with rsync over ssh and dump | restore (--size=0.5,1,2 for the goals)`,
	async run(say) {
		if (!hasPostgres || !existsSync("/usr/bin/rsync")) throw new Error("PostgreSQL 15 and rsync are needed");
		const all: [number, Samples][] = [];
		for (const size of sizes) all.push([size, await measured(size, say)]);
		return [...all.flatMap(([size, samples]) => measures(size, samples)), ...growth(all)];
	},
};

/** All rounds for one size; both movers work on the same files and rows, and take turns at being first. */
async function measured(gibibytes: number, say: (line: string) => void): Promise<Samples> {
	const folder = mkdtempSync(join(tmpdir(), "bench-migration-"));
	const tree = join(folder, "tree");
	const samples: Samples = { ours: [], "by hand": [] };
	say(`making ${gibibytes} GiB of files and ${gibibytes * share} GiB of rows`);
	const clusters = await Clusters.start(gibibytes * share);
	const shell = await startShell(join(folder, "ssh"));
	try {
		if (!shell) throw new Error("sshd is needed");
		makeTree(tree, gibibytes);
		const things = { tree, clusters, gibibytes, shell };
		for (let round = 0; round < rounds; round++) {
			const movers: Mover[] = round % 2 === 0 ? ["ours", "by hand"] : ["by hand", "ours"];
			for (const mover of movers) {
				settleDisk();
				const sample = await (mover === "ours" ? ours : byHand)(
					things,
					join(folder, `${round}-${mover.replace(" ", "-")}`),
				);
				samples[mover].push(sample);
				const seconds = sample.parts.map((part) => part.toFixed(2)).join(" + ");
				say(`${round} ${mover}: ${seconds} s, ${sample.cpu.toFixed(2)} s of processor`);
			}
		}
		return samples;
	} finally {
		await shell?.stop();
		await clusters.stop();
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Two rounds while the deployment serves; then it rests for what is left, until all is in its place at the target. */
async function ours({ tree, clusters, gibibytes }: Things, folder: string): Promise<Sample> {
	const place = await clusters.newPlace();
	const nodes = await Nodes.start(tree, folder, [clusters.place, place]);
	try {
		let cpu = 0;
		const parts: number[] = [];
		const timing = async (work: () => Promise<void>) => {
			const [start, before] = [performance.now(), nodes.cpu() + clusters.cpu()];
			await work();
			const wall = (performance.now() - start) / 1000;
			parts.push(wall);
			cpu += nodes.cpu() + clusters.cpu() - before;
			return wall;
		};
		for (let round = 0; round < 2; round++) {
			await timing(() => nodes.round(false));
			changeTree(tree, gibibytes, every);
			await clusters.change(every);
		}
		const freeze = (await timing(() => nodes.round(true))) + (await timing(() => nodes.swap()));
		nodes.check();
		await clusters.check(place);
		await nodes.forget();
		return { freeze, parts, whole: sumOf(parts), cpu, peak: nodes.peak() };
	} finally {
		await nodes.stop();
	}
}

/** As one would do it without us: stop the services, copy everything, start them elsewhere. */
async function byHand({ tree, clusters, shell }: Things, folder: string): Promise<Sample> {
	const place = await clusters.newPlace();
	mkdirSync(folder, { recursive: true });
	const before = clusters.cpu();
	const files = timed(`rsync -a -e "${shell.command}" "${tree}/" "${shell.host}:${folder}/copy/"`, shell);
	const rows = timed(clusters.restoring(place));
	const cpu = files.cpu + rows.cpu + clusters.cpu() - before;
	await clusters.check(place);
	const parts = [files.wall, rows.wall];
	return { freeze: sumOf(parts), parts, whole: sumOf(parts), cpu, peak: 0 };
}

const sumOf = (parts: readonly number[]) => parts.reduce((sum, part) => sum + part, 0);

function measures(size: number, samples: Samples): Measure[] {
	const gibibytes = size * (1 + share);
	const beside = (what: string, unit: string, part: Figure, atMost?: number, per = 1): Measure => ({
		...{ what: `${size} + ${size * share} GiB: ${what}`, unit, measured: middle(samples, "ours", part) / per },
		peer: { name: "by hand", value: middle(samples, "by hand", part) / per },
		...(atMost && { goal: { atMost } }),
	});
	const { what, measured } = beside("most memory of an end", "MB", "peak");
	return [
		beside("services rest", "s", "freeze", size >= 2 ? 1 / 12 : size >= 0.5 ? 1 / 5 : undefined),
		beside("the whole move", "s", "whole", 0.8),
		beside("processor for each GiB", "s", "cpu", undefined, gibibytes),
		{ what, unit: "MB", measured, goal: { atMost: 200 } },
	];
}

/** How much longer services rest for each GiB of files more, between the smallest and the largest size. */
function growth(all: readonly [size: number, Samples][]): Measure[] {
	const [least, most] = [all[0], all.at(-1)];
	if (!least || !most || most[0] <= least[0]) return [];
	const of = (mover: Mover) =>
		(middle(most[1], mover, "freeze") - middle(least[1], mover, "freeze")) / (most[0] - least[0]);
	return [
		{ what: "services rest, for each GiB more", unit: "s", measured: of("ours"), goal: { atMost: 0.6 } },
		{ what: "the same by hand", unit: "s", measured: of("by hand") },
	];
}

function middle(samples: Samples, mover: Mover, part: Figure): number {
	return median(samples[mover].map((sample) => sample[part]));
}
