import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import packet from "dns-packet";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { overTcp, overUdp, type Server } from "../domains/exchange.ts";
import { query } from "../domains/query.ts";
import { Rfc2136Zone } from "../domains/rfc2136-zone.ts";
import { signed } from "../domains/tsig.ts";
import { settingMessage } from "../domains/update.ts";
import { ednsOption, rcodeOf, rcodes } from "../domains/wire.ts";
import type { DnsRecord } from "../domains/zone.ts";
import { type NameServer, openNameServer } from "./name-server.ts";

const keys = ["north", "south"].map((node, n) => ({ name: node, secret: Buffer.alloc(32, n + 1).toString("base64") }));
const [northKey] = keys as [(typeof keys)[0]];
const records: DnsRecord[] = [
	{ type: "A", name: "north.localhost", value: "127.0.0.1", ttl: 60 },
	{ type: "AAAA", name: "north.localhost", value: "::1", ttl: 60 },
];

let folder: string;
let server: NameServer;
let at: Server;
let zone: Rfc2136Zone;

const options = () => ({ zone: "localhost", file: join(folder, "zone.json"), port: 0, keys, records, now: Date.now });

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "names-"));
	await open();
});
afterEach(async () => {
	await server.close();
	rmSync(folder, { recursive: true });
});

async function open() {
	server = await openNameServer(options());
	at = { address: "127.0.0.1", port: server.port };
	zone = zoneAt(server.port);
}

const zoneAt = (port: number) =>
	new Rfc2136Zone({ name: "localhost", server: `127.0.0.1:${port}`, key: northKey, now: Date.now });

const ask = (name: string, type: "A" | "AAAA" | "NS" | "SOA" | "TXT" | "MX" | "CNAME") =>
	query(at, { name, type, recursive: false });

test("answers for its zone with authority, and for nothing else", async () => {
	expect(await ask("North.LOCALHOST", "A")).toMatchObject({
		rcode: "NOERROR",
		authoritative: true,
		answers: [{ type: "A", data: "127.0.0.1" }],
	});
	expect((await ask("north.localhost", "AAAA")).answers).toMatchObject([{ data: "::1" }]);
	expect((await ask("localhost", "NS")).answers).toMatchObject([{ data: "ns.localhost" }]);
	expect((await ask("localhost", "SOA")).answers).toMatchObject([{ data: { mname: "ns.localhost" } }]);
	expect(await ask("north.localhost", "MX")).toMatchObject({ rcode: "NOERROR", answers: [] });
	expect(await ask("nobody.localhost", "A")).toMatchObject({ rcode: "NXDOMAIN", answers: [] });
	expect(await ask("choir.example", "A")).toMatchObject({ rcode: "REFUSED", authoritative: false });
	expect(await ask("notlocalhost", "A")).toMatchObject({ rcode: "REFUSED" });
});

test("a host leads to its node in one question, and in one look without the network", async () => {
	await zone.set([{ type: "CNAME", name: "social.choir.localhost", value: "north.localhost", ttl: 60 }]);
	expect((await ask("social.choir.localhost", "A")).answers).toMatchObject([
		{ type: "CNAME", data: "north.localhost" },
		{ type: "A", data: "127.0.0.1" },
	]);
	expect(await ask("choir.localhost", "A")).toMatchObject({ rcode: "NOERROR", answers: [] });
	expect(server.lookup("Social.Choir.Localhost")).toMatchObject([{ type: "CNAME", value: "north.localhost" }]);
	expect(server.lookup("nobody.localhost")).toEqual([]);
});

test("names that lead in a circle are answered, not followed for ever", async () => {
	await zone.set([
		{ type: "CNAME", name: "a.choir.localhost", value: "b.choir.localhost", ttl: 60 },
		{ type: "CNAME", name: "b.choir.localhost", value: "a.choir.localhost", ttl: 60 },
	]);
	expect((await ask("a.choir.localhost", "A")).answers.length).toBeGreaterThan(1);
});

test("an answer too long for a datagram comes over a connection", async () => {
	const value = "long ".repeat(600);
	await zone.set([{ type: "TXT", name: "long.localhost", value, ttl: 60 }]);
	expect(await zone.look("long.localhost", "TXT")).toEqual([value]);
});

test("a datagram is never longer than the asker takes, nor than passes everywhere", async () => {
	await zone.set([{ type: "TXT", name: "long.localhost", value: "long ".repeat(160), ttl: 60 }]);
	await zone.set([{ type: "TXT", name: "longer.localhost", value: "long ".repeat(600), ttl: 60 }]);
	const lengthOf = async (name: string, room?: number) => {
		const additionals = room === undefined ? [] : [ednsOption(room)];
		const message = packet.encode({ id: 7, questions: [{ type: "TXT", name }], additionals });
		const answer = await overUdp(at, message, 2000, (received) => received);
		return packet.decode(answer).flag_tc ? "cut" : "whole";
	};
	expect(await lengthOf("long.localhost")).toBe("cut");
	expect(await lengthOf("long.localhost", 600)).toBe("cut");
	expect(await lengthOf("long.localhost", 1200)).toBe("whole");
	expect(await lengthOf("longer.localhost", 65_000)).toBe("cut");
});

