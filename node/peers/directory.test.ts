/** Nodes that get to know each other, over real connections; their clocks can jump. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sheet } from "#protocol/migration/sheet.ts";
import { afterwards, listening } from "../../test/loopback.ts";
import { identityIn } from "../federation/identity.ts";
import { SealedVault } from "../secrets/sealed-vault.ts";
import { Database } from "../store/database.ts";
import { Directory } from "./directory.ts";
import { openSheetDoor } from "./door.ts";
import { signerOf } from "./keys.ts";
import { Outside } from "./outside.ts";
import { ownSheet, type SaidByProvider } from "./own-sheet.ts";
import { isShown, isStale } from "./peer.ts";
import { Peers } from "./peers.ts";

const hour = 60 * 60_000;
const day = 24 * hour;

interface Wishes {
	known?: string[];
	learn?: boolean;
	listed?: boolean;
	/** Whether it may go to this machine. */
	privateToo?: boolean;
	/** Answers instead of the node, if it does. */
	instead?: (path: string) => { status?: number; body: unknown } | undefined;
}

const said: SaidByProvider = {
	...{ name: "North", version: "0.1.0", place: null, jurisdiction: null, price: null, backups: null, terms: null },
	...{ limits: { bytes: null }, accepts: "all", exit: { noticeDays: null, charge: null, keepDays: 30 } },
};

async function node(name: string, wishes: Wishes = {}) {
	const folder = mkdtempSync(join(tmpdir(), "peers-"));
	afterwards(() => rmSync(folder, { recursive: true }));
	const db = new Database(":memory:");
	const clock = { now: Date.now() };
	const now = () => clock.now;
	const asked: string[] = [];
	const handler = { listener: ((_, response) => response.writeHead(503).end()) as RequestListener };
	const server = createServer((request, response) => {
		asked.push(request.url ?? "");
		handler.listener(request, response);
	});
	const origin = `http://127.0.0.1:${await listening(server)}`;
	const actor = `${origin}/actor`;
	let keys = 0;
	const keyPair = async () =>
		signerOf(await identityIn(new SealedVault(new Database(":memory:"), join(folder, `${keys++}`))), actor);
	const identity = { signer: await keyPair() };
	const outside = new Outside(wishes.privateToo ?? true);
	const peers = new Peers(db, now);
	const { known = [], learn = true, listed = true } = wishes;
	const directory = new Directory({ peers, outside, origin, known, learn, now });
	const engine = { name: "local", can: async () => ({ can: true as const, version: "1.2" }) };
	const sheet = ownSheet({
		...{ actor, engine, folder, now, said: { ...said, name }, signer: async () => identity.signer },
		catalogue: [{ name: "snac", title: "snac" } as never],
	});
	const door = openSheetDoor({ sheet, listed, named: () => directory.named() });
	handler.listener = async (request, response) => {
		const other = wishes.instead?.(request.url ?? "");
		if (other)
			return response
				.writeHead(other.status ?? 200)
				.end(typeof other.body === "string" ? other.body : JSON.stringify(other.body));
		if (await door(request, response)) return;
		const { keyid, key } = identity.signer;
		const method = { id: keyid, type: "Multikey", controller: actor, publicKeyMultibase: key };
		response.end(JSON.stringify({ id: actor, type: "Application", name, assertionMethod: [method] }));
	};
	afterwards(async () => {
		await Promise.all([directory.close(), outside.close()]);
		db.close();
	});
	return {
		...{ origin, peers, directory, clock, asked, server, sheet },
		key: () => identity.signer.key,
		async changeKey() {
			identity.signer = await keyPair();
		},
		shown: () =>
			peers
				.all()
				.filter((peer) => isShown(peer, clock.now))
				.map((peer) => peer.origin),
	};
}

const code = (wanted: string) => expect.objectContaining({ code: wanted });

