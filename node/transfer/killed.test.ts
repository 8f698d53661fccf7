/** Real processes, real connections, and `kill -9` in the middle. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newSealPair, newStreamKey } from "#protocol/migration/seal.ts";
import { freePort, isListening } from "../../test/bench/servers/peer.ts";
import { makeTree } from "../../test/bench/servers/tree.ts";
import { openSource, openTarget } from "../volumes/open.ts";
import { type Manifest, takeInventory } from "./inventory.ts";
import { readListing } from "./listings.ts";
import { receive } from "./receive.ts";
import { ship } from "./ship.ts";
import { decodeRequest, piecesOf } from "./wants.ts";

const sid = "c2lk";
const { signal } = new AbortController();
const programs = join(import.meta.dirname, "..", "..", "test", "bench", "servers");
let folder: string;
let ends: (() => void)[];
const at = (name: string) => join(folder, name);

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "killed-"));
	makeTree(at("tree"), 0.03);
	writeFileSync(at("tree/film"), randomBytes(3_000_000));
	ends = [() => rmSync(folder, { recursive: true, force: true })];
});
afterEach(() => {
	for (const end of ends.reverse()) end();
});

async function start(program: string, port: number, ...args: string[]): Promise<ChildProcess> {
	const child = spawn(process.execPath, [join(programs, program), `${port}`, ...args, sid], { stdio: "ignore" });
	ends.push(() => child.kill("SIGKILL"));
	while (!(await isListening(port))) await new Promise((resolve) => setTimeout(resolve, 20));
	return child;
}

async function kill(child: ChildProcess): Promise<void> {
	const ended = once(child, "exit");
	child.kill("SIGKILL");
	await ended;
}

function call(port: number, path: string, body?: Uint8Array): Promise<Readable & { headers: Record<string, unknown> }> {
	return new Promise((resolve, reject) => {
		request({ port, host: "127.0.0.1", path, method: body ? "POST" : "GET", agent: false }, (answer) =>
			resolve(answer as unknown as Readable & { headers: Record<string, unknown> }),
		)
			.on("error", reject)
			.end(body);
	});
}

const textOf = async (stream: Readable) => Buffer.concat(await stream.toArray()).toString();
const difference = (one: string, other: string) => spawnSync("diff", ["-r", one, other], { encoding: "utf8" }).stdout;

test("a target that is killed in the middle asks only for the rest when it is there again", async () => {
	const source = await openSource({ kind: "directory", path: at("tree"), owner: null }, { scratch: at("source") });
	const sources = [{ service: "bench", name: "data", kind: "directory" as const, source }];
	const manifest = await takeInventory({ sources, round: 1, final: true, folder: at("listings"), signal });
	const asked: number[] = [];
	const server = createServer(async (request, answer) => {
		const { pathname, searchParams } = new URL(request.url ?? "", "http://source");
		if (pathname === "/inventory") answer.end(JSON.stringify(manifest));
		if (pathname === "/listing") {
			const listing = await readListing(
				at("listings"),
				searchParams.get("listing") ?? "",
				Number(searchParams.get("from")),
			);
			await pipeline(listing, answer);
		}
		if (pathname !== "/pieces") return;
		const body = Buffer.concat(await request.toArray());
		asked.push(piecesOf(decodeRequest(body).wants));
		const key = await newStreamKey(searchParams.get("to") ?? "");
		answer.setHeader("fediversity-stream", key.header);
		let sent = 0;
		for await (const bytes of ship({ manifest, request: body, folder: at("listings"), sources, key, sid, signal })) {
			answer.write(bytes);
			sent += bytes.length;
			// The first time it stops half way, and never goes on.
			if (asked.length === 1 && sent > 8_000_000) return;
		}
		answer.end();
	}).listen(0, "127.0.0.1");
	ends.push(() => server.close());
	await once(server, "listening");
	const from = `${(server.address() as AddressInfo).port}`;

	const port = await freePort();
	const first = await start("copy-target.ts", port, from, at("copy"), at("target"));
	const cut = expect(call(port, "/round")).rejects.toThrow();
	const stage = at("target/volume/stage/0/0");
	while (!filesIn(stage)) await new Promise((resolve) => setTimeout(resolve, 20));
	await kill(first);
	await cut;

	await start("copy-target.ts", port, from, at("copy"), at("target"));
	expect(JSON.parse(await textOf(await call(port, "/round")))).toMatchObject({ damaged: 0, skipped: 0 });
	expect(asked).toHaveLength(2);
	expect(asked[1]).toBeLessThan(asked[0] as number);
	await textOf(await call(port, "/swap"));
	expect(difference(at("tree"), at("copy"))).toBe("");
}, 120_000);

function filesIn(folder: string): number {
	try {
		return readdirSync(folder).length;
	} catch {
		return 0;
	}
}

test("a source that is killed in the middle gives the rest when it is there again", async () => {
	const port = await freePort();
	const args = [at("tree"), at("source")];
	let source = await start("copy-source.ts", port, ...args);
	const manifest = JSON.parse(await textOf(await call(port, "/inventory"))) as Manifest;
	const keys = await newSealPair();
	const target = await openTarget({ kind: "directory", path: at("copy"), owner: null }, { scratch: at("target") });
	const write = target.write.bind(target);
	let isKilled = false;
	target.write = async (pieces) => {
		if (!isKilled) {
			isKilled = true;
			await kill(source);
		}
		return write(pieces);
	};
	const asked: number[] = [];
	const received = await receive({
		...{ manifest, sid, keys, signal, folder: at("rounds"), limits: { bytes: 1e9, entries: 1e5 } },
		targets: [{ service: "bench", name: "data", target }],
		wire: {
			listing: (listing, from) => call(port, `/listing?listing=${listing}&from=${from}`),
			pieces: async (body) => {
				asked.push(piecesOf(decodeRequest(body).wants));
				const stream = await call(port, `/pieces?to=${encodeURIComponent(keys.publicKey)}`, body);
				return { stream, header: String(stream.headers["fediversity-stream"]) };
			},
		},
		wait: async () => {
			if (source.signalCode === "SIGKILL") source = await start("copy-source.ts", port, ...args);
			// What it has listed for this round is known to a node from its messages.
			await textOf(await call(port, "/inventory"));
		},
	});
	expect(received).toMatchObject({ damaged: 0, skipped: 0 });
	expect(asked.at(-1)).toBeLessThan(asked[0] as number);
	await target.swap(signal);
	expect(difference(at("tree"), at("copy"))).toBe("");
}, 120_000);
