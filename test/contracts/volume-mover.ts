/** A process that moves a volume, to be killed in the middle or held to little memory: `volume-mover.ts '{"from": …}'`. */
import { appendFileSync, createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Agent } from "../../node/agent/agent.ts";
import { Machinery } from "../../node/agent/elsewhere.ts";
import type { Machine } from "../../node/machines/machine.ts";
import { Ssh } from "../../node/machines/ssh.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import type { Entry, Listing, Place, Source } from "../../node/volumes/volume.ts";
import { fetched, listed, listingOf, never } from "./round.ts";

/** Given as JSON. */
export interface Errand {
	readonly from: Place;
	readonly to: Place;
	readonly sourceScratch: string;
	readonly targetScratch: string;
	readonly frozen: boolean;
	readonly swap: boolean;
	/** Never hold a whole listing, and tell how much memory was used at most. */
	readonly lean: boolean;
	readonly reach?: Reach | undefined;
}

/** How a process of its own gets to a machine. */
export interface Reach {
	readonly machine: Machine;
	readonly identity: string;
	readonly program: readonly string[];
}

/** Volumes on that one machine. */
export function elsewhereBy({ machine, identity, program }: Reach) {
	const host = new Ssh(machine, { identity });
	return { elsewhere: new Machinery(() => new Agent(host, program)), close: () => host.close() };
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function move(errand: Errand): Promise<void> {
	const { from, to, sourceScratch, targetScratch, frozen, swap, lean, reach } = errand;
	const there = reach && elsewhereBy(reach);
	const source = await openSource(from, { scratch: sourceScratch, elsewhere: there?.elsewhere });
	const target = await openTarget(to, { scratch: targetScratch, elsewhere: there?.elsewhere });
	const entries = lean ? [] : await listed(source, frozen);
	const listing = lean ? await listingInFile(`${targetScratch}.listing`, source, frozen) : listingOf(entries);
	say("listed");
	let written = 0;
	for await (const names of target.lacking(listing, never))
		for (let start = 0; start < names.length; start += 4) {
			const some = names.slice(start, start + 4);
			if (lean) for await (const batch of source.read(some, never)) await target.write(batch);
			else await fetched(source, target, entries, some);
			written += some.length;
			say(`written ${written}`);
		}
	const left = await target.settle(listing, never);
	say(`settled ${left.length}`);
	if (swap) {
		await target.swap(never);
		say("swapped");
	}
	await source.close();
	await target.close();
	await there?.close();
	if (lean) say(`memory ${mostMemory()}`);
}

/** Bytes. What `resourceUsage` says begins with the memory of the process that started this one. */
function mostMemory(): number {
	const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
	return Number(kilobytes) * 1024;
}

/** A listing that lies in a file. */
async function listingInFile(file: string, source: Source, frozen: boolean): Promise<Listing> {
	let entries = 0;
	writeFileSync(file, "");
	for await (const batch of source.list({ frozen, signal: never })) {
		appendFileSync(file, batch.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
		entries += batch.length;
	}
	async function* batches(): AsyncGenerator<readonly Entry[]> {
		for await (const line of createInterface({ input: createReadStream(file) })) yield [JSON.parse(line) as Entry];
	}
	return { entries, bytes: 0, batches };
}

if (import.meta.main) await move(JSON.parse(process.argv[2] ?? "") as Errand);