test("what was set is there after a restart, with its serial number", async () => {
	const record: DnsRecord = { type: "A", name: "h.choir.localhost", value: "192.0.2.1", ttl: 60 };
	await zone.set([record]);
	const serial = await serialNow();
	await zone.set([record]);
	expect(await serialNow()).toBe(serial);
	await server.close();
	await open();
	expect(server.lookup(record.name)).toEqual([record]);
	expect(await serialNow()).toBe(serial);
	await zone.remove([record]);
	expect(await serialNow()).toBeGreaterThan(serial);
});

test("the names it began with, the zone itself and what is below them stay as they are", async () => {
	for (const name of ["north.localhost", "social.north.localhost", "localhost", "ns.localhost"])
		await expect(zone.set([{ type: "A", name, value: "192.0.2.1", ttl: 60 }])).rejects.toMatchObject({
			code: "zone-refused",
			params: { reason: "our key may not change this name" },
		});
	expect(server.lookup("north.localhost")).toEqual(records);
});

test("an update that is not signed changes nothing", async () => {
	const message = settingMessage(7, "localhost", [{ type: "A", name: "h.localhost", value: "192.0.2.1", ttl: 60 }]);
	expect(rcodeOf((await overTcp(at, message, 2000)).readUInt16BE(2))).toBe(rcodes.REFUSED);
	expect(server.lookup("h.localhost")).toEqual([]);
});

test("a wrong secret, an unknown key and a wrong clock are refused, each by its name", async () => {
	const record: DnsRecord = { type: "A", name: "h.localhost", value: "192.0.2.1", ttl: 60 };
	const as = (change: object) =>
		new Rfc2136Zone({ name: "localhost", server: zone.server, key: northKey, now: Date.now, ...change }).set([record]);
	await expect(as({ key: { name: "north", secret: keys[1]?.secret } })).rejects.toThrow("secret");
	await expect(as({ key: { name: "east", secret: northKey.secret } })).rejects.toThrow("does not know our key");
	await expect(as({ now: () => Date.now() - 1_000_000 })).rejects.toThrow(/\d+ seconds ahead of ours/);
	expect(server.lookup("h.localhost")).toEqual([]);
});

test("an update that cannot be kept is not carried out", async () => {
	rmSync(folder, { recursive: true });
	const record: DnsRecord = { type: "A", name: "h.localhost", value: "192.0.2.1", ttl: 60 };
	await expect(zone.set([record])).rejects.toMatchObject({ code: "zone-refused" });
	expect(server.lookup("h.localhost")).toEqual([]);
	mkdirSync(folder);
});

test("a file that is no zone is not overwritten with an empty one", async () => {
	writeFileSync(join(folder, "broken.json"), "{");
	await expect(openNameServer({ ...options(), file: join(folder, "broken.json") })).rejects.toThrow("cannot be read");
	expect(readFileSync(join(folder, "broken.json"), "utf8")).toBe("{");
});

test("no message, however broken, ends it", async () => {
	const whole = signed(
		settingMessage(7, "localhost", [{ type: "TXT", name: "h.localhost", value: "x", ttl: 60 }]),
		{ name: "north", secret: Buffer.from(northKey.secret, "base64") },
		Math.floor(Date.now() / 1000),
	).message;
	const broken = fc.oneof(
		fc.uint8Array({ maxLength: 80 }),
		fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([where, value]) => {
			const changed = Uint8Array.from(whole);
			changed[where] = value;
			return changed;
		}),
		fc.nat(whole.length).map((length) => whole.subarray(0, length)),
	);
	const socket = createSocket("udp4");
	await fc.assert(
		fc.asyncProperty(broken, async (message) => {
			await new Promise((sent) => socket.send(message, server.port, "127.0.0.1", sent));
		}),
		{ numRuns: 500 },
	);
	socket.close();
	expect(await ask("north.localhost", "A")).toMatchObject({ rcode: "NOERROR" });
});

