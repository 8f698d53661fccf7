import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Host, Running } from "../machines/host.ts";
import { Agent } from "./agent.ts";
import { Connection } from "./connection.ts";
import { Line } from "./line.ts";

/** A host whose agents say their number; `end` ends one with an exit code and what it said last. */
function hostOf() {
	const ends: ((code: number | null, said?: string) => void)[] = [];
	const host: Host = {
		name: "one (192.0.2.7)",
		async start(): Promise<Running> {
			const [input, output] = [new PassThrough(), new PassThrough()];
			const number = ends.length + 1;
			const ended = Promise.withResolvers<number | null>();
			let errors = "";
			new Line(input, output, async () => number);
			ends.push((code, said = "") => {
				errors = said;
				output.end();
				ended.resolve(code);
			});
			input.on("end", () => ended.resolve(0));
			return { input, output, errors: () => errors, ended: ended.promise, kill: () => ended.resolve(null) };
		},
		run: () => Promise.reject(new Error("Nobody runs anything")),
		close: async () => {},
	};
	return { host, ends };
}

async function numberOf(line: Line): Promise<unknown> {
	const talk = line.call("number");
	talk.finish();
	return talk.result();
}

describe("a connection to an agent", () => {
	test("is one for all who ask at the same time, and stays", async () => {
		const { host, ends } = hostOf();
		const connection = new Connection(new Agent(host), ["volume"]);
		const asked = [1, 2, 3].map(() => connection.during(undefined, numberOf));
		expect(await Promise.all(asked)).toEqual([1, 1, 1]);
		expect(await connection.during(undefined, numberOf)).toBe(1);
		await connection.close();
		expect(ends).toHaveLength(1);
	});

	test("is made anew when its line broke", async () => {
		const { host, ends } = hostOf();
		const connection = new Connection(new Agent(host), ["volume"]);
		expect(await connection.during(undefined, numberOf)).toBe(1);
		ends[0]?.(255, "Connection closed");
		expect(await connection.during(undefined, numberOf)).toBe(2);
		expect(connection.number).toBe(2);
		await connection.close();
	});

	test("tells what an agent said that ended by itself, with the machine's name, and does not ask again", async () => {
		const { host, ends } = hostOf();
		const connection = new Connection(new Agent(host), ["volume"]);
		const asked = connection.during(undefined, async (line) => {
			const said = JSON.stringify({ code: "machine-lacks", params: { machine: "The machine", what: "x" }, detail: "" });
			ends[0]?.(1, `a warning\n${said}\n`);
			await line.ended;
			return numberOf(line);
		});
		const params = { machine: "one (192.0.2.7)", what: "x" };
		await expect(asked).rejects.toMatchObject({ code: "machine-lacks", params });
		expect(ends).toHaveLength(1);
	});

	test("ends waiting for a machine when it is told to", async () => {
		const { host, ends } = hostOf();
		const connection = new Connection(new Agent(host), ["volume"]);
		const stop = new AbortController();
		const asked = connection.during(stop.signal, async (line) => {
			ends.at(-1)?.(255);
			await line.ended;
			stop.abort(new Error("enough"));
			return numberOf(line);
		});
		await expect(asked).rejects.toThrow();
		expect(ends).toHaveLength(1);
	});
});
