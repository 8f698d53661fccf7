/** What every Zone promises, tried on all that we have: in memory, on a real Knot DNS, on the demo's name server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openNameServer } from "../../node/demo/name-server.ts";
import { MemoryZone } from "../../node/domains/memory-zone.ts";
import { Rfc2136Zone } from "../../node/domains/rfc2136-zone.ts";
import type { DnsRecord, Zone } from "../../node/domains/zone.ts";
import { hasKnot, startKnot } from "./knot.ts";

const name = "customers.test";
const northKey = { name: "north", secret: Buffer.alloc(32, 1).toString("base64") };
const southKey = { name: "south", secret: Buffer.alloc(32, 2).toString("base64") };
const keys = [northKey, southKey];

interface Opened {
	/** The zone as each of two nodes has it. */
	readonly zones: readonly [north: Zone, south: Zone];
	close(): Promise<void>;
}

const zoneOf = (server: string, key: (typeof keys)[number]) => new Rfc2136Zone({ name, server, key, now: Date.now });
const remote = (server: string) => [zoneOf(server, northKey), zoneOf(server, southKey)] as const;

const kinds: Record<string, { skip: boolean; open(): Promise<Opened> }> = {
	"in memory": {
		skip: false,
		async open() {
			const zone = new MemoryZone(name);
			return { zones: [zone, zone], close: async () => {} };
		},
	},
	"on Knot DNS (needs the Debian package knot)": {
		skip: !hasKnot,
		async open() {
			const knot = await startKnot(name, keys);
			return { zones: remote(knot.server), close: () => knot.close() };
		},
	},
	"on the demo's name server": {
		skip: false,
		async open() {
			const folder = mkdtempSync(join(tmpdir(), "zone-"));
			const options = { zone: name, file: join(folder, "zone.json"), port: 0, keys, records: [], now: Date.now };
			const server = await openNameServer(options);
			return {
				zones: remote(`127.0.0.1:${server.port}`),
				async close() {
					await server.close();
					rmSync(folder, { recursive: true });
				},
			};
		},
	},
};

const text = (domain: string, value: string): DnsRecord => ({
	type: "TXT",
	name: `_fediversity.${domain}`,
	value,
	ttl: 300,
});
const a = (name: string, value: string): DnsRecord => ({ type: "A", name, value, ttl: 300 });
const aaaa = (name: string, value: string): DnsRecord => ({ type: "AAAA", name, value, ttl: 300 });
const cname = (name: string, value: string): DnsRecord => ({ type: "CNAME", name, value, ttl: 300 });

