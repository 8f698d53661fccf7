import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { openNameServer } from "../demo/name-server.ts";
import { Database } from "../store/database.ts";
import { Domains, type DomainsParts } from "./domains.ts";
import { MemoryZone } from "./memory-zone.ts";
import { Rfc2136Zone } from "./rfc2136-zone.ts";
import type { DnsRecord, Zone } from "./zone.ts";
import { ZoneLookup } from "./zone-lookup.ts";

const day = 86_400_000;
let time: number;
const now = () => time;

/** The zone in which both providers give names, and the rest of the DNS, in which people set records themselves. */
let zone: MemoryZone;
let world: MemoryZone;
let db: Database;
let north: Domains;
let south: Domains;

const parts = (node: string): DomainsParts => ({
	...{ zones: [zone], lookup: new ZoneLookup(world, now), addresses: [], now },
	panelHost: `${node}.localhost`,
	actor: `http://${node}.localhost:8080/actor`,
});

function database(file = ":memory:") {
	const opened = new Database(file);
	for (const id of ["anna", "ben"])
		opened.run(
			`INSERT OR IGNORE INTO customer (id, name, email, email_key, password, language, created_at)
			 VALUES ($id, $id, $id, $id, '', 'en', 0)`,
			{ id },
		);
	return opened;
}

beforeEach(() => {
	time = Date.parse("2026-03-01");
	zone = new MemoryZone("localhost", [{ type: "A", name: "north.localhost", value: "127.0.0.1", ttl: 60 }]);
	world = new MemoryZone("example");
	db = database();
	north = new Domains(db, parts("north"));
	south = new Domains(database(), parts("south"));
});

const hostsOf = (domain: string) => [{ host: `social.${domain}`, service: "snac" }];
const code = (code: string, params?: object) => expect.objectContaining({ code, ...(params && { params }) });
const thrown = (work: () => unknown) => {
	try {
		work();
	} catch (error) {
		if (error instanceof Problem) return error.code;
	}
	return "nothing";
};

/** As `deployments/` writes them down. */
function deploy(customer: string, domain: string, state = "serving") {
	const row = { id: `${customer} ${domain} ${time++}`, customer, domain, state };
	db.run(
		"INSERT INTO deployment (id, customer, domain, plan, state, created_at) VALUES ($id, $customer, $domain, '', $state, 0)",
		row,
	);
	return row.id;
}

/** The customer does as the page says. */
async function setRecords(
	domains: Domains,
	customer: string,
	domain: string,
	only: DnsRecord["type"][] = ["TXT", "CNAME"],
) {
	const { records } = await domains.recordsView(customer, domain, hostsOf(domain));
	await world.set(records.filter(({ type }) => only.includes(type)));
}

test("a domain is added once, however often and however written", () => {
	const first = north.add("anna", "CHÖRE.example.");
	expect(first).toEqual({
		domain: "xn--chre-6qa.example",
		unicode: "chöre.example",
		managed: false,
		deployment: null,
		addedAt: "2026-03-01T00:00:00.000Z",
	});
	time += day;
	expect(north.add("anna", "xn--chre-6qa.example")).toEqual(first);
	expect(north.get("anna", "Chöre.example")).toEqual(first);
	expect(north.page("anna", { limit: 10 })).toEqual({ items: [first], next: null });
});

test("a domain that is not the customer's is unknown, whoever else has it", async () => {
	north.add("anna", "choir.localhost");
	for (const text of ["choir.localhost", "other.example", "", "not a domain"]) {
		expect(() => north.get("ben", text)).toThrow(code("domain-unknown"));
		await expect(north.remove("ben", text)).rejects.toThrow(code("domain-unknown"));
		await expect(north.recordsView("ben", text, [])).rejects.toThrow(code("domain-unknown"));
		await expect(north.publish("ben", text, [])).rejects.toThrow(code("domain-unknown"));
	}
	expect(north.page("ben", { limit: 10 }).items).toEqual([]);
});

test("domains come in pages, newest first", () => {
	for (const name of ["a", "b", "c", "d", "e"]) {
		time += 1;
		north.add("anna", `${name}.localhost`);
	}
	const first = north.page("anna", { limit: 2 });
	const second = north.page("anna", { limit: 2, after: first.next ?? "" });
	const third = north.page("anna", { limit: 2, after: second.next ?? "" });
	expect([first, second, third].map(({ items }) => items.map(({ domain }) => domain[0]))).toEqual([
		["e", "d"],
		["c", "b"],
		["a"],
	]);
	expect(third.next).toBeNull();
});

