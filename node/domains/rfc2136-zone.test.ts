import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import packet from "dns-packet";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { hasKnot, type Knot, startKnot } from "../../test/contracts/knot.ts";
import { withLength } from "./exchange.ts";
import { Rfc2136Zone } from "./rfc2136-zone.ts";
import { signed, type TsigKey, unsigned, verified } from "./tsig.ts";
import type { DnsRecord } from "./zone.ts";

const name = "customers.test";
const secret = Buffer.alloc(32, 1).toString("base64");
const key: TsigKey = { name: "north", secret: Buffer.alloc(32, 1) };
const record: DnsRecord = { type: "A", name: `social.choir.${name}`, value: "192.0.2.7", ttl: 300 };

describe.skipIf(!hasKnot)("at Knot DNS (needs the Debian package knot)", () => {
	let knot: Knot;
	beforeAll(async () => {
		knot = await startKnot(name, [
			{ name: "north", secret },
			{ name: "narrow", secret, only: ["free"] },
		]);
	});
	afterAll(() => knot?.close());

	const at = (change: Partial<ConstructorParameters<typeof Rfc2136Zone>[0]> = {}) =>
		new Rfc2136Zone({ name, server: knot.server, key: { name: "north", secret }, now: Date.now, ...change });

	const zoneRefused = (reason: string) => ({
		code: "zone-refused",
		params: { name: record.name, reason: expect.stringContaining(reason) },
	});

	test("an unknown key is refused, and so is a wrong secret", async () => {
		await expect(at({ key: { name: "nobody", secret } }).set([record])).rejects.toMatchObject(zoneRefused("our key"));
		const wrong = { name: "north", secret: Buffer.alloc(32, 9).toString("base64") };
		await expect(at({ key: wrong }).set([record])).rejects.toMatchObject(zoneRefused("secret"));
		expect(await at().look(record.name, "A")).toEqual([]);
	});

	test("a clock that is wrong is told, with how much and in which direction", async () => {
		for (const [apart, word] of [
			[-1_000_000, "ahead of"],
			[1_000_000, "behind"],
		] as const) {
			const refused = at({ now: () => Date.now() + apart }).set([record]);
			await expect(refused).rejects.toMatchObject({
				code: "zone-refused",
				params: { reason: expect.stringMatching(new RegExp(`(999|1000|1001) seconds ${word}`)) },
			});
		}
		expect(await at().look(record.name, "A")).toEqual([]);
	});

	test("a key changes only the names it may change", async () => {
		const narrow = at({ key: { name: "narrow", secret } });
		await expect(narrow.set([record])).rejects.toMatchObject(zoneRefused("our key"));
		await narrow.set([{ ...record, name: `social.free.${name}` }]);
		expect(await at().look(record.name, "A")).toEqual([]);
		expect(await at().look(`social.free.${name}`, "A")).toEqual([record.value]);
	});

	test("a zone that the server does not have is refused", async () => {
		const other = at({ name: "other.test" });
		await expect(other.set([{ ...record, name: "social.other.test" }])).rejects.toMatchObject({ code: "zone-refused" });
		await expect(other.look("social.other.test", "A")).rejects.toMatchObject({
			code: "zone-refused",
			params: { reason: "it answers REFUSED" },
		});
	});
});

