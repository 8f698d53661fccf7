import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import packet, { type Answer, type Packet } from "dns-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DnsLookup, type DnsLookupOptions } from "./dns-lookup.ts";
import { withLength } from "./exchange.ts";
import { isPublic } from "./name-servers.ts";

/** What a server of these tests says to a question: one packet, or several that it sends one after the other. */
type Script = (question: { name: string; type: string }, over: "udp" | "tcp", id: number) => Partial<Packet>[];

const ns = (name: string, data: string): Answer => ({ type: "NS", name, data, ttl: 60 });
const a = (name: string, data: string): Answer => ({ type: "A", name, data, ttl: 60 });
const cname = (name: string, data: string): Answer => ({ type: "CNAME", name, data, ttl: 60 });
const txt = (name: string, ...data: string[]): Answer => ({ type: "TXT", name, data, ttl: 60 });

const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/** Answers from a list, as a whole and honest server would. */
function honest(records: readonly Answer[], flags = packet.AUTHORITATIVE_ANSWER): Script {
	return ({ name, type }) => {
		const answers = records.filter((one) => one.name === name && (one.type === type || one.type === "CNAME"));
		const exists = records.some((one) => one.name.endsWith(name));
		return [{ flags: flags | (exists ? codes.NOERROR : codes.NXDOMAIN), answers }];
	};
}

const open: (() => Promise<unknown>)[] = [];
let asked: string[];
let time: number;

/** A server with UDP and TCP on one address of this machine; on port 0 it takes a free one. */
async function start(address: string, script: Script, port = 0): Promise<number> {
	const answersTo = (message: Buffer, over: "udp" | "tcp") => {
		const { id = 0, questions = [] } = packet.decode(message);
		const [question = { name: "", type: "A" as const }] = questions;
		asked.push(`${address} ${question.type} ${question.name}`);
		return script(question, over, id).map((part) => packet.encode({ type: "response", id, questions, ...part }));
	};
	const tcp = createServer((socket) => {
		socket.on("error", () => {});
		socket.on("data", (data: Buffer) => {
			for (const answer of answersTo(data.subarray(2), "tcp")) socket.write(withLength(answer));
		});
	}).listen(port, address);
	await once(tcp, "listening");
	const udp = createSocket("udp4");
	udp.on("message", (message, peer) => {
		for (const answer of answersTo(message, "udp")) udp.send(answer, peer.port, peer.address);
	});
	udp.bind((tcp.address() as { port: number }).port, address);
	await once(udp, "listening");
	open.push(() => Promise.all([new Promise((done) => tcp.close(done)), new Promise<void>((done) => udp.close(done))]));
	return udp.address().port;
}

beforeEach(() => {
	asked = [];
	time = 1_800_000_000_000;
});
afterEach(async () => {
	for (const close of open.splice(0)) await close();
});

/** The world as a resolver sees it. */
const delegations = [
	ns("choir.example", "ns1.choir.example"),
	ns("choir.example", "ns2.choir.example"),
	ns("sub.choir.example", "ns2.choir.example"),
	a("ns1.choir.example", "127.0.0.1"),
	a("ns2.choir.example", "127.0.0.2"),
	a("choir.example", "192.0.2.1"),
];
const name = "social.choir.example";
const patience = { datagram: 250, attempts: 2, connection: 1000 };

/** A resolver that knows it, and both name servers of choir.example. */
async function world(first: Script, second: Script) {
	const resolver = await start("127.0.0.1", honest(delegations, packet.RECURSION_AVAILABLE));
	const port = await start("127.0.0.2", second);
	await start("127.0.0.1", first, port);
	return { resolvers: [`127.0.0.1:${resolver}`], port };
}

async function lookupWith(first: Script, second: Script, options: Partial<DnsLookupOptions> = {}) {
	return new DnsLookup({ ...(await world(first, second)), anywhere: true, now: () => time, patience, ...options });
}

const right = honest([cname(name, "north.example"), txt("_fediversity.choir.example", "e=1; ", "a=x")]);
const answersOf = (said: readonly { server: string; values: readonly string[] | null }[]) =>
	said.map(({ server, values }) => [server, values]);