test("nobody hoards names", async () => {
	for (let n = 0; n < 20; n++) north.add("anna", `name${n}.localhost`);
	expect(() => north.add("anna", "one-more.localhost")).toThrow(code("domains-too-many", { limit: "20" }));
	north.add("anna", "name7.localhost");
	deploy("anna", "name7.localhost");
	north.add("anna", "one-more.localhost");
	await north.remove("anna", "name3.localhost");
	north.add("anna", "yet-one.localhost");
});

describe("in a zone of our own", () => {
	test("who comes first has the name, and no claim is left of who does not get it", () => {
		north.add("anna", "choir.localhost");
		expect(() => north.add("ben", "choir.localhost")).toThrow(code("domain-taken"));
		expect(north.page("ben", { limit: 10 }).items).toEqual([]);
	});

	test("a name without services is free after seven days, also of somebody whose services went", async () => {
		north.add("anna", "choir.localhost");
		time += 7 * day - 1;
		north.add("anna", "choir.localhost");
		expect(thrown(() => north.add("ben", "choir.localhost"))).toBe("domain-taken");
		time += 1;
		north.add("ben", "choir.localhost");
		expect(() => north.add("anna", "choir.localhost")).toThrow(code("domain-taken"));

		const deployment = deploy("ben", "choir.localhost");
		time += 100 * day;
		expect(north.get("ben", "choir.localhost").deployment).toBe(deployment);
		expect(thrown(() => north.add("anna", "choir.localhost"))).toBe("domain-taken");
		await north.withdraw("ben", "choir.localhost", hostsOf("choir.localhost"));
		db.run("UPDATE deployment SET state = 'gone'");
		time += 7 * day - 1;
		expect(thrown(() => north.add("anna", "choir.localhost"))).toBe("domain-taken");
		time += 1;
		north.add("anna", "choir.localhost");
		await expect(north.publish("ben", "choir.localhost", [])).rejects.toThrow(code("domain-taken"));
	});

	test("the records are shown before they are set, and right afterwards", async () => {
		north.add("anna", "choir.localhost");
		const hosts = hostsOf("choir.localhost");
		const before = await north.recordsView("anna", "choir.localhost", hosts);
		expect(before).toMatchObject({ domain: "choir.localhost", managed: true, ready: true });
		expect(before.records.map(({ state }) => state)).toEqual(["missing", "missing"]);
		expect(before.records[1]).toMatchObject({
			...{ type: "CNAME", name: "social.choir.localhost", value: "north.localhost", purpose: "snac" },
			...{ server: "memory", checkedAt: "2026-03-01T00:00:00.000Z" },
		});
		for (let n = 0; n < 2; n++) await north.publish("anna", "choir.localhost", hosts);
		const after = await north.recordsView("anna", "choir.localhost", hosts);
		expect(after.records.map(({ state }) => state)).toEqual(["right", "right"]);
		expect(zone.records).toHaveLength(3);
	});

	test("a name that another provider serves is not ours to give", async () => {
		south.add("anna", "choir.localhost");
		await south.publish("anna", "choir.localhost", hostsOf("choir.localhost"));
		const elsewhere = code("domain-elsewhere", { domain: "choir.localhost", holder: "south.localhost" });
		await expect(north.checkFree("choir.localhost")).rejects.toThrow(elsewhere);
		north.add("anna", "choir.localhost");
		await expect(north.checkPointed("anna", "choir.localhost", [])).rejects.toThrow(elsewhere);
		await expect(north.publish("anna", "choir.localhost", [])).rejects.toThrow(elsewhere);
		const view = await north.recordsView("anna", "choir.localhost", hostsOf("choir.localhost"));
		expect(view).toMatchObject({ ready: false, records: [{ state: "wrong" }, { state: "wrong" }] });
		await north.withdraw("anna", "choir.localhost", hostsOf("choir.localhost"));
		await north.remove("anna", "choir.localhost");
		expect(await zone.look("social.choir.localhost", "CNAME")).toEqual(["south.localhost"]);
		expect(await zone.look("_fediversity.choir.localhost", "TXT")).toHaveLength(1);
	});

	test("a name that the provider uses otherwise is not given away", async () => {
		zone.records = [...zone.records, { type: "CNAME", name: "mail.localhost", value: "north.localhost", ttl: 60 }];
		await expect(north.checkFree("mail.localhost")).rejects.toThrow(code("domain-is-reserved"));
		await expect(south.checkFree("north.localhost")).rejects.toThrow(code("domain-is-reserved"));
		await expect(north.checkFree("choir.localhost")).resolves.toBeUndefined();
		await expect(north.checkFree("choir.example")).resolves.toBeUndefined();
	});

	test("our own record from a claim that is no more does not keep anybody out", async () => {
		north.add("anna", "choir.localhost");
		await north.publish("anna", "choir.localhost", hostsOf("choir.localhost"));
		time += 7 * day;
		north.add("ben", "choir.localhost");
		await north.publish("ben", "choir.localhost", hostsOf("choir.localhost"));
		const [record] = await zone.look("_fediversity.choir.localhost", "TXT");
		const { records } = await north.recordsView("ben", "choir.localhost", []);
		expect(record).toBe(records[0]?.value);
	});

	test("taking back is whole, happens twice without harm, and also finds what an older configuration has set", async () => {
		const hosts = hostsOf("choir.localhost");
		const before = new Domains(db, { ...parts("north"), addresses: ["192.0.2.7", "2001:db8::7"] });
		before.add("anna", "choir.localhost");
		await before.publish("anna", "choir.localhost", hosts);
		expect(zone.records).toHaveLength(4);
		for (let n = 0; n < 2; n++) await north.withdraw("anna", "choir.localhost", hosts);
		expect(zone.records).toHaveLength(1);
		await north.withdraw("ben", "choir.localhost", hosts);
	});

	test("forgetting a domain takes its record along, and waits for its services to go", async () => {
		north.add("anna", "choir.localhost");
		await north.publish("anna", "choir.localhost", []);
		deploy("anna", "choir.localhost", "kept");
		await expect(north.remove("anna", "choir.localhost")).rejects.toThrow(code("domain-busy"));
		db.run("UPDATE deployment SET state = 'gone'");
		await north.remove("anna", "choir.localhost");
		expect(await zone.look("_fediversity.choir.localhost", "TXT")).toEqual([]);
		north.add("ben", "choir.localhost");
	});

	test("a name server that is silent leaves the records unknown and lets a domain be forgotten", async () => {
		const silent = () => Promise.reject(new Problem("zone-silent", { server: "ns" }));
		const dead: Zone = { name: "localhost", server: "ns", look: silent, set: silent, remove: silent };
		const domains = new Domains(db, { ...parts("north"), zones: [dead] });
		domains.add("anna", "choir.localhost");
		const view = await domains.recordsView("anna", "choir.localhost", hostsOf("choir.localhost"));
		expect(view.records.map(({ state, server }) => [state, server])).toEqual([
			["unknown", "ns"],
			["unknown", "ns"],
		]);
		await expect(domains.publish("anna", "choir.localhost", [])).rejects.toThrow(code("zone-silent"));
		await domains.remove("anna", "choir.localhost");
	});
});

