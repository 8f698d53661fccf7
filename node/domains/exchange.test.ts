import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { frames, overTcp, overUdp, serverAt, withLength, written } from "./exchange.ts";

test.each([
	["192.0.2.1", "192.0.2.1", 53, "192.0.2.1"],
	["192.0.2.1:5353", "192.0.2.1", 5353, "192.0.2.1:5353"],
	["[2001:db8::1]:5353", "2001:db8::1", 5353, "[2001:db8::1]:5353"],
	["[2001:db8::1]", "2001:db8::1", 53, "2001:db8::1"],
	["2001:db8::1", "2001:db8::1", 53, "2001:db8::1"],
	["localhost:53", "localhost", 53, "localhost"],
])("%s is a server", (text, address, port, again) => {
	expect(serverAt(text)).toEqual({ address, port });
	expect(written({ address, port })).toBe(again);
});

test("what comes from another port is not the answer", async () => {
	const [asked, other] = [createSocket("udp4"), createSocket("udp4")];
	asked.on("message", (_message, peer) => other.send("from elsewhere", peer.port, peer.address));
	asked.bind(0, "127.0.0.1");
	await once(asked, "listening");
	const server = { address: "127.0.0.1", port: asked.address().port };
	await expect(overUdp(server, Buffer.from("?"), 300, (answer) => answer)).rejects.toThrow("nothing within 300 ms");
	asked.close();
	other.close();
	await once(asked, "close");
	await expect(overUdp(server, Buffer.from("?"), 3000, (answer) => answer)).rejects.toThrow("ECONNREFUSED");
});

test("a connection that ends in the middle of a message has not answered", async () => {
	const server = createServer((socket) => socket.end(withLength(Buffer.alloc(9)).subarray(0, 5)));
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const at = { address: "127.0.0.1", port: (server.address() as { port: number }).port };
	await expect(overTcp(at, Buffer.from("?"), 3000)).rejects.toThrow("the connection was closed");
	server.close();
});

test("messages come out of a stream whole", () => {
	const [one, two] = [Buffer.from("one"), Buffer.from("two!")];
	const stream = Buffer.concat([withLength(one), withLength(two)]);
	expect(frames(stream)).toEqual([one, two]);
	expect(frames(stream.subarray(0, 7))).toEqual([one]);
	expect(frames(stream.subarray(0, 1))).toEqual([]);
});