describe("at a server that lies or is not there", () => {
	let server: Server | undefined;
	afterEach(() => server?.close());

	/** A server that answers every update by `answerTo`; undefined: it says nothing. */
	async function zoneAt(answerTo: (request: Buffer) => Buffer | undefined, milliseconds = 2000) {
		server = createServer((socket) => {
			socket.on("error", () => {});
			socket.once("data", (data: Buffer) => {
				const answer = answerTo(data.subarray(2));
				if (answer) socket.end(withLength(answer));
			});
		}).listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		return new Rfc2136Zone({
			name,
			server: `127.0.0.1:${port}`,
			key: { name: "north", secret },
			now: Date.now,
			milliseconds,
		});
	}

	const now = () => Math.floor(Date.now() / 1000);
	const answerHead = (request: Buffer, rcode = 0) => {
		const head = Buffer.alloc(12);
		head.writeUInt16BE(request.readUInt16BE(0), 0);
		head.writeUInt16BE(0xa800 | rcode, 2);
		return head;
	};
	const macOf = (request: Buffer) => verified(request, [key], now()).mac;
	const refused = { code: "zone-refused" };

	test("yes is believed when it is signed for this very update", async () => {
		const zone = await zoneAt(
			(request) => signed(answerHead(request), key, now(), { requestMac: macOf(request) }).message,
		);
		await expect(zone.set([record])).resolves.toBeUndefined();
	});

	test.each<[string, (request: Buffer) => Buffer]>([
		["is not signed", (request) => answerHead(request)],
		["is signed without the request", (request) => signed(answerHead(request), key, now()).message],
		[
			"is signed for another request",
			(request) => signed(answerHead(request), key, now(), { requestMac: Buffer.alloc(32) }).message,
		],
		[
			"is signed with another secret",
			(request) =>
				signed(answerHead(request), { ...key, secret: Buffer.alloc(32) }, now(), { requestMac: macOf(request) })
					.message,
		],
		["only looks signed", (request) => unsigned(answerHead(request), "north", now(), 0)],
		[
			"was signed an hour ago",
			(request) => signed(answerHead(request), key, now() - 3600, { requestMac: macOf(request) }).message,
		],
		[
			"was a refusal before somebody changed it",
			(request) => {
				const { message } = signed(answerHead(request, 5), key, now(), { requestMac: macOf(request) });
				message[3] = 0;
				return message;
			},
		],
	])("yes is not believed when it %s", async (_how, answerTo) => {
		const zone = await zoneAt(answerTo);
		await expect(zone.set([record])).rejects.toMatchObject(refused);
	});

	test("a signed no is told in words", async () => {
		const zone = await zoneAt(
			(request) => signed(answerHead(request, 5), key, now(), { requestMac: macOf(request) }).message,
		);
		await expect(zone.set([record])).rejects.toThrow("our key may not change this name");
	});

	test("without demands of ours, no answer can say that one was not met", async () => {
		const zone = await zoneAt(
			(request) => signed(answerHead(request, 7), key, now(), { requestMac: macOf(request) }).message,
		);
		await expect(zone.remove([record])).rejects.toMatchObject(refused);
	});

	test.each<[string, (request: Buffer) => Buffer | undefined]>([
		["says nothing", () => undefined],
		["says something else", () => Buffer.from("HTTP/1.1 400 Bad Request")],
		["echoes the update", (request) => request],
		[
			"sends a question instead",
			(request) => {
				const head = answerHead(request);
				head.writeUInt16BE(0x2800, 2);
				return signed(head, key, now(), { requestMac: macOf(request) }).message;
			},
		],
		[
			"answers another message",
			(request) => {
				const head = answerHead(request);
				head.writeUInt16BE(head.readUInt16BE(0) ^ 1, 0);
				return signed(head, key, now(), { requestMac: macOf(request) }).message;
			},
		],
	])("one that %s has not answered", async (_what, answerTo) => {
		const zone = await zoneAt(answerTo, 300);
		await expect(zone.set([record])).rejects.toMatchObject({ status: expect.toSatisfy((status) => status >= 500) });
	});

	test("one that is not responsible for the zone is not asked what is in it", async () => {
		const socket = createSocket("udp4");
		socket.on("message", (message, peer) => {
			const { id = 0, questions = [] } = packet.decode(message);
			const answers = [{ type: "A" as const, name: record.name, data: "192.0.2.66", ttl: 60 }];
			socket.send(packet.encode({ type: "response", id, questions, answers }), peer.port, peer.address);
		});
		socket.bind(0, "127.0.0.1");
		await once(socket, "listening");
		const server = `127.0.0.1:${socket.address().port}`;
		const zone = new Rfc2136Zone({ name, server, key: { name: "north", secret }, now: Date.now });
		await expect(zone.look(record.name, "A")).rejects.toMatchObject(refused);
		socket.close();
	});

	test("one that is not there is silent, for updates and for questions", async () => {
		const zone = await zoneAt(() => undefined);
		await new Promise((done) => server?.close(done));
		const silent = { code: "zone-silent", params: { server: zone.server } };
		await expect(zone.set([record])).rejects.toMatchObject(silent);
		await expect(zone.remove([record])).rejects.toMatchObject(silent);
		await expect(zone.look(record.name, "A")).rejects.toMatchObject(silent);
	});
});