describe("in somebody else's zone", () => {
	const domain = "choir.example";
	const hosts = hostsOf(domain);

	test("nothing begins before every record is right", async () => {
		north.add("anna", domain);
		const unready = code("domain-not-pointed", { domain });
		await expect(north.checkPointed("anna", domain, hosts)).rejects.toThrow(unready);
		await setRecords(north, "anna", domain, ["CNAME"]);
		await expect(north.checkPointed("anna", domain, hosts)).rejects.toThrow(unready);
		expect(await north.recordsView("anna", domain, hosts)).toMatchObject({
			...{ managed: false, ready: false },
			records: [{ state: "missing" }, { state: "right", seen: ["north.localhost"] }],
		});
		await setRecords(north, "anna", domain, ["TXT"]);
		await north.checkPointed("anna", domain, hosts);
		await north.publish("anna", domain, hosts);
		expect(await north.recordsView("anna", domain, hosts)).toMatchObject({ ready: true });
		await world.set([{ type: "A", name: "social.choir.example", value: "192.0.2.9", ttl: 60 }]);
		await expect(north.publish("anna", domain, hosts)).rejects.toThrow(unready);
		await north.withdraw("anna", domain, hosts);
		expect(await world.look("_fediversity.choir.example", "TXT")).toHaveLength(1);
	});

	test("a claim keeps nobody out; whose record the DNS shows has the domain", async () => {
		north.add("anna", domain);
		north.add("ben", domain);
		await setRecords(north, "ben", domain);
		await north.checkPointed("ben", domain, hosts);
		await expect(north.checkPointed("anna", domain, hosts)).rejects.toThrow(code("domain-not-pointed"));
		await setRecords(north, "anna", domain);
		await north.checkPointed("anna", domain, hosts);
		await expect(north.publish("ben", domain, hosts)).rejects.toThrow(code("domain-not-pointed"));
		deploy("anna", domain);
		await setRecords(north, "ben", domain);
		await expect(north.checkPointed("ben", domain, hosts)).rejects.toThrow(code("domain-taken"));
	});

	test("a domain that points to another provider is told as theirs", async () => {
		south.add("anna", domain);
		await setRecords(south, "anna", domain);
		north.add("ben", domain);
		const elsewhere = code("domain-elsewhere", { domain, holder: "south.localhost" });
		await expect(north.checkPointed("ben", domain, hosts)).rejects.toThrow(elsewhere);
		expect((await north.recordsView("ben", domain, hosts)).ready).toBe(false);
	});
});

