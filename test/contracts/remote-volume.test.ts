/** The ends of volumes on a machine behind a real sshd: the same suite, and lines that are cut. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { moveOf } from "../../node/agent/elsewhere.ts";
import { Removal } from "../../node/volumes/directory/removal.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import type { Source, Target } from "../../node/volumes/volume.ts";
import { hasSshd, SshMachine } from "../machine.ts";
import { type Cluster, hasPostgres, startCluster } from "../postgres.ts";
import { directory } from "./directory-yard.ts";
import { postgres } from "./postgres-yard.ts";
import { remotely } from "./remote-yard.ts";
import { fetched, gathered, hashOf, listed, listingOf, never, round } from "./round.ts";
import { sqlite } from "./sqlite-yard.ts";
import { describeVolume, namesIn, type VolumeUnderTest, type Yard } from "./volume.ts";

let machine: SshMachine;
let cluster: Cluster;
beforeAll(async () => {
	if (!hasSshd) return;
	machine = new SshMachine();
	await machine.start();
	if (hasPostgres) cluster = await startCluster();
});
afterAll(async () => {
	await machine?.stop();
	await cluster?.stop();
});

/** What a line could break; the rest is the business of the ends themselves, which have their own suites. */
const some = ["arrives as it was", "kill -9 after “written 8”"];
const more = ["goes on in the same folder", "while it is written to", "rehearsal", "called off", "little memory"];
const overSsh = (kind: VolumeUnderTest, only: readonly string[]) =>
	remotely(() => machine, hasSshd ? kind : { ...kind, skip: "sshd is not installed" }, only);

describeVolume("directory, over ssh", overSsh(directory, [...some, ...more]));
describeVolume("sqlite, over ssh", overSsh(sqlite("WAL"), some));

describeVolume(
	"postgres, over ssh",
	overSsh(
		postgres(() => cluster),
		[...some, "while it is written to"],
	),
);

describe.skipIf(!hasSshd)("a volume over ssh", () => {
	let folder: string;
	let yard: Yard;
	let opened: (Source | Target)[];
	beforeEach(async () => {
		opened = [];
		folder = mkdtempSync(join(tmpdir(), "volume-"));
		yard = await remotely(() => machine, directory).open(folder);
		await yard.populate();
	});
	afterEach(async () => {
		for (const end of opened) await end.close();
		await yard.close();
		await new Removal().remove(folder);
	});

	async function ends(): Promise<[Source, Target]> {
		const { elsewhere } = yard;
		const source = await openSource(yard.from, { scratch: join(folder, "s"), elsewhere });
		const target = await openTarget(yard.to, { scratch: join(folder, "t"), elsewhere });
		opened.push(source, target);
		return [source, target];
	}

	test("goes on by itself when the line is cut between any two steps", async () => {
		const [from, to] = await ends();
		machine.cut();
		const entries = await listed(from, true);
		const listing = listingOf(entries);
		machine.cut();
		const asked = await gathered(to.lacking(listing, never));
		for (let start = 0; start < asked.length; start += 20) {
			machine.cut();
			await fetched(from, to, entries, asked.slice(start, start + 20));
		}
		machine.cut();
		// What was on its way when the line was cut is found missing.
		await fetched(from, to, entries, await to.settle(listing, never));
		expect(await to.settle(listing, never)).toEqual([]);
		machine.cut();
		await to.swap(never);
		machine.cut();
		await to.swap(never);
		expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
	}, 180_000);

	test("gives each piece once, in order, though the line is cut while they come", async () => {
		const [from] = await ends();
		const entries = await listed(from, true);
		const hashes = new Map(entries.map(({ path, pieces }) => [path, pieces]));
		const wanted = Array.from({ length: 12 }, () => namesIn(entries)).flat();
		const got: string[] = [];
		let batches = 0;
		for await (const batch of from.read(wanted, never)) {
			if (++batches < 4) machine.cut();
			for (const { path, index, bytes } of batch) {
				expect(hashOf(bytes)).toBe(hashes.get(path)?.[index]);
				got.push(`${index}/${path}`);
			}
		}
		expect(got).toEqual(wanted.map(({ path, index }) => `${index}/${path}`));
	}, 180_000);

	test("goes on when the agents are killed in the middle, and two never work in one folder", async () => {
		const [from, to] = await ends();
		const entries = await listed(from, false);
		const listing = listingOf(entries);
		const asked = await gathered(to.lacking(listing, never));
		await fetched(from, to, entries, asked.slice(0, 20));
		for (const pid of agents()) process.kill(pid, "SIGKILL");
		await fetched(from, to, entries, asked.slice(20));
		expect((await round(from, to, { frozen: true })).left).toEqual([]);
		// Others in the same folders, as a node has them that was killed and started again: those of before end.
		const before = agents();
		const [again, anew] = await ends();
		expect((await round(again, anew, { frozen: true })).asked).toEqual([]);
		expect(agents().filter((pid) => before.includes(pid))).toEqual([]);
		await anew.swap(never);
		expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
	}, 180_000);

	test("says that the machine is silent when nobody answers there any more", async () => {
		const [from] = await ends();
		await listed(from, false);
		await machine.down();
		machine.cut();
		for (const pid of agents()) process.kill(pid, "SIGKILL");
		try {
			await expect(listed(from, false)).rejects.toMatchObject({ code: "machine-silent" });
		} finally {
			await machine.start();
		}
		expect((await listed(from, true)).length).toBeGreaterThan(0);
	}, 180_000);

	test("needs little memory on the machine too, and leaves nothing there that nobody needs", async () => {
		mkdirSync(join(folder, "big"));
		const big = await remotely(() => machine, directory).open(join(folder, "big"));
		await big.grow(150 * 1024 * 1024);
		const { elsewhere } = big;
		const from = await openSource(big.from, { scratch: join(folder, "s2"), elsewhere });
		const to = await openTarget(big.to, { scratch: join(folder, "t2"), elsewhere });
		opened.push(from, to);
		expect((await round(from, to, { frozen: true })).left).toEqual([]);
		const mine = ["s2", "t2"].map((scratch) => moveOf(join(folder, scratch)));
		const most = agents(mine).map((pid) => {
			const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
			return Number(kilobytes) / 1000;
		});
		expect(most).toHaveLength(2);
		expect(Math.max(...most)).toBeLessThan(250);
		await from.forget();
		await to.discard();
		expect(agents(mine)).toEqual([]);
		const left = readdirSync(join(machine.at("state"), "moves"));
		expect(left.filter((move) => mine.includes(move))).toEqual([]);
	}, 180_000);

	/** Processes that serve a volume of this machine, or of these moves there. */
	function agents(moves: readonly string[] = [""]): number[] {
		const { pid } = process;
		const found = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
		return found.flatMap((line) => {
			const [, number, args = ""] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
			const isOne =
				args.includes("node/agent/main.ts volume") && moves.some((move) => args.includes(move)) && isOf(Number(number));
			return isOne && Number(number) !== pid ? [Number(number)] : [];
		});
	}

	function isOf(pid: number): boolean {
		try {
			return readFileSync(`/proc/${pid}/environ`, "utf8").includes(machine.at("agent.json"));
		} catch {
			return false;
		}
	}
});
