/** Rounds of a volume on a machine: what crosses the line when little has changed, and lines that break while it is listed. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Agent } from "../../node/agent/agent.ts";
import { moveOf } from "../../node/agent/elsewhere.ts";
import type { Listed } from "../../node/transfer/changes.ts";
import { Removal } from "../../node/volumes/directory/removal.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import type { Listing, Place, RemotePlace, Source, Target } from "../../node/volumes/volume.ts";
import { Counting } from "../counting-host.ts";
import { hasSshd, SshMachine } from "../machine.ts";
import { inventoried } from "./inventoried.ts";
import { fetched, gathered, listed, never } from "./round.ts";

const files = 2000;

describe.skipIf(!hasSshd)("rounds of a tree over ssh", () => {
	let machine: SshMachine;
	let folder: string;
	let host: Counting;
	let opened: (Source | Target)[];
	beforeAll(async () => {
		machine = new SshMachine();
		await machine.start();
	});
	afterAll(() => machine?.stop());

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "rounds-"));
		opened = [];
		host = new Counting(machine.host());
		for (let n = 0; n < files; n++) {
			if (n % 100 === 0) mkdirSync(join(folder, `tree/${n / 100}`), { recursive: true });
			put(n, `content of ${n}`);
		}
		machine.declare("a/old", { units: [], volumes: { data: { kind: "directory", path: join(folder, "tree") } } });
		machine.declare("b/new", { units: [], volumes: { data: { kind: "directory", path: join(folder, "copy") } } });
	});
	afterEach(async () => {
		for (const end of opened) await end.close();
		await host.close();
		await new Removal().remove(folder);
	});

	const put = (n: number, text: string) => writeFileSync(join(folder, `tree/${Math.floor(n / 100)}/file-${n}`), text);
	const elsewhere = () => machine.elsewhere(new Agent(host, machine.program));
	const place = (service: string): RemotePlace => ({
		...{ kind: "remote", of: "directory", machine: "one", service, volume: "data" },
	});
	const local = (name: string): Place => ({ kind: "directory", path: join(folder, name), owner: null });
	async function source(from: Place): Promise<Source> {
		const one = await openSource(from, { scratch: join(folder, "s"), elsewhere: elsewhere() });
		opened.push(one);
		return one;
	}
	async function target(to: Place): Promise<Target> {
		const one = await openTarget(to, { scratch: join(folder, "t"), elsewhere: elsewhere() });
		opened.push(one);
		return one;
	}

	const inventory = (from: Source, round: number, before?: Listed) =>
		inventoried(from, { folder: join(folder, "lists"), round, before });

	async function brought(from: Source, to: Target, listing: Listing): Promise<void> {
		const entries = await gathered(listing.batches());
		await fetched(from, to, entries, await gathered(to.lacking(listing, never)));
		expect(await to.settle(listing, never, { isLive: true })).toEqual([]);
	}

	test("tell a source's listing by its difference from the one before", async () => {
		const from = await source(place("a/old"));
		const first = await listed(from, true);
		const whole = host.taken();
		put(7, "another content");
		put(files - 1, "another one");
		const second = await listed(from, true);
		const little = host.taken();
		expect(first).toHaveLength(files + files / 100);
		expect(second.filter(({ path }, at) => first[at]?.path !== path)).toEqual([]);
		expect(second.flatMap((one, at) => (one.pieces[0] === first[at]?.pieces[0] ? [] : one.path))).toEqual([
			"0/file-7",
			`${Math.floor((files - 1) / 100)}/file-${files - 1}`,
		]);
		expect(little.come).toBeLessThan(whole.come / 50);
		// Another node in the same folders begins with what is there, and with nothing of it where it is damaged.
		await from.close();
		expect(await listed(await source(place("a/old")), true)).toEqual(second);
		expect(host.taken().come).toBeLessThan(whole.come / 50);
		const [kept] = readdirSync(join(folder, "s/listings")) as [string];
		writeFileSync(join(folder, "s/listings", kept), "damaged\n");
		expect(await listed(await source(place("a/old")), true)).toEqual(second);
	}, 180_000);

	test("tell a target what has changed, also one that is opened anew", async () => {
		const from = await source(local("tree"));
		let to = await target(place("b/new"));
		const first = await inventory(from, 1);
		await brought(from, to, first.listing);
		const whole = host.taken();
		put(8, "changed");
		writeFileSync(join(folder, "tree/0/file-0-new"), "new");
		mkdirSync(join(folder, "tree/0-new"));
		await new Removal().remove(join(folder, "tree/3"));
		const second = await inventory(from, 2, first.listed);
		await brought(from, to, second.listing);
		expect(host.taken().sent).toBeLessThan(whole.sent / 10);
		// Another one in the same folders begins with what is there.
		await to.close();
		to = await target(place("b/new"));
		put(9, "changed");
		const third = await inventory(from, 3, second.listed);
		await brought(from, to, third.listing);
		expect(host.taken().sent).toBeLessThan(whole.sent / 10);
		// One whose changes nobody knows is told as a whole.
		put(9, "changed again");
		await brought(from, to, (await inventory(from, 4)).listing);
		await to.swap(never);
		const copy = await openSource(local("copy"), { scratch: join(folder, "check") });
		const contents = async (one: Source) => (await listed(one, true)).map(({ path, pieces }) => [path, pieces]);
		expect(await contents(copy)).toEqual(await contents(from));
	}, 180_000);

	test("are told as a whole where the machine has something else than its name says", async () => {
		const from = await source(local("tree"));
		const to = await target(place("b/new"));
		const first = await inventory(from, 1);
		await brought(from, to, first.listing);
		await to.close();
		const there = join(machine.at("state/moves"), moveOf(join(folder, "t")), "listings");
		const [kept] = readdirSync(there) as [string];
		writeFileSync(join(there, kept), "damaged\n");
		put(8, "changed");
		const second = await inventory(from, 2, first.listed);
		await brought(from, to, second.listing);
		expect(readdirSync(there)).toEqual([`${second.listed.volume.listing}.ndjson`]);
	}, 180_000);

	test("list each entry once though the line breaks in the middle, and ask for each piece once", async () => {
		const from = await source(place("a/old"));
		host.cutAfter = 100_000;
		const entries = await listed(from, true);
		expect(host.cutAfter).toBe(Number.POSITIVE_INFINITY);
		expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
		expect(entries).toHaveLength(files + files / 100);
		const to = await target(place("b/new"));
		const here = await source(local("tree"));
		const { listing } = await inventory(here, 1);
		host.cutAfter = 30_000;
		const names = await gathered(to.lacking(listing, never));
		expect(host.cutAfter).toBe(Number.POSITIVE_INFINITY);
		expect(new Set(names.map(({ path }) => path)).size).toBe(names.length);
		expect(names).toHaveLength(files);
	}, 180_000);

	test("are refused by an agent of another version", async () => {
		const { program } = machine.agent();
		const ran = await host.run([...program, "volume", "source", "0.0.0", "a/old", "data", "m"]);
		expect(machine.agent().failure(ran)).toMatchObject({ code: "machine-version" });
	}, 180_000);
});