for (const [kind, { skip, open }] of Object.entries(kinds))
	describe.skipIf(skip)(`a zone ${kind}`, () => {
		let opened: Opened;
		let zone: Zone;
		let other: Zone;
		beforeAll(async () => {
			opened = await open();
			[zone, other] = opened.zones;
		});
		afterAll(() => opened?.close());

		test("gives what was set, every type, and nothing for a name it lacks", async () => {
			const domain = `all.${name}`;
			const long = "long ".repeat(130);
			await zone.set([
				text(domain, long),
				a(`a.${domain}`, "192.0.2.1"),
				a(`a.${domain}`, "192.0.2.2"),
				aaaa(`a.${domain}`, "2001:db8::1"),
				cname(`c.${domain}`, "panel.north.example"),
				cname(`d.${domain}`, `a.${domain}`),
			]);
			expect(await zone.look(`_fediversity.${domain}`, "TXT")).toEqual([long]);
			expect((await zone.look(`a.${domain}`, "A")).sort()).toEqual(["192.0.2.1", "192.0.2.2"]);
			expect(await zone.look(`a.${domain}`, "AAAA")).toEqual(["2001:db8::1"]);
			expect(await zone.look(`c.${domain}`, "CNAME")).toEqual(["panel.north.example"]);
			expect(await zone.look(`c.${domain}`, "A")).toEqual([]);
			expect(await zone.look(`d.${domain}`, "A")).toEqual([]);
			expect(await zone.look(`none.${domain}`, "TXT")).toEqual([]);
			expect(await zone.look(domain, "A")).toEqual([]);
		});

		test("makes an RRset exactly what is set, and lets go of what cannot stand beside it", async () => {
			const host = `h.exact.${name}`;
			await zone.set([a(host, "192.0.2.1"), a(host, "192.0.2.2"), aaaa(host, "2001:db8::1")]);
			await zone.set([a(host, "192.0.2.3")]);
			expect(await zone.look(host, "A")).toEqual(["192.0.2.3"]);
			expect(await zone.look(host, "AAAA")).toEqual([]);
			await zone.set([cname(host, "north.example")]);
			expect(await zone.look(host, "A")).toEqual([]);
			expect(await zone.look(host, "CNAME")).toEqual(["north.example"]);
			await zone.set([cname(host, "south.example")]);
			expect(await zone.look(host, "CNAME")).toEqual(["south.example"]);
			await zone.set([a(host, "192.0.2.4")]);
			expect(await zone.look(host, "CNAME")).toEqual([]);
			expect(await zone.look(host, "A")).toEqual(["192.0.2.4"]);
		});

		test("set twice is set once", async () => {
			const records = [text(`twice.${name}`, "mine"), cname(`h.twice.${name}`, "north.example")];
			for (let n = 0; n < 2; n++) await zone.set(records, { name: `_fediversity.twice.${name}`, mine: "mine" });
			expect(await zone.look(`_fediversity.twice.${name}`, "TXT")).toEqual(["mine"]);
			expect(await zone.look(`h.twice.${name}`, "CNAME")).toEqual(["north.example"]);
			await zone.set([]);
		});

		test("sets all or nothing, and nothing outside of itself", async () => {
			const inside = a(`h.inside.${name}`, "192.0.2.1");
			await expect(zone.set([inside, a("h.elsewhere.example", "192.0.2.1")])).rejects.toMatchObject({
				code: "zone-refused",
				params: { reason: "the name is not in its zone" },
			});
			expect(await zone.look(inside.name, "A")).toEqual([]);
		});

		test("changes nothing for whoever does not hold the ownership record, and says who does", async () => {
			const domain = `held.${name}`;
			const where = `_fediversity.${domain}`;
			const theirs = "e=1; a=https://south.example/actor; c=their-claim";
			await other.set([text(domain, theirs), cname(`h.${domain}`, "south.example")], { name: where, mine: theirs });
			const mine = "e=1; a=https://north.example/actor; c=my-claim";
			await expect(
				zone.set([text(domain, mine), cname(`h.${domain}`, "north.example")], { name: where, mine }),
			).rejects.toMatchObject({ code: "domain-elsewhere", params: { domain, holder: "south.example" } });
			expect(await zone.look(where, "TXT")).toEqual([theirs]);
			expect(await zone.look(`h.${domain}`, "CNAME")).toEqual(["south.example"]);
		});

		test("takes over a record by naming it, once", async () => {
			const domain = `over.${name}`;
			const where = `_fediversity.${domain}`;
			await zone.set([text(domain, "old")]);
			await zone.set([text(domain, "new")], { name: where, mine: "old" });
			await expect(zone.set([text(domain, "newer")], { name: where, mine: "old" })).rejects.toThrow("served by new");
			expect(await zone.look(where, "TXT")).toEqual(["new"]);
		});

		test("two texts at the ownership name are nobody's, even if one of them is ours", async () => {
			const domain = `two.${name}`;
			const where = `_fediversity.${domain}`;
			await zone.set([text(domain, "mine"), text(domain, "theirs")]);
			await expect(zone.set([text(domain, "mine")], { name: where, mine: "mine" })).rejects.toMatchObject({
				code: "domain-elsewhere",
				params: { holder: "theirs" },
			});
			expect((await zone.look(where, "TXT")).sort()).toEqual(["mine", "theirs"]);
		});

		test("of many who want a name at once just one gets it, whole", async () => {
			for (let round = 0; round < 5; round++) {
				const domain = `race${round}.${name}`;
				const where = `_fediversity.${domain}`;
				const tries = Array.from({ length: 8 }, (_, n) => {
					const node = n % 2 ? other : zone;
					return node.set([text(domain, `claim ${n}`), cname(`h.${domain}`, `node${n}.example`)], {
						name: where,
						mine: `claim ${n}`,
					});
				});
				const ends = await Promise.allSettled(tries);
				const winners = ends.flatMap((end, n) => (end.status === "fulfilled" ? [n] : []));
				expect(winners).toHaveLength(1);
				expect(await zone.look(where, "TXT")).toEqual([`claim ${winners[0]}`]);
				expect(await zone.look(`h.${domain}`, "CNAME")).toEqual([`node${winners[0]}.example`]);
				for (const end of ends)
					if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "domain-elsewhere" });
			}
		});

		test("removes exactly the records it is told, and twice is no error", async () => {
			const host = `h.gone.${name}`;
			await zone.set([a(host, "192.0.2.1"), a(host, "192.0.2.2"), text(`gone.${name}`, "stays")]);
			for (let n = 0; n < 2; n++) {
				await zone.remove([a(host, "192.0.2.1"), a(host, "192.0.2.9"), text(`gone.${name}`, "other")]);
				expect(await zone.look(host, "A")).toEqual(["192.0.2.2"]);
				expect(await zone.look(`_fediversity.gone.${name}`, "TXT")).toEqual(["stays"]);
			}
			await zone.remove([]);
		});

		test("removes nothing for whoever does not hold the ownership record", async () => {
			const domain = `kept.${name}`;
			const where = `_fediversity.${domain}`;
			const records = [text(domain, "theirs"), cname(`h.${domain}`, "north.example")];
			await other.set(records);
			await zone.remove([text(domain, "mine"), cname(`h.${domain}`, "north.example")], { name: where, mine: "mine" });
			expect(await zone.look(`h.${domain}`, "CNAME")).toEqual(["north.example"]);
			for (let n = 0; n < 2; n++) await other.remove(records, { name: where, mine: "theirs" });
			expect(await zone.look(`h.${domain}`, "CNAME")).toEqual([]);
			expect(await zone.look(where, "TXT")).toEqual([]);
		});
	});
