import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, interleave, type Measure, median } from "./bench.ts";
import { freePort, type Peer, startPeer } from "./servers/peer.ts";

const servers = join(import.meta.dirname, "servers");
const routes = { "one row": "/api/v1/me", "a list of 20": "/api/v1/me/entitlements?limit=20" };

export const bench: Bench = {
	name: "api",
	goals: "at most 1.5 of the processor time of a bare hono route that runs the same SQL",
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-api-"));
		const peers: Peer[] = [];
		try {
			const [database, cookieFile] = [join(folder, "node.db"), join(folder, "cookie")];
			const node = async (file: string, ...more: string[]) => {
				const port = await freePort();
				const peer = await startPeer(process.execPath, [join(servers, file), String(port), database, ...more], port);
				peers.push(peer);
				return peer;
			};
			const ours = await node("api.ts", cookieFile);
			const bare = await node("bare-api.ts");
			const cookie = readFileSync(cookieFile, "utf8");
			const measures: Measure[] = [];
			for (const [what, path] of Object.entries(routes)) {
				say(`GET ${path}, 16 connections`);
				const samples = await interleave(7, {
					ours: async () => load(ours, path, cookie),
					bare: async () => load(bare, path, cookie),
				});
				measures.push({
					what: `${what}, processor, per 10,000 requests`,
					unit: "s",
					measured: median(samples.ours),
					peer: { name: "bare hono", value: median(samples.bare) },
					goal: { atMost: 1.5 },
				});
			}
			return measures;
		} finally {
			for (const peer of peers) await peer.stop();
			rmSync(folder, { recursive: true });
		}
	},
};

/** One run of wrk; the server's processor seconds for 10,000 requests. Fails if an answer is wrong. */
function load(peer: Peer, path: string, cookie: string): number {
	const before = peer.cpu();
	const url = `http://127.0.0.1:${peer.port}${path}`;
	const { stdout, error } = spawnSync("wrk", ["-t1", "-c16", "-d2s", "-H", `Cookie: ${cookie}`, url], {
		encoding: "utf8",
	});
	if (error) throw new Error("wrk is needed; install it, for instance with apt-get install wrk");
	if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(`wrk saw errors:\n${stdout}`);
	return ((peer.cpu() - before) / Number(/(\d+) requests in/.exec(stdout)?.[1])) * 10_000;
}
