import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { mostLength } from "./frame.ts";
import { type Answer, Line, LineCut } from "./line.ts";

function pair(answer: Answer) {
	const [there, back] = [new PassThrough(), new PassThrough()];
	return { caller: new Line(back, there), callee: new Line(there, back, answer), there, back };
}

async function asked(line: Line, method: string, args: unknown = {}) {
	const talk = line.call(method, args);
	talk.finish();
	return talk.result();
}

describe("a line", () => {
	test("carries many calls at a time, each with its own result", async () => {
		const { caller } = pair(async (method, args) => {
			const { wait } = args as { wait: number };
			await new Promise((resolve) => setTimeout(resolve, wait));
			return `${method} ${wait}`;
		});
		const calls = [9, 1, 5].map((wait) => asked(caller, "sleep", { wait }));
		expect(await Promise.all(calls)).toEqual(["sleep 9", "sleep 1", "sleep 5"]);
	});

	test("brings failures over as what they were", async () => {
		const { caller } = pair(async (method) => {
			if (method === "problem") throw new Problem("volume-unfit", { path: "a", reason: "b" });
			throw Object.assign(new Error("no room"), { code: "ENOSPC" });
		});
		await expect(asked(caller, "problem")).rejects.toMatchObject({
			...{ name: "Problem", code: "volume-unfit", params: { path: "a", reason: "b" } },
		});
		await expect(asked(caller, "disk")).rejects.toMatchObject({ code: "ENOSPC", message: "no room" });
	});

	test("lets nobody send more than the other side has room for", async () => {
		let sent = 0;
		const block = Buffer.alloc(1024 * 1024);
		const { caller } = pair(async (_method, _args, talk) => {
			for (let n = 0; n < 40; n++) {
				await talk.send(block);
				sent++;
			}
		});
		const talk = caller.call("flood");
		talk.finish();
		const blocks = talk.blocks();
		await blocks.next();
		while (sent < 8) await new Promise((resolve) => setImmediate(resolve));
		for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
		expect(sent).toBeLessThan(12);
		let got = 1;
		for await (const one of blocks) got += one.length / block.length;
		expect(got).toBe(40);
	});

	test("keeps a block as it is until the second one after it is asked for", async () => {
		const { caller } = pair(async (_method, _args, talk) => {
			for (let n = 0; n < 30; n++) await talk.send(Buffer.alloc(900_000 + n, n));
		});
		const talk = caller.call("blocks");
		talk.finish();
		const before: Buffer[] = [];
		let count = 0;
		for await (const block of talk.blocks()) {
			before.push(block);
			for (const [back, one] of before.slice(-2).reverse().entries()) {
				expect(one.length).toBe(900_000 + count - back);
				expect(one.every((byte) => byte === count - back)).toBe(true);
			}
			count++;
		}
		expect(count).toBe(30);
	});

	test("tells the other side when nobody wants any more", async () => {
		const stopped = Promise.withResolvers<void>();
		const { caller } = pair(async (_method, _args, talk) => {
			talk.signal.addEventListener("abort", () => stopped.resolve());
			for (;;) await talk.send(Buffer.alloc(1000));
		});
		const talk = caller.call("endless");
		talk.finish();
		for await (const _ of talk.blocks()) break;
		await stopped.promise;
	});

	test("fails every call when it ends, and those after it", async () => {
		const { caller, back } = pair(() => new Promise(() => {}));
		const calls = [asked(caller, "a"), asked(caller, "b")];
		back.end();
		for (const call of calls) await expect(call).rejects.toBeInstanceOf(LineCut);
		await expect(asked(caller, "c")).rejects.toBeInstanceOf(LineCut);
		await caller.ended;
	});

	test.each([
		[
			"a frame that is too long",
			(() => {
				const head = Buffer.alloc(9);
				head.writeUInt32BE(mostLength + 1);
				return head;
			})(),
		],
		["a call from who only answers", Buffer.concat([Buffer.from([0, 0, 0, 2, 0, 0, 0, 9, 0]), Buffer.from("{}")])],
		["what is no JSON", Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 2]), Buffer.from("{")])],
		["a kind that there is not", Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 77])],
	])("ends for %s", async (_what, bytes) => {
		const { caller, back } = pair(() => new Promise(() => {}));
		const call = asked(caller, "a");
		back.write(bytes);
		await expect(call).rejects.toBeInstanceOf(LineCut);
	});
});