test("staff names a node: its sheet is fetched, checked and kept", async () => {
	const [north, south] = [await node("North"), await node("South")];
	const peer = await north.directory.add(south.origin);
	expect(peer).toMatchObject({ toldBy: "staff", key: { key: south.key() }, problem: null, seenAt: north.clock.now });
	expect(peer.sheet).toMatchObject<Partial<Sheet>>({ name: "South", engine: "local", accepts: "all" });
	expect(peer.sheet?.services).toEqual([{ name: "snac", title: "snac", version: "1.2" }]);
	expect(peer.sheet?.freeBytes).toBeGreaterThanOrEqual(0);
	expect(north.shown()).toEqual([south.origin]);
	expect(await north.directory.add(`${south.origin}/somewhere`)).toMatchObject({ id: peer.id });
	expect(south.shown()).toEqual([]);
});

test("what cannot be looked at is not added, and this node itself neither", async () => {
	const north = await node("North");
	const east = await node("East", { listed: false });
	await expect(north.directory.add(east.origin)).rejects.toThrow(code("node-unfit"));
	await expect(north.directory.add(north.origin)).rejects.toThrow(code("node-unfit"));
	await expect(north.directory.add("ftp://127.0.0.1")).rejects.toThrow(code("node-address"));
	east.server.close();
	east.server.closeAllConnections();
	await expect(north.directory.add(east.origin)).rejects.toThrow(code("node-silent"));
	expect(north.peers.all()).toEqual([]);
	expect(await north.directory.add(east.origin, true)).toMatchObject({ sheet: null });
});

test("only public https addresses are looked at, also those that a peer names", async () => {
	const north = await node("North", { privateToo: false });
	for (const address of [
		"http://south.example",
		"https://127.0.0.1",
		"https://10.1.2.3",
		"https://[::1]",
		"https://x.local",
	])
		await expect(north.directory.add(address)).rejects.toThrow(code("node-address"));
	const odd = ["https://192.168.0.1", "javascript:alert(1)", "", "file:///etc/passwd", 7, null, "x".repeat(400)];
	const south = await node("South", {
		instead: (path) => (path === "/migrate/peers" ? { body: { peers: odd } } : undefined),
	});
	const curious = await node("East");
	await curious.directory.add(south.origin);
	await curious.directory.round();
	expect(south.asked).toContain("/migrate/peers");
	// A private address may be looked at here, since these are tests; nothing else in the list is the origin of a node.
	expect(curious.peers.all().map(({ origin }) => origin)).toEqual([south.origin, "https://192.168.0.1"].toSorted());
});

test.each<[string, unknown]>([
	["no JSON", "{"],
	["no object", []],
	["no list", { peers: "https://south.example" }],
	[
		"an address that is more than an origin",
		{ peers: ["https://south.example/x", "https://me@south.example", "HTTPS://SOUTH.example"] },
	],
])("a peer that names others by %s names nobody", async (_what, body) => {
	const [north, south] = [
		await node("North"),
		await node("South", { instead: (path) => (path === "/migrate/peers" ? { body } : undefined) }),
	];
	await north.directory.add(south.origin);
	await north.directory.round();
	expect(north.peers.all()).toHaveLength(1);
});

test("word goes one step a day, and no further than a peer is allowed to tell", async () => {
	const far = await node("Far");
	const west = await node("West", { known: [far.origin] });
	const south = await node("South", { known: [west.origin] });
	const north = await node("North", { known: [south.origin] });
	for (const one of [west, south, north]) {
		one.directory.start();
		await one.directory.round();
	}
	expect(north.peers.find(west.origin)).toMatchObject({ toldBy: south.origin, sheet: null });
	await north.directory.round();
	expect(north.shown()).toEqual([south.origin, west.origin].toSorted());
	const askedForPeers = () => west.asked.filter((path) => path === "/migrate/peers").length;
	expect(askedForPeers()).toBe(1); // by South
	north.clock.now += 23 * hour;
	await north.directory.round();
	expect(askedForPeers()).toBe(1);
	north.clock.now += 2 * hour;
	await north.directory.round();
	expect(north.peers.find(far.origin)).toMatchObject({ toldBy: west.origin });
});

