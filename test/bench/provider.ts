import { spawn } from "node:child_process";
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Answering } from "../../node/engines/nixops4/answering.ts";
import { Progress } from "../../node/engines/nixops4/resources/progress.ts";
import type { Resources } from "../../node/engines/nixops4/resources/resource.ts";
import { Runs } from "../../node/engines/nixops4/runs.ts";
import { States } from "../../node/engines/nixops4/states.ts";
import { Database } from "../../node/store/database.ts";
import { nix } from "../nix/get-nix.ts";
import { side } from "../nixops4/program.ts";
import { type Bench, interleave, type Measure, median } from "./bench.ts";

const here = import.meta.dirname;
const boot = join(here, "../../node/boot.mjs");
const standIn = join(here, "../nixops4/nixops4.ts");
const bare = join(here, "servers/bare-provider.mjs");
const inputs = { step: "x", service: null, event: "done", after: [] };
const request = JSON.stringify({
	createResourceRequest: { type: "progress", inputProperties: inputs, isStateful: false },
});
const many = 10_000;

export const bench: Bench = {
	name: "provider",
	goals: "at most 50 ms of processor more a resource than a program that does nothing; 10,000 resources in a state",
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-provider-"));
		const db = new Database(join(folder, "node.sqlite"));
		const states = new States(db, Date.now);
		const answering = new Answering(states, { progress: new Progress() } as Partial<Resources> as Resources);
		const runs = new Runs({ socket: join(folder, "run.sock"), folder: join(folder, "runs"), answering });
		const { environment, close } = await runs.open("d1", "choir.example", () => {});
		try {
			return [
				...(await starts(folder, environment, say)),
				...(await applies(folder, environment, say)),
				...(await largeState(folder, states, environment, say)),
			];
		} finally {
			await close();
			await runs.close();
			db.close();
			rmSync(folder, { recursive: true });
		}
	},
};

async function starts(folder: string, environment: Environment, say: (line: string) => void): Promise<Measure[]> {
	say("one request to a provider of its own, as NixOps4 does it");
	const line = join(folder, "request");
	writeFileSync(line, `${request}\n`);
	const samples = await interleave(9, {
		ours: () => processor([boot, "provider"], { environment, input: line }),
		nothing: () => processor(["-e", "0"], { environment, input: line }),
	});
	const measured = median(samples.ours) - median(samples.nothing);
	return [
		{
			what: "processor for a provider's life",
			unit: "ms",
			measured: median(samples.ours),
			peer: { name: "node -e 0", value: median(samples.nothing) },
		},
		{ what: "what ours adds to that", unit: "ms", measured, goal: { atMost: 50 } },
	];
}

/** The whole of an apply, evaluation and all, with our provider and with one that does nothing. */
async function applies(folder: string, environment: Environment, say: (line: string) => void): Promise<Measure[]> {
	const program = await nix();
	if (program === null) return [];
	const measures: Measure[] = [];
	for (const count of [1, 10, 100]) {
		say(`an apply of ${count}`);
		const apply = (name: string, args: readonly string[]) => {
			const file = join(folder, `${name}.nix`);
			writeFileSync(file, rootOf(count, args));
			const more = { ...environment, _NIXOPS4_EVAL: program };
			return processor([standIn, "apply", "--no-interactive", "--file", file], { environment: more });
		};
		const samples = await interleave(count === 100 ? 1 : 3, {
			ours: () => apply("ours", [boot, "provider"]),
			nothing: () => apply("nothing", [bare]),
		});
		const [ours, value] = [median(samples.ours), median(samples.nothing)];
		measures.push({
			what: `processor for an apply of ${count}`,
			unit: "ms",
			measured: ours,
			peer: { name: "bare provider", value },
		});
		measures.push({ what: "more a resource", unit: "ms", measured: (ours - value) / count, goal: { atMost: 50 } });
	}
	return measures;
}

