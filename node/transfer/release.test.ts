import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { release, send } from "./release.ts";

const large = (fill: number) => Buffer.alloc(200_000, fill);

test("memory is given back at once, but not what others have a part in", () => {
	const cipher = createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12));
	const sealed = cipher.update(large(1));
	release(sealed);
	expect(sealed.length).toBe(0);

	const small = Buffer.from("pooled");
	release(small);
	expect(small.toString()).toBe("pooled");
	const part = large(1).subarray(1);
	release(part);
	expect(part.length).toBe(199_999);
});

test("what is sent arrives, and its memory is given back", async () => {
	const sent = [large(1), Buffer.from("a"), large(2)];
	const expected = Buffer.concat(sent);
	const server = createServer((_request, answer) => {
		send(
			(async function* () {
				yield* sent;
			})(),
			answer,
		).then(() => answer.end());
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const arrived = fetch(`http://127.0.0.1:${port}`).then((answer) => answer.bytes());
	expect(expected.equals(await arrived)).toBe(true);
	expect(sent.map(({ length }) => length)).toEqual([0, 1, 0]);
	server.close();
});

test("nothing more is made once the other side has hung up", async () => {
	let made = 0;
	const stuck = new Writable({ highWaterMark: 1, write: () => {} });
	const sending = send(
		(async function* () {
			for (;;) {
				made++;
				yield Buffer.from("more");
			}
		})(),
		stuck,
	);
	setImmediate(() => stuck.destroy());
	await expect(sending).rejects.toThrow("hung up");
	expect(made).toBe(2);
});
