import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Person, World } from "../stories/world.ts";
import { type Bench, interleave, median } from "./bench.ts";
import { freePort } from "./servers/peer.ts";

const domain = "bench.localhost";
const cache = join(import.meta.dirname, "../../.cache/services");

/** Milliseconds until it serves; the node's own processor time, ms. */
interface Sample {
	readonly wall: number;
	readonly cpu: number;
}

export const bench: Bench = {
	name: "deployment",
	goals:
		"the node's own processor time for a deployment of snac at most 250 ms; its time beside the same snac started by hand",
	async run(say) {
		await using world = await new World().open();
		say("the first deployment, which also gets snac");
		const ada = await world.customer("north", "ada");
		const node = await nodeOf(world);
		const snac = await obtained(ada);
		say("eight deployments of snac by clicking and by hand in turns");
		const samples = await interleave(7, { ours: () => deployed(ada, node), hand: () => byHand(snac) });
		const of = (name: "ours" | "hand", what: keyof Sample) => median(samples[name].map((sample) => sample[what]));
		return [
			{ what: "the node's own processor time", unit: "ms", measured: of("ours", "cpu"), goal: { atMost: 250 } },
			{
				...{ what: "asked for until it serves", unit: "ms", measured: of("ours", "wall") },
				peer: { name: "by hand", value: of("hand", "wall") },
			},
		];
	},
};

async function nodeOf(world: World): Promise<number> {
	const found = (await world.processes()).find(({ unit }) => unit.startsWith("demo-") && unit.endsWith("/north"));
	if (!found) throw new Error("North's process was not found");
	return found.pid;
}

async function obtained(ada: Person): Promise<string> {
	await erased(ada, (await ada.deploy(domain, ["snac"], "ada")).id);
	const folder = readdirSync(cache).find((name) => name.startsWith("snac2-"));
	return folder ? join(cache, folder, "usr/bin/snac") : "snac";
}

/** From the click to the end of the job; the clean-up after it does not count. */
async function deployed(ada: Person, node: number): Promise<Sample> {
	const [begin, before] = [performance.now(), cpuOf(node)];
	const { id } = await ada.deploy(domain, ["snac"], "ada");
	const sample = { wall: performance.now() - begin, cpu: cpuOf(node) - before };
	await erased(ada, id);
	return sample;
}

async function erased(ada: Person, id: string): Promise<void> {
	for (const verb of ["remove", "erase"] as const) {
		const { job } = await ada.api(`POST /deployments/{id}/${verb}`, { path: { id }, body: { domain } });
		await ada.ended(job);
	}
}

/** What the manual says: init, adduser, httpd; until its page answers. */
async function byHand(snac: string): Promise<Sample> {
	const folder = mkdtempSync(join(tmpdir(), "bench-snac-"));
	const port = await freePort();
	const data = join(folder, "data");
	const begin = performance.now();
	execFileSync(snac, ["init", data], {
		input: `127.0.0.1\n${port}\n${domain}\n\n\n`,
		stdio: ["pipe", "ignore", "ignore"],
	});
	execFileSync(snac, ["adduser", data, "ada"], { stdio: "ignore" });
	const server = spawn(snac, ["httpd", data], { stdio: "ignore" });
	try {
		while (!(await answers(port))) await wait(5);
		return { wall: performance.now() - begin, cpu: 0 };
	} finally {
		await ended(server);
		rmSync(folder, { recursive: true, force: true });
	}
}

async function ended(server: ChildProcess): Promise<void> {
	const gone = once(server, "exit");
	if (server.kill("SIGKILL")) await gone;
}

function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		get({ host: "127.0.0.1", port, path: "/ada" }, (answer) => resolve(answer.resume().statusCode === 200)).on(
			"error",
			() => resolve(false),
		);
	});
}

/** Processor time used so far, ms; what its children used is theirs. */
function cpuOf(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return (Number(fields[11]) + Number(fields[12])) * 10;
}
