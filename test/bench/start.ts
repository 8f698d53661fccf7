import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Bench, interleave, median } from "./bench.ts";
import { freePort } from "./servers/peer.ts";

const root = join(import.meta.dirname, "../..");
const host = "bench.localhost";

interface Start {
	readonly first: number;
	readonly api: number;
	readonly cpu: number;
	readonly idle: number;
	readonly federating: number;
}

export const bench: Bench = {
	name: "start",
	goals:
		"first answer and idle memory at most 1.3 of bare hono with better-sqlite3; at most 130 MB once federation is loaded",
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-start-"));
		try {
			const ours = await nodeIn(folder);
			const bare = { port: await freePort(), args: [join(import.meta.dirname, "servers/bare.ts")] };
			say("starting each 9 times");
			const samples = await interleave(8, {
				ours: () => started(ours.args, ours.port, { first: "/", api: "/api/v1/provider", federation: "/actor" }),
				bare: () =>
					started([...bare.args, String(bare.port), join(folder, "bare.db")], bare.port, { first: "/healthz" }),
			});
			const of = (name: "ours" | "bare", what: keyof Start) => median(samples[name].map((start) => start[what]));
			const besides = (what: keyof Start) => ({ name: "bare hono", value: of("bare", what) });
			return [
				{
					what: "start to the first answer (the panel's page)",
					unit: "ms",
					measured: of("ours", "first"),
					peer: besides("first"),
					goal: { atMost: 1.3 },
				},
				{
					what: "start to the first answer of the API",
					unit: "ms",
					measured: of("ours", "api"),
					peer: besides("first"),
				},
				{ what: "processor time until all is loaded", unit: "ms", measured: of("ours", "cpu"), peer: besides("cpu") },
				{ what: "idle memory", unit: "MB", measured: of("ours", "idle"), peer: besides("idle"), goal: { atMost: 1.3 } },
				{
					what: "memory once federation is used",
					unit: "MB",
					measured: of("ours", "federating"),
					goal: { atMost: 130 },
				},
			];
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	},
};

async function nodeIn(folder: string): Promise<{ port: number; args: string[] }> {
	const port = await freePort();
	const file = join(folder, "node.toml");
	const settings = [
		...["[provider]", 'name = "Bench"', "[web]", `url = "http://${host}:${port}"`, `listen = "127.0.0.1:${port}"`],
		...["[state]", `folder = "${join(folder, "state")}"`, "[log]", 'level = "error"'],
	];
	writeFileSync(file, settings.join("\n"));
	return { port, args: [join(root, "node/main.ts"), "serve", "--config", file] };
}

/** From spawning to the answers; memory after two quiet seconds, and after federation was asked for. */
async function started(
	args: string[],
	port: number,
	paths: { first: string; api?: string; federation?: string },
): Promise<Start> {
	const begin = performance.now();
	const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
	try {
		await answered(port, paths.first);
		const first = performance.now() - begin;
		if (paths.api) await answered(port, paths.api);
		const api = performance.now() - begin;
		await wait(2000);
		const [cpu, idle] = [ticks(child.pid) * 10, memory(child.pid)];
		if (paths.federation) await answered(port, paths.federation);
		return { first, api, cpu, idle, federating: memory(child.pid) };
	} finally {
		const gone = once(child, "exit");
		if (child.kill()) await gone;
	}
}

async function answered(port: number, path: string): Promise<void> {
	for (const end = performance.now() + 30_000; performance.now() < end; await wait(1))
		if (await isOk(port, path)) return;
	throw new Error(`${path} did not answer within 30 seconds`);
}

function isOk(port: number, path: string): Promise<boolean> {
	return new Promise((resolve) => {
		get(
			{
				host: "127.0.0.1",
				port,
				path,
				headers: { host, accept: path === "/" ? "text/html" : "application/activity+json" },
			},
			(answer) => {
				answer.resume().on("end", () => resolve(answer.statusCode === 200));
			},
		).on("error", () => resolve(false));
	});
}

/** Hundredths of a second, proc(5). */
function ticks(pid: number | undefined): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return Number(fields[11]) + Number(fields[12]);
}

function memory(pid: number | undefined): number {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
}
