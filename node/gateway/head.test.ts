import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readHead, rewrite } from "./head.ts";

/** The parts of a request that a head is read from. */
function request(rawHeaders: string[], remoteAddress = "127.0.0.1", encrypted = false): IncomingMessage {
	const socket = { remoteAddress, encrypted };
	return { method: "GET", url: "/", httpVersion: "1.1", rawHeaders, socket } as unknown as IncomingMessage;
}

const token = fc.stringMatching(/^[A-Za-z_-]{1,12}$/);
const name = fc.oneof(
	token,
	fc.constantFrom("X-Forwarded-For", "x_forwarded_for", "FORWARDED", "X-Real-Ip", "Connection", "TE", "Content-Length"),
);
const value = fc.oneof(fc.stringMatching(/^[\x20-\x7e]{0,20}$/), name);

test("whatever is sent, the service gets pairs, one Host, and one client, who is the peer", () => {
	fc.assert(
		fc.property(fc.array(fc.tuple(name, value)), (headers) => {
			const head = readHead(request(["Host", "a.example", ...headers.flat()]), false);
			if (!head) return;
			expect(head.headers.length % 2).toBe(0);
			const names = head.headers.filter((_, at) => at % 2 === 0).map((each) => each.toLowerCase());
			for (const one of ["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"])
				expect(names.filter((each) => each === one)).toHaveLength(1);
			expect(names.filter((each) => /_|^(forwarded|x-real-ip|connection|te)$/.test(each))).toEqual([]);
			expect(head.headers[names.indexOf("x-forwarded-for") * 2 + 1]).toBe("127.0.0.1");
			expect(names.includes("content-length")).toBe(headers.some(([each]) => each.toLowerCase() === "content-length"));
		}),
	);
});

test("an address is told in its own form, and TLS at our own door", () => {
	const head = readHead(request(["Host", "a.example"], "::ffff:192.0.2.7", true), false);
	expect(head?.headers.slice(2)).toEqual([
		...["X-Forwarded-For", "192.0.2.7"],
		...["X-Forwarded-Proto", "https"],
		...["X-Forwarded-Host", "a.example"],
	]);
	expect(readHead(request(["Host", "a.example"], "2001:db8::1"), false)?.headers).toContain("2001:db8::1");
});

test("a handler in this process reads all that was added, however few headers came", async () => {
	const server = createServer((request, response) => {
		const head = readHead(request, false);
		if (head) rewrite(request, head);
		response.end(JSON.stringify(request.headers));
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const read = async (...lines: string[]) => {
		const socket = connect(port, "127.0.0.1");
		socket.end(["GET / HTTP/1.0", ...lines, "", ""].join("\r\n"));
		return JSON.parse((await text(socket)).split("\r\n\r\n")[1] ?? "") as Record<string, string>;
	};
	const ours = { "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" };
	expect(await read("Host: a.example")).toEqual({ host: "a.example", ...ours, "x-forwarded-host": "a.example" });
	const many = ["Cookie: a=1", "Accept: x", "Cookie: b=2", "Accept: y", "User-Agent: one", "User-Agent: two"];
	expect(await read("Host: a.example", "X-Forwarded-For: 192.0.2.1", ...many)).toMatchObject({
		...{ ...ours, cookie: "a=1; b=2", accept: "x, y", "user-agent": "one" },
	});
	server.close();
});
