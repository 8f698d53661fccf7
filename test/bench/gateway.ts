import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Bench, interleave, type Measure, median } from "./bench.ts";
import { freePort, type Peer, startPeer } from "./servers/peer.ts";

/** What one run of wrk saw. Latencies in milliseconds, cpu in seconds per 10,000 requests, volume in MB/s. */
interface Sample {
	rate: number;
	middle: number;
	late: number;
	cpu: number;
	volume: number;
}

type Name = "direct" | "caddy" | "ours";

const servers = join(import.meta.dirname, "servers");

export const bench: Bench = {
	name: "gateway",
	goals: "at least 0.8 of the requests a second that caddy passes on, on the same two cores as load and service",
	async run(say) {
		const peers = await startAll();
		try {
			say("small answers: 2 kB of JSON, 32 connections");
			const small = await interleave(
				6,
				each(peers, (peer) => load(peer, "/", 32, 2)),
			);
			say("big answers: 8 MiB, 2 connections");
			const big = await interleave(
				4,
				each(peers, (peer) => load(peer, "/big", 2, 1)),
			);
			return [...smallMeasures(small), ...bigMeasures(big), memory(peers)];
		} finally {
			for (const peer of Object.values(peers)) await peer.stop();
		}
	},
};

async function startAll(): Promise<Record<Name, Peer>> {
	const [service, caddy, ours] = [await freePort(), await freePort(), await freePort()];
	const node = (file: string, ...ports: number[]) =>
		startPeer(process.execPath, [join(servers, file), ...ports.map(String)], ports[0] as number);
	return {
		direct: await node("service.ts", service),
		caddy: await startPeer("caddy", ["run", "--config", "-"], caddy, caddyConfig(caddy, service)),
		ours: await node("gateway.ts", ours, service),
	};
}

/** caddy as it comes, as a reverse proxy by plain HTTP; it keeps nothing on disk. */
function caddyConfig(port: number, service: number): string {
	const handle = [{ handler: "reverse_proxy", upstreams: [{ dial: `127.0.0.1:${service}` }] }];
	const server = { listen: [`127.0.0.1:${port}`], automatic_https: { disable: true }, routes: [{ handle }] };
	return JSON.stringify({
		admin: { disabled: true, config: { persist: false } },
		logging: { logs: { default: { level: "ERROR" } } },
		apps: { http: { servers: { bench: server } } },
	});
}

function each(
	peers: Record<Name, Peer>,
	measure: (peer: Peer) => Promise<Sample>,
): Record<Name, () => Promise<Sample>> {
	return {
		direct: () => measure(peers.direct),
		caddy: () => measure(peers.caddy),
		ours: () => measure(peers.ours),
	};
}

/** One run of wrk with its one thread. Fails if an answer is missing or wrong. */
async function load(peer: Peer, path: string, connections: number, seconds: number): Promise<Sample> {
	const before = peer.cpu();
	const url = `http://127.0.0.1:${peer.port}${path}`;
	const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", url];
	const { stdout, error } = spawnSync("wrk", args, { encoding: "utf8" });
	if (error) throw new Error("wrk is needed; install it, for instance with apt-get install wrk");
	if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(`wrk saw errors:\n${stdout}`);
	const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
	return {
		rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
		middle: milliseconds(/50%\s+(\S+)/.exec(stdout)?.[1]),
		late: milliseconds(/99%\s+(\S+)/.exec(stdout)?.[1]),
		cpu: ((peer.cpu() - before) / requests) * 10_000,
		volume: megabytes(/Transfer\/sec:\s+(\S+)/.exec(stdout)?.[1]),
	};
}

/** `950.00us`, `1.20ms`, `1.01s`. */
function milliseconds(text = ""): number {
	const factor = text.endsWith("us") ? 0.001 : text.endsWith("ms") ? 1 : 1000;
	return Number.parseFloat(text) * factor;
}

/** `950.00KB`, `1.20MB`, `1.01GB`. */
function megabytes(text = ""): number {
	const factor = text.endsWith("KB") ? 0.001 : text.endsWith("GB") ? 1000 : 1;
	return Number.parseFloat(text) * factor;
}

type Samples = Record<Name, Sample[]>;

function smallMeasures(samples: Samples): Measure[] {
	const beside = (name: Name, what: string, unit: string, part: keyof Sample): Measure => ({
		...{ what, unit, measured: middleOf(samples.ours, part) },
		peer: { name, value: middleOf(samples[name], part) },
	});
	return [
		{ ...beside("caddy", "small answers", "requests/s", "rate"), goal: { atLeast: 0.8 } },
		beside("direct", "small answers", "requests/s", "rate"),
		beside("caddy", "median latency", "ms", "middle"),
		beside("direct", "median latency", "ms", "middle"),
		beside("caddy", "99th percentile", "ms", "late"),
		beside("direct", "99th percentile", "ms", "late"),
		beside("caddy", "processor, per 10,000 requests", "s", "cpu"),
	];
}

function bigMeasures({ ours, caddy, direct }: Samples): Measure[] {
	const measured = { what: "big answers", unit: "MB/s", measured: middleOf(ours, "volume") };
	return [
		{ ...measured, peer: { name: "caddy", value: middleOf(caddy, "volume") } },
		{ ...measured, peer: { name: "direct", value: middleOf(direct, "volume") } },
	];
}

function memory({ ours, caddy }: Record<Name, Peer>): Measure {
	const peer = { name: "caddy", value: caddy.memory() };
	return { what: "memory afterwards, with Node", unit: "MB", measured: ours.memory(), peer };
}

function middleOf(samples: Sample[], part: keyof Sample): number {
	return median(samples.map((sample) => sample[part]));
}