test("a peer adds at most twenty a time, nobody more than five hundred in all, and staff one more", async () => {
	const many = Array.from({ length: 900 }, (_, n) => `https://n${n}.example`);
	const south = await node("South", {
		instead: (path) => (path === "/migrate/peers" ? { body: { peers: many } } : undefined),
	});
	const north = await node("North");
	await north.directory.add(south.origin);
	await north.directory.round();
	expect(north.peers.all()).toHaveLength(21);
	for (const origin of many) north.peers.add(origin, "customer");
	expect(north.peers.all()).toHaveLength(501);
	expect(north.peers.add("https://late.example", "customer")).toBeUndefined();
	expect(north.peers.add("https://late.example", "staff")).toMatchObject({ toldBy: "staff" });
});

test("who is told not to learn knows only whom staff names", async () => {
	const west = await node("West");
	const south = await node("South", { known: [west.origin] });
	south.directory.start();
	await south.directory.round();
	const north = await node("North", { known: [south.origin], learn: false });
	north.directory.start();
	await north.directory.round();
	north.directory.met({ origin: west.origin, keyId: "x", key: west.key() });
	expect(north.peers.all().map(({ origin }) => origin)).toEqual([south.origin]);
});

test("a changed key is kept apart, and used only once it is confirmed", async () => {
	const [north, south] = [await node("North"), await node("South")];
	const { id } = await north.directory.add(south.origin);
	const before = south.key();
	await south.changeKey();
	south.clock.now += hour;
	north.clock.now += 7 * hour;
	await north.directory.round();
	const peer = north.peers.get(id);
	expect(peer).toMatchObject({
		key: { key: before },
		newKey: { key: south.key() },
		problem: expect.stringContaining("another key"),
	});
	expect(north.directory.named()).toEqual([]);
	expect(() => north.peers.confirm(id, "zother")).toThrow(code("peer-key"));
	north.peers.confirm(id, south.key());
	expect(north.shown()).toEqual([]);
	await north.directory.round();
	expect(north.peers.get(id)).toMatchObject({ key: { key: south.key() }, newKey: null, problem: null });
	expect(north.directory.named()).toEqual([south.origin]);
});

test("a node that a customer's token led to is known by the key of that token", async () => {
	const [north, south] = [await node("North"), await node("South")];
	north.directory.met({ origin: south.origin, keyId: `${south.origin}/actor#x`, key: "zother" });
	await north.directory.round();
	expect(north.peers.find(south.origin)).toMatchObject({
		toldBy: "customer",
		sheet: null,
		newKey: { key: south.key() },
	});
	expect(north.shown()).toEqual([]);
});

test.each(["/actor", "/migrate/sheet"])("one that hangs up in the middle of %s is silent", async (where) => {
	const south = await node("South");
	const [listener] = south.server.listeners("request") as RequestListener[];
	south.server.removeAllListeners("request").on("request", (request, response) => {
		if (request.url !== where) return listener?.(request, response);
		response.writeHead(200, { "content-length": 1000 }).write("{");
		setImmediate(() => response.destroy());
	});
	const north = await node("North");
	await expect(north.directory.add(south.origin)).rejects.toThrow(code("node-silent"));
});

test("another's sheet, an old one and a changed one are not taken", async () => {
	const south = await node("South");
	const sheets = { now: "" };
	const west = await node("West", {
		instead: (path) => (path === "/migrate/sheet" && sheets.now ? { body: sheets.now } : undefined),
	});
	const north = await node("North");
	const good = (await west.sheet()).text;
	for (const text of [(await south.sheet()).text, good.replace("0.1.0", "0.1.1"), "", "x".repeat(300_000)]) {
		sheets.now = text || " ";
		await expect(north.directory.add(west.origin)).rejects.toThrow(expect.objectContaining({ name: "Problem" }));
	}
	west.clock.now += hour;
	sheets.now = (await west.sheet()).text;
	north.clock.now = west.clock.now;
	const { publishedAt } = await north.directory.add(west.origin);
	sheets.now = good;
	expect(await north.directory.add(west.origin)).toMatchObject({ publishedAt });
});