describe.skipIf(process.platform !== "linux")("with several loopback addresses (Linux)", () => {
	test("finds the responsible servers above a name and asks each of them itself", async () => {
		const lookup = await lookupWith(right, honest([a(name, "192.0.2.9")]));
		expect(answersOf(await lookup.ask(name, "CNAME"))).toEqual([
			["ns1.choir.example", ["north.example"]],
			["ns2.choir.example", []],
		]);
		expect(answersOf(await lookup.ask("_fediversity.choir.example", "TXT"))).toEqual([
			["ns1.choir.example", ["e=1; a=x"]],
			["ns2.choir.example", []],
		]);
	});

	test("what is delegated further is asked where it is", async () => {
		const lookup = await lookupWith(right, honest([a("social.sub.choir.example", "192.0.2.9")]));
		expect(answersOf(await lookup.ask("social.sub.choir.example", "A"))).toEqual([
			["ns2.choir.example", ["192.0.2.9"]],
		]);
	});

	test("the address behind a CNAME is not the name's own", async () => {
		const both = honest([cname(name, "north.example"), a("north.example", "192.0.2.5")]);
		const chased: Script = () => [
			{ flags: packet.AUTHORITATIVE_ANSWER, answers: [cname(name, "north.example"), a("north.example", "192.0.2.5")] },
		];
		const lookup = await lookupWith(both, chased);
		expect((await lookup.ask(name, "A")).map(({ values }) => values)).toEqual([[], []]);
	});

	test("an answer that does not fit comes by TCP", async () => {
		const long = "x".repeat(200);
		const whole = honest([txt(name, ...Array(7).fill(long))]);
		const cut: Script = (...asking) =>
			asking[1] === "tcp" ? whole(...asking) : [{ flags: packet.AUTHORITATIVE_ANSWER | packet.TRUNCATED_RESPONSE }];
		const lookup = await lookupWith(cut, cut);
		expect((await lookup.ask(name, "TXT"))[0]?.values).toEqual([long.repeat(7)]);
	});

	test("answers with another id or to another question are nobody's answers", async () => {
		const spoofed: Script = (question, over, id) => {
			const [real = {}] = right(question, over, id);
			const wrong = { ...real, answers: [cname(name, "evil.example")] };
			return [
				{ ...wrong, id: id ^ 1 },
				{ ...wrong, questions: [{ type: "CNAME", name: "social.other.example" }] },
				{ ...wrong, questions: [{ type: "A", name }] },
				{ ...wrong, questions: [] },
				{ ...wrong, type: "query" },
				{ ...wrong, flags: (wrong.flags ?? 0) | (5 << 11) },
				real,
			];
		};
		const lookup = await lookupWith(spoofed, spoofed);
		expect((await lookup.ask(name, "CNAME")).map(({ values }) => values)).toEqual([
			["north.example"],
			["north.example"],
		]);
	});

	test("who is silent, refuses, fails or speaks without authority has not said anything", async () => {
		const mute: Script[] = [
			() => [],
			() => [{ flags: codes.REFUSED }],
			() => [{ flags: packet.AUTHORITATIVE_ANSWER | codes.SERVFAIL }],
			(...asking) => right(...asking).map((one) => ({ ...one, flags: 0 })),
		];
		for (const script of mute) {
			const lookup = await lookupWith(right, script);
			expect(answersOf(await lookup.ask(name, "CNAME"))).toEqual([
				["ns1.choir.example", ["north.example"]],
				["ns2.choir.example", null],
			]);
			for (const close of open.splice(0)) await close();
		}
	});

	test("many who ask at once and again are served by one question to each server, until it is old", async () => {
		const lookup = await lookupWith(right, right);
		const questions = () => asked.filter((one) => one.endsWith(`CNAME ${name}`)).length;
		await Promise.all(Array.from({ length: 10 }, () => lookup.ask(name, "CNAME")));
		await lookup.ask(name, "CNAME");
		expect(questions()).toBe(2);
		time += 3_000;
		await lookup.ask(name, "CNAME");
		expect(questions()).toBe(4);
		time -= 3_600_000;
		await lookup.ask(name, "CNAME");
		expect(questions()).toBe(6);
	});

	test("a resolver that is not there is passed over, and without any nobody is responsible", async () => {
		const { resolvers, port } = await world(right, right);
		const silent = `127.0.0.3:${await start("127.0.0.3", () => [])}`;
		const through = (...resolvers: string[]) =>
			new DnsLookup({ resolvers, port, anywhere: true, now: () => time, patience }).ask(name, "CNAME");
		expect((await through(silent, ...resolvers)).map(({ server }) => server)).toEqual([
			...["ns1.choir.example", "ns2.choir.example"],
		]);
		expect(await through(silent)).toEqual([]);
	});

	test("that nobody could be found is not remembered", async () => {
		let up = false;
		const resolving = honest(delegations, packet.RECURSION_AVAILABLE);
		const resolver = await start("127.0.0.3", (...asking) => (up ? resolving(...asking) : [{ flags: codes.SERVFAIL }]));
		const port = await start("127.0.0.2", right);
		const lookup = new DnsLookup({
			resolvers: [`127.0.0.3:${resolver}`],
			port,
			anywhere: true,
			now: () => time,
			patience,
		});
		expect(await lookup.ask(name, "CNAME")).toEqual([]);
		up = true;
		time += 3_000;
		expect(answersOf(await lookup.ask(name, "CNAME"))).toContainEqual(["ns2.choir.example", ["north.example"]]);
	});

	test("no question goes to addresses inside, whoever says that a name server is there", async () => {
		const lookup = await lookupWith(right, right, { anywhere: false });
		expect((await lookup.ask(name, "CNAME")).map(({ values }) => values)).toEqual([null, null]);
		expect(asked.filter((one) => one.includes("CNAME"))).toEqual([]);
	});
});

test("public and private addresses are told apart", () => {
	const within = [
		"127.0.0.1",
		"10.1.2.3",
		"172.31.0.1",
		"192.168.1.1",
		"169.254.169.254",
		"100.64.0.1",
		"0.0.0.0",
		"224.0.0.1",
	];
	const within6 = ["::1", "::", "::ffff:127.0.0.1", "fe80::1", "fd00::1", "ff02::1", "64:ff9b::7f00:1"];
	expect([...within, ...within6].filter(isPublic)).toEqual([]);
	expect(["192.0.2.1", "9.9.9.9", "172.32.0.1", "2001:db8::1", "2a01::1"].filter((one) => !isPublic(one))).toEqual([]);
});