/** A root of so many resources that do nothing, by a provider that is started by these words after Node. */
export function rootOf(count: number, args: readonly string[]): string {
	const words = [process.execPath, ...args].map((word) => JSON.stringify(word));
	return `let s = ${side}; in s.mkRoot { modules = [ ({ providers, ... }: {
		providers.node = import ${join(here, "../../nix/nixops4/provider.nix")} { inherit (s) lib; executable = ${words[0]}; args = [ ${words.slice(1).join(" ")} ]; };
		members = builtins.listToAttrs (builtins.genList (n: { name = "r\${toString n}"; value = { type = providers.node.progress; inputs = { step = "x"; event = "done"; }; }; }) ${count});
	}) ]; }`;
}

/** One provider is kept for a whole run, and told of each resource as it is made. */
async function largeState(
	folder: string,
	states: States,
	environment: Environment,
	say: (line: string) => void,
): Promise<Measure[]> {
	say(`${many} resources, each told by an event`);
	const talk = provider(environment);
	const state = { type: "state", inputProperties: { deployment: "d1" } };
	const value = {
		type: "secret",
		input_properties: { ...inputs, service: "mastodon" },
		output_properties: { path: "x".repeat(200) },
	};
	const patchOf = (n: number) => [{ op: "add", path: `/resources/r${n}`, value }];
	const began = performance.now();
	for (let n = 0; n < many; n++) {
		const event = { resource: state, event: "create", nixopsVersion: "0.1.0", patch: patchOf(n) };
		const answer = await talk.ask(JSON.stringify({ stateResourceEvent: event }));
		if (!answer.startsWith('{"stateResourceEventResponse"')) throw new Error(answer.slice(0, 300));
	}
	const each = (performance.now() - began) / many;
	states.forget("d1");
	const asked = performance.now();
	const read = await talk.ask(JSON.stringify({ stateResourceReadRequest: { resource: state } }));
	const reading = performance.now() - asked;
	talk.end();
	if (read.length < many * 300) throw new Error("the state is too short");
	const file = appending(join(folder, "appended"), many, (n) => JSON.stringify(patchOf(n)));
	const size = statSync(join(folder, "node.sqlite")).size / 2 ** 20;
	return [
		{ what: `an event of ${many}`, unit: "ms", measured: each, peer: { name: "append and fsync", value: file } },
		{ what: `reading a state of ${many}`, unit: "ms", measured: reading, goal: { atMost: 2000 } },
		{ what: "the state in the database, with its history", unit: "MiB", measured: size },
	];
}

function appending(file: string, count: number, line: (n: number) => string): number {
	const open = openSync(file, "a");
	const began = performance.now();
	for (let n = 0; n < count; n++) {
		writeSync(open, line(n));
		fsyncSync(open);
	}
	closeSync(open);
	return (performance.now() - began) / count;
}

type Environment = Readonly<Record<string, string>>;

function provider(environment: Environment) {
	const child = spawn(process.execPath, [boot, "provider"], {
		env: { ...process.env, ...environment },
		stdio: ["pipe", "pipe", "inherit"],
	});
	let text = "";
	let heard = (_: string) => {};
	child.stdout.setEncoding("utf8").on("data", (part: string) => {
		text += part;
		if (!text.endsWith("\n")) return;
		heard(text);
		text = "";
	});
	return {
		ask: (line: string) =>
			new Promise<string>((answered) => {
				heard = answered;
				child.stdin.write(`${line}\n`);
			}),
		end: () => child.stdin.end(),
	};
}

/** Milliseconds of processor of a Node process with everything it starts, as the shell counts them. */
function processor(
	args: readonly string[],
	{ environment, input = "/dev/null" }: { environment: Environment; input?: string },
) {
	const script = 'in=$1; shift; "$@" <"$in" >/dev/null 2>&1 || exit 9; times';
	const child = spawn("sh", ["-c", script, "sh", input, process.execPath, ...args], {
		env: { ...process.env, ...environment },
		stdio: ["ignore", "pipe", "inherit"],
	});
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (part: string) => {
		text += part;
	});
	return new Promise<number>((done, failed) => {
		child.once("close", (code) => {
			const [user, system] = [...(text.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)].map(
				([, minutes, seconds]) => (Number(minutes) * 60 + Number(seconds)) * 1000,
			);
			if (code !== 0 || user === undefined || system === undefined) failed(new Error(`${args[0]} ended with ${code}`));
			else done(user + system);
		});
	});
}
