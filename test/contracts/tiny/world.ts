import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Plan, Report } from "../../../node/engines/engine.ts";
import { LocalEngine, type LocalEngineOptions } from "../../../node/engines/local/local-engine.ts";
import { type Process, processTable } from "../../../node/engines/local/process-table.ts";
import type { Vault } from "../../../node/secrets/vault.ts";

/** Where programs that tests fetch are kept between runs. */
export const cache = join(import.meta.dirname, "../../../.cache/services");

/** A folder for one test, which root's mkdtemp makes unreadable for others: just as a checkout in /root would be. */
export function scratch(): { folder: string; remove(): void } {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), "fediversity-engine-")));
	return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export class MemoryVault implements Vault {
	readonly secrets = new Map<string, string>();

	async obtain(name: string, make: () => string | Promise<string>) {
		const known = this.secrets.get(name) ?? (await make());
		this.secrets.set(name, known);
		return known;
	}
	async get(name: string) {
		return this.secrets.get(name);
	}
	async put(name: string, value: string) {
		this.secrets.set(name, value);
	}
	async names(prefix: string) {
		return [...this.secrets.keys()].filter((name) => name.startsWith(prefix)).sort();
	}
	async remove(name: string) {
		for (const known of this.secrets.keys())
			if (known === name || (name.endsWith("/") && known.startsWith(name))) this.secrets.delete(known);
	}
}

/** A node's id that no other run of the tests has. */
export function someNode(): string {
	return `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
}

export function engineIn(folder: string, options: Partial<LocalEngineOptions> = {}): LocalEngine {
	return new LocalEngine({
		nodeId: someNode(),
		folder: join(folder, "services"),
		cache: join(folder, "cache"),
		// Below the ports that the system gives to those who ask for any.
		ports: { first: 24_000, last: 31_000 },
		memoryMiB: 1024,
		vault: new MemoryVault(),
		environment: process.env,
		...options,
	});
}

export function planFor(service: string, mode: Plan["mode"] = "serving", name = "choir"): Plan {
	const domain = `${name}.localhost`;
	const hosts = [`social.${domain}`];
	const owner = { username: "alice", email: "alice@example.org" };
	return {
		deployment: `dep-${name}`,
		domain,
		mode,
		services: [{ name: service, hosts, origin: `http://${hosts[0]}:8080`, owner }],
	};
}

/** A report that remembers its log. */
export function listening(signal: AbortSignal = new AbortController().signal): Report & { lines: string[] } {
	const lines: string[] = [];
	return { signal, lines, progress: () => {}, log: (line) => lines.push(line) };
}

/** Asks the service behind a plan as the gateway would; throws while it is not up. */
export function ask(engine: LocalEngine, plan: Plan, path: string, accept = "*/*"): Promise<string> {
	const host = plan.services[0]?.hosts[0] ?? "";
	const backend = engine.backend(host);
	if (backend?.kind !== "up") throw new Error(`${host} is ${backend?.kind}`);
	return new Promise((done, failed) => {
		const headers = { host: `${host}:8080`, accept };
		get({ host: "127.0.0.1", port: backend.port, path, headers, agent: false }, (answer) => {
			let text = "";
			answer.on("data", (part) => {
				text += part;
			});
			answer.on("end", () => done(text));
			answer.on("error", failed);
		}).on("error", failed);
	});
}

/** Waits until the work no longer throws and answers what it then answers. */
export async function eventually<Result>(work: () => Result | Promise<Result>, seconds = 15): Promise<Result> {
	for (const until = Date.now() + seconds * 1000; ; )
		try {
			return await work();
		} catch (error) {
			if (Date.now() > until) throw error;
			await wait(20);
		}
}

/** What of a node still runs. */
export async function running(nodeId: string): Promise<Process[]> {
	return (await processTable()).filter(({ unit }) => unit?.startsWith(`${nodeId}/`));
}

/** The addresses on which somebody listens at this port, as Linux writes them: 0100007F is 127.0.0.1. */
export function listenersAt(port: number): string[] {
	const hex = port.toString(16).toUpperCase().padStart(4, "0");
	return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
		[...readFileSync(file, "latin1").matchAll(/^\s*\d+: (\w+):(\w+) \S+ 0A /gm)]
			.filter(([, , at]) => at === hex)
			.map(([, address = ""]) => address),
	);
}
