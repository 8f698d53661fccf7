/** A machine in a network of its own, behind a wire that can be pulled: a real sshd, the agent, a real PostgreSQL. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Removal } from "../../node/volumes/directory/removal.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import { hasSshd, SshMachine } from "../machine.ts";
import { type Cluster, hasPostgres, startCluster } from "../postgres.ts";
import { layWire, run, tried } from "../wire.ts";
import { postgres } from "./postgres-yard.ts";
import { remotely } from "./remote-yard.ts";
import { fetched, gathered, listed, listingOf, never } from "./round.ts";

const space = `fvw${process.pid}`;
const network = `10.214.${process.pid % 250}`;
/** Longer than ssh waits in tests for a sign of life. */
const pulledFor = 12_000;

const isBuilt = hasSshd && hasPostgres && tried(build);
afterAll(() => void tried(() => run(`ip netns del ${space}`)));

describe.skipIf(!isBuilt)("a machine behind a wire (needs root, sshd and PostgreSQL)", () => {
	let machine: SshMachine;
	let cluster: Cluster;
	beforeAll(async () => {
		machine = new SshMachine({ address: `${network}.2`, enter: ["ip", "netns", "exec", space] });
		[cluster] = await Promise.all([startCluster(), machine.start()]);
	});
	afterAll(async () => {
		await machine?.stop();
		await cluster?.stop();
	});

	test("its service rests, its database goes elsewhere though the wire is pulled, and it wakes", async () => {
		const folder = mkdtempSync(join(tmpdir(), "wire-"));
		machine.unit("web.service", "exec sleep 1000");
		machine.declare("a/web", { units: ["web.service"], volumes: {} });
		const agent = machine.agent();
		const systemctl = [machine.at("bin/systemctl"), "is-active", "--", "web.service"];
		const isActive = async () => (await agent.host.run(systemctl)).output.trim();
		const yard = await remotely(
			() => machine,
			postgres(() => cluster),
		).open(folder);
		await yard.populate();
		const options = (scratch: string) => ({ scratch: join(folder, scratch), elsewhere: machine.elsewhere() });
		const [from, to] = await Promise.all([openSource(yard.from, options("s")), openTarget(yard.to, options("t"))]);
		try {
			await agent.thaw("a/web");
			expect(await isActive()).toBe("active");
			await agent.freeze("a/web");
			expect(await isActive()).toBe("inactive");
			const entries = await listed(from, true);
			const listing = listingOf(entries);
			const asked = await gathered(to.lacking(listing, never));
			const half = Math.ceil(asked.length / 2);
			expect(half).toBeGreaterThan(3);
			await fetched(from, to, entries, asked.slice(0, half));
			run(`ip link set ${space} down`);
			setTimeout(() => run(`ip link set ${space} up`), pulledFor);
			await fetched(from, to, entries, asked.slice(half));
			// What was on its way is found missing.
			await fetched(from, to, entries, await to.settle(listing, never));
			expect(await to.settle(listing, never)).toEqual([]);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
			await agent.thaw("a/web");
			expect(await isActive()).toBe("active");
		} finally {
			for (const end of [from, to]) await end.close();
			await yard.close();
			await new Removal().remove(folder);
		}
	}, 180_000);
});

function build(): void {
	layWire(space, `${network}.2/24`);
	run(`ip addr add ${network}.1/24 dev ${space}`);
	run(`ip link set ${space} up`);
}