describe("two at once", () => {
	test("of two customers one gets the name, by the database, also from two processes", () => {
		const folder = mkdtempSync(join(tmpdir(), "domains-"));
		const file = join(folder, "node.sqlite");
		const nodes = [database(file), database(file)].map((own) => [own, new Domains(own, parts("north"))] as const);
		for (let round = 0; round < 10; round++) {
			const ends = nodes.map(([, domains], n) =>
				thrown(() => domains.add(n ? "anna" : "ben", `race${round}.localhost`)),
			);
			expect(ends.sort()).toEqual(["domain-taken", "nothing"]);
		}
		const insert = `INSERT INTO domain (domain, customer, claim, added_at, held_at) VALUES ('x', $who, $who, 0, 0)`;
		nodes[0]?.[0].run(insert, { who: "anna" });
		expect(() => nodes[1]?.[0].run(insert, { who: "ben" })).toThrow("UNIQUE");
		for (const [own] of nodes) own.close();
		rmSync(folder, { recursive: true });
	});

	test("of two providers one gets the name, by the zone, with all of its records", () => raceOfProviders(north, south));

	test("the same with signed updates over the network", async () => {
		const folder = mkdtempSync(join(tmpdir(), "domains-"));
		const keys = ["north", "south"].map((name) => ({ name, secret: Buffer.alloc(32, name).toString("base64") }));
		const at = { zone: "localhost", file: join(folder, "zone.json"), port: 0, keys, records: [], now: Date.now };
		const names = await openNameServer(at);
		const [first, second] = keys.map((key) => {
			const own = new Rfc2136Zone({ name: "localhost", server: `127.0.0.1:${names.port}`, key, now: Date.now });
			return new Domains(database(), { ...parts(key.name), zones: [own] });
		});
		if (first && second) await raceOfProviders(first, second);
		await names.close();
		rmSync(folder, { recursive: true });
		expect.assertions(30);
	});
});

async function raceOfProviders(one: Domains, other: Domains) {
	for (let round = 0; round < 10; round++) {
		const domain = `race${round}.localhost`;
		const both = [one, other];
		for (const node of both) node.add("anna", domain);
		await Promise.all(both.map((node) => node.checkPointed("anna", domain, hostsOf(domain))));
		const ends = await Promise.allSettled(both.map((node) => node.publish("anna", domain, hostsOf(domain))));
		expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
		const [loser, winner] = ends[0]?.status === "rejected" ? [one, other] : [other, one];
		expect(ends).toContainEqual({ status: "rejected", reason: code("domain-elsewhere") });
		await loser.withdraw("anna", domain, hostsOf(domain));
		const { records } = await winner.recordsView("anna", domain, hostsOf(domain));
		expect(records.map(({ state }) => state)).toEqual(["right", "right"]);
	}
}