test("several messages on one connection are answered in turn, also when they come in pieces", async () => {
	const question = (id: number) =>
		Buffer.concat([
			Buffer.from([0, 33, 0, id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
			Buffer.from("\u0005north\u0009localhost\u0000\u0000\u0001\u0000\u0001"),
		]);
	const socket = connect(server.port, "127.0.0.1");
	const stream = Buffer.concat([question(1), question(2), question(3)]);
	stream.writeUInt16BE(question(1).length - 2, 0);
	for (let n = 0; n < 3; n++) stream.writeUInt16BE(question(1).length - 2, n * question(1).length);
	for (let n = 0; n < stream.length; n += 5) socket.write(stream.subarray(n, n + 5));
	let received = Buffer.alloc(0);
	for await (const chunk of socket) {
		received = Buffer.concat([received, chunk]);
		if (received.length >= 3 * (received.readUInt16BE(0) + 2)) break;
	}
	const size = received.readUInt16BE(0) + 2;
	expect([0, 1, 2].map((n) => received.readUInt16BE(n * size + 2))).toEqual([1, 2, 3]);
});

test("an answer is never answered, so that two servers cannot talk for ever", async () => {
	const answer = Buffer.from("000184000000000000000000", "hex");
	await expect(overUdp(at, answer, 300, (received) => received)).rejects.toThrow("did not answer");
});

test("killed at any moment, it comes back with everything it had confirmed", async () => {
	const file = join(folder, "killed.json");
	const program = `
		const { openNameServer } = await import(${JSON.stringify(join(import.meta.dirname, "name-server.ts"))});
		const server = await openNameServer({ ...${JSON.stringify({ ...options(), file })}, now: Date.now });
		console.log(server.port);`;
	const confirmed: string[] = [];
	for (let round = 0; round < 4; round++) {
		const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [line] = await once(child.stdout, "data");
		const busy = zoneAt(Number(String(line)));
		const write = async (writer: number, n: number): Promise<void> => {
			const name = `h${n}.writer${writer}.round${round}.localhost`;
			await busy.set([{ type: "A", name, value: "192.0.2.1", ttl: 60 }]);
			confirmed.push(name);
			if (writer === 0 && n === 3 + round) child.kill("SIGKILL");
			return write(writer, n + 1);
		};
		const ends = await Promise.allSettled([0, 1, 2].map((writer) => write(writer, 0)));
		expect(ends.map((end) => end.status === "rejected" && end.reason.code)).toEqual(Array(3).fill("zone-silent"));
	}
	const after = await openNameServer({ ...options(), file });
	expect(confirmed.length).toBeGreaterThan(20);
	expect(confirmed.filter((name) => after.lookup(name).length !== 1)).toEqual([]);
	await after.close();
});

describe.skipIf(!existsSync("/usr/bin/kdig"))("asked by others (needs the Debian package knot-dnsutils)", () => {
	const kdig = async (...words: string[]) => {
		const place = ["@127.0.0.1", "-p", String(server.port), "+timeout=2"];
		const { stdout, stderr } = await promisify(execFile)("kdig", [...place, ...words]);
		return stdout + stderr;
	};

	test("kdig reads it, by datagram and by connection, with EDNS and with a signature", async () => {
		expect((await kdig("+short", "north.localhost", "A")).trim()).toBe("127.0.0.1");
		expect((await kdig("+short", "+tcp", "north.localhost", "AAAA")).trim()).toBe("::1");
		expect(await kdig("+edns", "+bufsize=4096", "nobody.localhost")).toContain("status: NXDOMAIN");
		const answer = await kdig("-y", `hmac-sha256:north:${northKey.secret}`, "north.localhost");
		expect(answer).toContain("127.0.0.1");
		expect(answer).not.toMatch(/;; (WARNING|ERROR)/);
	});

	test("knsupdate changes it, if its demands are met", async () => {
		const update = async (...lines: string[]) => {
			const child = spawn("knsupdate", ["-y", `hmac-sha256:north:${northKey.secret}`], {
				stdio: ["pipe", "ignore", "ignore"],
			});
			child.stdin.end([`server 127.0.0.1 ${server.port}`, "zone localhost", ...lines, "send", ""].join("\n"));
			const [code] = await once(child, "exit");
			return code === 0 ? "done" : "refused";
		};
		const at = (name: string) => server.lookup(name).map(({ type, value }) => `${type} ${value}`);
		const absent = "prereq nxrrset h.localhost TXT";
		expect(await update(absent, 'update add h.localhost 60 TXT "first"')).toBe("done");
		expect(await update(absent, 'update add h.localhost 60 TXT "second"')).toBe("refused");
		expect(await update("prereq yxrrset none.localhost TXT", "update del h.localhost")).toBe("refused");
		expect(await update("prereq nxdomain h.localhost", "update del h.localhost")).toBe("refused");
		const both = ["first", "second"].map((text) => `prereq yxrrset h.localhost TXT "${text}"`);
		expect(await update(...both, "update del h.localhost")).toBe("refused");
		expect(at("h.localhost")).toEqual(["TXT first"]);
		expect(await update("update add h.localhost 60 CNAME north.localhost")).toBe("done");
		expect(at("h.localhost")).toEqual(["TXT first"]);
		expect(await update('prereq yxrrset h.localhost TXT "first"', "update del h.localhost")).toBe("done");
		expect(at("h.localhost")).toEqual([]);
	});
});

async function serialNow(): Promise<number> {
	const [answer] = (await ask("localhost", "SOA")).answers;
	return answer?.type === "SOA" ? (answer.data.serial ?? 0) : 0;
}
