import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type Measure, median } from "./bench.ts";
import { asNode, freePort, startPeer } from "./servers/peer.ts";
import { type Shell, startShell, timed } from "./servers/shell.ts";
import { changeTree, makeTree } from "./servers/tree.ts";

/** One copy: seconds on the clock, processor seconds of both ends, bytes on the wire where they are known. */
interface Sample {
	wall: number;
	cpu: number;
	bytes: number;
	/** The most that either end held, in MB. */
	peak: number;
}

type Phase = "first" | "same" | "changed";

/** Somebody who copies a tree, again and again into the same folder. */
interface Copier {
	readonly name: string;
	copy(phase: Phase): Promise<Sample>;
	/** Whether both sides hold the same. */
	check?(): Promise<void>;
	stop?(): Promise<void>;
}

const unknown = { bytes: 0, peak: 0 };
const rounds = 3;
const size = Number(/--size=([\d.]+)/.exec(process.argv.join(" "))?.[1] ?? 0.25);
const phases: Phase[] = ["first", "same", "changed"];

export const bench: Bench = {
	name: "copy",
	goals: `${size} GiB in small and big files from node to node, sealed and checked, beside rsync and tar over ssh (--size=2 for the goals)`,
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-copy-"));
		const tree = join(folder, "tree");
		const samples = new Map<string, Sample[]>();
		const changes: number[] = [];
		const running: Copier[] = [];
		const shell = await startShell(join(folder, "ssh"));
		try {
			say("making files");
			makeTree(tree, size);
			for (let round = 0; round < rounds; round++) {
				const copiers = await startAll(tree, join(folder, `${round}`), shell);
				running.push(...copiers);
				for (const phase of phases) {
					if (phase === "changed") changes.push(changeTree(tree, size));
					for (let turn = 0; turn < copiers.length; turn++) {
						const copier = copiers[(round + turn) % copiers.length] as Copier;
						if (copier.name === "tar" && phase !== "first") continue;
						// Nobody shall pay for what the one before has left to be written.
						spawnSync("sync");
						const sample = await copier.copy(phase);
						say(
							`${round} ${phase} ${copier.name}: ${sample.wall.toFixed(2)} s, ${sample.cpu.toFixed(2)} s of processor`,
						);
						const key = `${copier.name} ${phase}`;
						samples.set(key, [...(samples.get(key) ?? []), sample]);
					}
				}
				for (const copier of copiers) await copier.check?.();
				for (const copier of running.splice(0)) await copier.stop?.();
			}
			return measures(samples, median(changes));
		} finally {
			for (const copier of running) await copier.stop?.();
			await shell?.stop();
			rmSync(folder, { recursive: true, force: true });
		}
	},
};

async function startAll(tree: string, folder: string, shell: Shell | undefined): Promise<Copier[]> {
	const copiers = [await ours(tree, join(folder, "ours"))];
	if (shell && existsSync("/usr/bin/rsync")) copiers.push(rsync(tree, join(folder, "rsync"), shell));
	if (shell) copiers.push(tar(tree, join(folder, "tar"), shell));
	if (existsSync("/usr/bin/restic")) copiers.push(restic(tree, join(folder, "restic")));
	return copiers;
}

/** Two nodes that run already, as nodes do. */
async function ours(tree: string, folder: string): Promise<Copier> {
	const [from, to] = [await freePort(), await freePort()];
	const node = (file: string, port: number, ...args: string[]) =>
		startPeer(process.execPath, [asNode, join(import.meta.dirname, "servers", file), `${port}`, ...args, "c2lk"], port);
	mkdirSync(folder, { recursive: true });
	const source = await node("copy-source.ts", from, tree, join(folder, "source"));
	const target = await node("copy-target.ts", to, `${from}`, join(folder, "copy"), join(folder, "target"));
	const cpu = () => source.cpu() + target.cpu();
	return {
		name: "ours",
		copy: async () => {
			const [before, start] = [cpu(), performance.now()];
			const answer = await ask(to, "/round");
			const { bytes, skipped, damaged } = (await answer.json()) as { bytes: number; skipped: number; damaged: number };
			if (skipped + damaged > 0) throw new Error(`${skipped} pieces were skipped and ${damaged} damaged`);
			const wall = (performance.now() - start) / 1000;
			return { wall, cpu: cpu() - before, bytes, peak: Math.max(source.peak(), target.peak()) };
		},
		check: () => swapped(to, tree, join(folder, "copy")),
		stop: async () => {
			for (const peer of [source, target]) await peer.stop();
		},
	};
}

