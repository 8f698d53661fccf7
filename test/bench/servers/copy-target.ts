/**
 * The node that a folder comes to, and a database if its place is given (as JSON):
 * `copy-target.ts <port> <port of the source> <folder> <scratch> <sid> [<database>]`.
 */
import { createServer } from "node:http";
import { join } from "node:path";
import { Agent, request } from "undici";
import { newSealPair } from "#protocol/migration/seal.ts";
import { receive, type Taker } from "../../../node/transfer/receive.ts";
import { openTarget } from "../../../node/volumes/open.ts";

const [port, sourcePort, path, scratch, sid, database] = process.argv.slice(2) as [
	...[string, string, string, string, string],
	string?,
];
const source = `http://127.0.0.1:${sourcePort}`;
const { signal } = new AbortController();
const dispatcher = new Agent({ headersTimeout: 600_000, bodyTimeout: 600_000 });
const keys = await newSealPair();
const target = await openTarget({ kind: "directory", path, owner: null }, { scratch: join(scratch, "volume") });
const targets: Taker[] = [{ service: "bench", name: "data", target }];
if (database) {
	const place = await openTarget(JSON.parse(database), { scratch: join(scratch, "database") });
	targets.push({ service: "bench", name: "database", target: place });
}

const wire = {
	listing: async (listing: string, from: number, base?: string) => {
		const query = new URLSearchParams({ listing, from: `${from}`, ...(base && { base }) });
		return (await request(`${source}/listing?${query}`, { dispatcher })).body;
	},
	pieces: async (body: Uint8Array) => {
		const to = encodeURIComponent(keys.publicKey);
		const answer = await request(`${source}/pieces?to=${to}`, { method: "POST", body, dispatcher });
		return { stream: answer.body, header: String(answer.headers["fediversity-stream"]) };
	},
};

/** One round: the source looks, we fetch; or, at the end, what came takes its place. */
async function round(final: boolean) {
	const address = `${source}/inventory${final ? "?final" : ""}`;
	const manifest = JSON.parse(await (await request(address, { dispatcher })).body.text());
	return receive({
		...{ manifest, wire, sid, keys, signal, folder: join(scratch, "listings") },
		targets,
		limits: { bytes: 1e12, entries: 1e7 },
	});
}

async function swap() {
	for (const one of targets) await one.target.swap(signal);
}

createServer(async ({ url }, answer) => {
	try {
		answer.end(JSON.stringify(url === "/swap" ? await swap() : await round(url === "/final")));
	} catch (error) {
		console.error(error);
		answer.writeHead(500).end();
	}
}).listen(Number(port), "127.0.0.1");
// What was compiled is kept only by a process that ends by itself.
process.once("SIGTERM", () => process.exit());
