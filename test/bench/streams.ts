import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientRequest, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type Measure, median } from "./bench.ts";
import { freePort, type Peer, startPeer } from "./servers/peer.ts";

const many = 1000;

export const bench: Bench = {
	name: "streams",
	goals: `at most 31 kB for each of ${many} open progress streams`,
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-streams-"));
		const rounds: { each: number; beat: number }[] = [];
		try {
			for (let round = 0; round < 3; round++) {
				say(`round ${round + 1}: ${many} readers`);
				rounds.push(await measure(join(folder, `readers-${round}.json`)));
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
		const each: Measure = {
			...{ what: "memory of one open stream", unit: "kB", measured: median(rounds.map((round) => round.each)) },
			goal: { atMost: 31 },
		};
		const beat = median(rounds.map((round) => round.beat));
		return [each, { what: `processor for ${many} of them, of one core`, unit: "%", measured: beat }];
	},
};

/** A fresh node: memory by stream in kB, and the share of a core that they take while nothing happens. */
async function measure(file: string): Promise<{ each: number; beat: number }> {
	const port = await freePort();
	const server = join(import.meta.dirname, "servers", "streams.ts");
	const peer = await startPeer(process.execPath, ["--expose-gc", server, String(port), file], port);
	const open: ClientRequest[] = [];
	try {
		const { cookie, jobs } = JSON.parse(readFileSync(file, "utf8")) as { cookie: string; jobs: string[] };
		const reader = (at: number) => opened(port, `/api/v1/jobs/${jobs[at % jobs.length]}/events`, cookie);
		await grow(port, cookie, reader);
		const before = await settled(peer);
		for (let at = 0; at < many; at++) open.push(await reader(at));
		const each = (((await settled(peer)) - before) * 1000) / many;
		const used = peer.cpu();
		await new Promise((resolve) => setTimeout(resolve, 10_000));
		return { each, beat: (peer.cpu() - used) * 10 };
	} finally {
		for (const request of open) request.destroy();
		await peer.stop();
	}
}

/** What a node makes once is not a stream's: code, and V8's nursery, which grows with the first thousands of requests. */
async function grow(port: number, cookie: string, reader: (at: number) => Promise<ClientRequest>): Promise<void> {
	const first = await Promise.all(Array.from({ length: 100 }, (_, at) => reader(at)));
	for (const request of first) request.destroy();
	const headers = { cookie };
	for (let at = 0; at < 20_000; at += 50)
		await Promise.all(
			Array.from({ length: 50 }, async () => (await fetch(`http://127.0.0.1:${port}/api/v1/me`, { headers })).text()),
		);
}

/** One reader, once its first event has come. */
function opened(port: number, path: string, cookie: string): Promise<ClientRequest> {
	return new Promise((resolve, reject) => {
		const request = get({ port, path, headers: { cookie }, agent: false }, (answer) => {
			if (answer.statusCode !== 200) reject(new Error(`A stream answered ${answer.statusCode}`));
			answer.on("error", () => {}).once("data", () => resolve(request));
		});
		request.on("error", reject);
	});
}

/** Memory in MB after collecting garbage. */
async function settled(peer: Peer): Promise<number> {
	for (let at = 0; at < 3; at++) await fetch(`http://127.0.0.1:${peer.port}/gc`);
	return peer.memory();
}