/** By a connection of its own: another one would be closed while a peer copies. */
async function ask(port: number, path: string): Promise<Response> {
	const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
	if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
	return answer;
}

/** What came is in its place, and is what is at the source. */
async function swapped(port: number, tree: string, copy: string): Promise<void> {
	await ask(port, "/swap");
	const { status, stdout } = spawnSync("diff", ["-rq", tree, copy], { encoding: "utf8" });
	if (status !== 0) throw new Error(`The copy is not the same: ${stdout.slice(0, 500)}`);
}

function rsync(tree: string, folder: string, shell: Shell): Copier {
	mkdirSync(folder, { recursive: true });
	const command = `rsync -a --delete --stats -e "${shell.command}" "${tree}/" "${shell.host}:${folder}/copy/"`;
	return {
		name: "rsync",
		copy: async () => {
			const { stdout, ...sample } = timed(command, shell);
			return { ...sample, peak: 0, bytes: Number(/Total bytes sent: ([\d,]+)/.exec(stdout)?.[1]?.replaceAll(",", "")) };
		},
	};
}

function tar(tree: string, folder: string, shell: Shell): Copier {
	mkdirSync(folder, { recursive: true });
	const command = `tar -C "${tree}" -cf - . | ${shell.command} ${shell.host} tar -C "${folder}" -xf -`;
	return { name: "tar", copy: async () => ({ ...timed(command, shell), ...unknown }) };
}

/** To a repository on the same machine: it has no other end. */
function restic(tree: string, folder: string): Copier {
	mkdirSync(folder, { recursive: true });
	const command = `RESTIC_PASSWORD=bench restic -q --cache-dir "${folder}/cache" -r "${folder}/repository"`;
	timed(`${command} init`);
	return { name: "restic", copy: async () => ({ ...timed(`cd "${tree}" && ${command} backup .`), ...unknown }) };
}

function measures(samples: Map<string, Sample[]>, changed: number): Measure[] {
	const middle = (name: string, phase: Phase, part: keyof Sample) =>
		median((samples.get(`${name} ${phase}`) ?? []).map((sample) => sample[part]));
	const beside = (what: string, phase: Phase, part: "wall" | "cpu", name: string, atMost?: number): Measure[] => {
		if (!samples.has(`${name} ${phase}`)) return [];
		const peer = { name, value: middle(name, phase, part) };
		const measured = middle("ours", phase, part);
		return [{ what: `${what}, ${part}`, unit: "s", measured, peer, ...(atMost && { goal: { atMost } }) }];
	};
	return [
		...beside("first copy", "first", "wall", "rsync", 1),
		...beside("first copy", "first", "cpu", "rsync", 1),
		...beside("first copy", "first", "wall", "tar", 1.15),
		...beside("first copy", "first", "cpu", "tar", 1.15),
		...beside("first copy", "first", "wall", "restic"),
		...beside("nothing changed", "same", "cpu", "rsync", 0.6),
		...beside("nothing changed", "same", "wall", "rsync"),
		...beside("nothing changed", "same", "wall", "restic"),
		...beside("1 % changed", "changed", "wall", "rsync", 1),
		...beside("1 % changed", "changed", "cpu", "rsync"),
		...beside("1 % changed", "changed", "wall", "restic"),
		{
			...{ what: "1 % changed, on the wire", unit: "MB", measured: middle("ours", "changed", "bytes") / 1e6 },
			...{ peer: { name: "changed", value: changed / 1e6 }, goal: { atMost: 1.15 } },
		},
		{ what: "most memory of an end", unit: "MB", measured: middle("ours", "changed", "peak"), goal: { atMost: 200 } },
	];
}