test("a silent one is asked less and less often, is stale after a day, not shown after a week, forgotten after a month", async () => {
	const [north, south] = [await node("North"), await node("South")];
	north.directory.met({ origin: south.origin, keyId: `${south.origin}/actor#multikey-2`, key: south.key() });
	await north.directory.round();
	expect(north.shown()).toEqual([south.origin]);
	south.server.close();
	south.server.closeAllConnections();
	const peer = () => north.peers.find(south.origin);
	north.clock.now += 7 * hour;
	let times = 0;
	for (const end = north.clock.now + 2 * hour; north.clock.now < end; north.clock.now += 5_000)
		if (north.peers.due("look", 8).length > 0) {
			times++;
			await north.directory.round();
		}
	expect(times).toBeGreaterThan(5);
	expect(times).toBeLessThan(14);
	expect(isStale(peer() as never, north.clock.now)).toBe(false);
	north.clock.now += day;
	expect(isStale(peer() as never, north.clock.now)).toBe(true);
	expect(north.shown()).toEqual([south.origin]);
	north.clock.now += 6 * day;
	expect(north.shown()).toEqual([]);
	north.clock.now += 25 * day;
	await north.directory.round();
	expect(peer()).toBeUndefined();
});

test("whoever is hidden or blocked is named to nobody, and whoever is blocked is not asked", async () => {
	const [north, south] = [await node("North"), await node("South")];
	const { id } = await north.directory.add(south.origin);
	expect(north.directory.named()).toEqual([south.origin]);
	north.peers.decide(id, { hidden: true });
	expect(north.directory.named()).toEqual([]);
	expect(north.shown()).toEqual([south.origin]);
	north.peers.decide(id, { hidden: false, standing: "blocked" });
	expect([north.directory.named(), north.shown()]).toEqual([[], []]);
	north.clock.now += 2 * day;
	const before = south.asked.length;
	await north.directory.round();
	expect(south.asked).toHaveLength(before);
});

test("the configuration's nodes come and go with it, others stay", async () => {
	const north = await node("North");
	north.peers.configure(["https://a.example", "https://b.example"]);
	north.peers.add("https://c.example", "customer");
	north.peers.configure(["https://a.example", "https://b.example", "https://d.example"]);
	north.peers.decide(north.peers.find("https://d.example")?.id ?? "", { standing: "blocked" });
	north.peers.configure(["https://b.example", "https://c.example"]);
	expect(north.peers.all().map(({ origin, toldBy }) => [origin, toldBy])).toEqual([
		["https://b.example", "config"],
		["https://c.example", "config"],
		["https://d.example", "staff"],
	]);
});

test("the door answers with what may be cached, signs once for many, and leaves everything else alone", async () => {
	const south = await node("South");
	const ask = (path: string, init: RequestInit = {}) => fetch(south.origin + path, init);
	const [one, other] = await Promise.all([ask("/migrate/sheet"), ask("/migrate/sheet?x=1")]);
	expect(await one.text()).toBe(await other.text());
	expect(one.headers.get("cache-control")).toBe("public, max-age=300");
	expect(await (await ask("/migrate/peers")).json()).toEqual({ peers: [] });
	expect(await (await ask("/migrate/sheet", { method: "HEAD" })).text()).toBe("");
	expect(await (await ask("/migrate/sheet", { method: "POST" })).json()).toMatchObject({ type: "Application" });
	const closed = await node("Closed", { listed: false });
	expect((await fetch(`${closed.origin}/migrate/sheet`)).status).toBe(404);
});
