/**
 * The node that a folder leaves, and a database if its place is given (as JSON), as far as their content is concerned:
 * `copy-source.ts <port> <folder> <scratch> <sid> [<database>]`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { newStreamKey } from "#protocol/migration/seal.ts";
import { type Giving, type Manifest, takeInventory } from "../../../node/transfer/inventory.ts";
import { readListing } from "../../../node/transfer/listings.ts";
import { send } from "../../../node/transfer/release.ts";
import { ship } from "../../../node/transfer/ship.ts";
import { openSource } from "../../../node/volumes/open.ts";

const [port, path, scratch, sid, database] = process.argv.slice(2) as [string, string, string, string, string?];
const { signal } = new AbortController();
const folder = join(scratch, "listings");
const source = await openSource({ kind: "directory", path, owner: null }, { scratch: join(scratch, "volume") });
const sources: Giving[] = [{ service: "bench", name: "data", kind: "directory", source }];
if (database) {
	const place = await openSource(JSON.parse(database), { scratch: join(scratch, "database") });
	sources.push({ service: "bench", name: "database", kind: "postgres", source: place });
}
let manifest: Manifest = { round: 0, final: false, volumes: [] };

const answers: Record<string, (request: IncomingMessage, answer: ServerResponse, url: URL) => Promise<unknown>> = {
	inventory: async (_request, answer, { searchParams }) => {
		const final = searchParams.has("final");
		manifest = await takeInventory({ sources, round: manifest.round + 1, final, folder, signal });
		answer.end(JSON.stringify(manifest));
	},
	forget: async (_request, answer) => {
		for (const one of sources) await one.source.forget();
		answer.end();
	},
	listing: async (_request, answer, { searchParams }) => {
		const [listing, from, base] = ["listing", "from", "base"].map((name) => searchParams.get(name) ?? undefined);
		await pipeline(await readListing(folder, listing ?? "", Number(from), base), answer);
	},
	pieces: async (request, answer, { searchParams }) => {
		const key = await newStreamKey(searchParams.get("to") ?? "");
		answer.setHeader("fediversity-stream", key.header);
		const body = Buffer.concat(await request.toArray());
		await send(ship({ manifest, request: body, folder, sources, key, sid, signal }), answer);
		answer.end();
	},
};

createServer({ highWaterMark: 1024 * 1024 }, (request, answer) => {
	const url = new URL(request.url ?? "", "http://source");
	answers[url.pathname.slice(1)]?.(request, answer, url).catch((error) => answer.destroy(error));
}).listen(Number(port), "127.0.0.1");
// What was compiled is kept only by a process that ends by itself.
process.once("SIGTERM", () => process.exit());
