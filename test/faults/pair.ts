/** Two real nodes with a zone and a network between them, in one folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runningNode } from "../../node/commands/running-node.ts";
import { type NameServer, openNameServer } from "../../node/demo/name-server.ts";
import { processTable } from "../../node/engines/local/process-table.ts";
import { Database } from "../../node/store/database.ts";
import { freePort } from "../bench/servers/peer.ts";
import { Person } from "../stories/world.ts";
import { type At, Internet, type Provider, providers } from "./internet.ts";

const root = join(import.meta.dirname, "../..");
/** Loopback ports of each node's services. */
const ports = { north: [12_000, 13_999], south: [14_000, 15_999] } as const;

export interface Machine {
	readonly address: string;
	/** What a program's command line begins with to run there. */
	readonly enter: readonly string[];
	/** Where the name server of this machine is seen from there. */
	readonly names: string;
}

export interface PairOptions {
	/** How long services may rest, in seconds. */
	readonly freezeSeconds?: number;
	/** How far each node's clock is ahead of this machine's, ms. */
	readonly ahead?: Partial<Record<Provider, number>>;
	/** Machines with addresses of their own, instead of this one. */
	readonly machines?: Record<Provider, Machine>;
	/** A file with a function `recipes`, and what each node gives it to learn how services are run there. */
	readonly recipes?: { readonly file: string; readonly given: Readonly<Record<Provider, unknown>> };
	/** More lines of each node's configuration. */
	readonly settings?: Partial<Record<Provider, string>>;
	/** More that each node finds in its environment. */
	readonly environments?: Partial<Record<Provider, Readonly<Record<string, string>>>>;
	/** Where a node keeps its state, instead of the pair's folder. */
	readonly folders?: Partial<Record<Provider, string>>;
}

export class Pair {
	readonly folder = mkdtempSync(join(tmpdir(), "fediversity-pair-"));
	readonly internet: Internet;
	port = 0;
	readonly #options: PairOptions;
	readonly #listens: Record<Provider, At>;
	readonly #children: Partial<Record<Provider, ChildProcess>> = {};
	readonly #ahead: Record<Provider, number>;
	#names: NameServer | undefined;

	static async open(options: PairOptions = {}): Promise<Pair> {
		const pair = new Pair(options, await at("north", options), await at("south", options));
		try {
			await pair.#open();
		} catch (error) {
			await pair[Symbol.asyncDispose]();
			throw error;
		}
		return pair;
	}

	/** Opens one for this work, shows what happened if it fails, and closes it. */
	static async with(options: PairOptions, work: (pair: Pair) => Promise<void>): Promise<void> {
		await using pair = await Pair.open(options);
		try {
			await work(pair);
		} catch (error) {
			pair.tell();
			throw error;
		}
	}

	private constructor(options: PairOptions, north: At, south: At) {
		this.#options = options;
		this.#listens = { north, south };
		this.#ahead = { north: 0, south: 0, ...options.ahead };
		this.internet = new Internet(this.#listens, () => this.names);
	}

	/** Where a node listens. */
	at(provider: Provider): At {
		return this.#listens[provider];
	}

	get names(): NameServer {
		if (!this.#names) throw new Error("The pair is not open");
		return this.#names;
	}

	async #open(): Promise<void> {
		const { port, fronts } = await this.internet.open();
		this.port = port;
		const keys = providers.map((name) => ({ name, secret: randomBytes(32).toString("base64") }));
		this.#names = await openNameServer({
			...{ zone: "localhost", file: join(this.folder, "zone.json"), port: 0, keys, now: Date.now },
			...(this.#options.machines && { host: this.#options.machines.north.names }),
			records: providers.map((name) => ({ type: "A", name: `${name}.localhost`, value: "127.0.0.1", ttl: 60 })),
		});
		for (const { name, secret } of keys) {
			mkdirSync(this.folderOf(name), { recursive: true });
			writeFileSync(join(this.folderOf(name), "tsig.key"), `${secret}\n`, { mode: 0o600 });
			writeFileSync(this.#configOf(name), this.#toml(name, fronts[name]));
		}
		await Promise.all(providers.map((provider) => this.start(provider)));
	}

	folderOf(provider: Provider): string {
		return this.#options.folders?.[provider] ?? join(this.folder, provider);
	}

	#configOf(provider: Provider): string {
		return join(this.folder, `${provider}.toml`);
	}

	#toml(provider: Provider, front: number): string {
		const machine = this.#options.machines?.[provider];
		const { host, port } = this.#listens[provider];
		return `
provider.name = "${provider === "north" ? "North" : "South"}"
web.url = "${this.panel(provider)}"
web.listen = "${host}:${port}"
web.trust_proxy = true
state.folder = "${this.folderOf(provider)}"
state.cache = "${join(root, ".cache/services")}"
services.origin = "http://{host}:${this.port}"
services.front = "${machine ? this.panel(provider) : `http://127.0.0.1:${front}`}"
services.addresses = ${machine ? `["${machine.address}"]` : "[]"}
migrations.freeze_seconds = ${this.#options.freezeSeconds ?? 900}
zone.name = "localhost"
zone.server = "${machine?.names ?? "127.0.0.1"}:${this.names.port}"
zone.key_name = "${provider}"
engine.first_port = ${ports[provider][0]}
engine.last_port = ${ports[provider][1]}
demo.mailbox = "http://mail.localhost/"
${this.#options.settings?.[provider] ?? ""}`;
	}

	/** Starts a node, again after `kill`; resolves when it answers. */
	async start(provider: Provider): Promise<void> {
		const log = openSync(this.logOf(provider), "a");
		const program = join(import.meta.dirname, "serve-at.ts");
		const enter = this.#options.machines?.[provider].enter ?? [];
		const { recipes } = this.#options;
		const kitchen = recipes ? [JSON.stringify({ file: recipes.file, given: recipes.given[provider] })] : [];
		const how = [this.#configOf(provider), String(this.#ahead[provider]), ...kitchen];
		const args = [...enter, process.execPath, program, ...how];
		const child = spawn(args[0] ?? "", args.slice(1), {
			cwd: this.folder,
			// As boot.mjs has it.
			env: { ...process.env, MALLOC_ARENA_MAX: "2", ...this.#options.environments?.[provider] },
			stdio: ["ignore", log, log, "ipc"],
		});
		closeSync(log);
		this.#children[provider] = child;
		const ready = Promise.withResolvers<void>();
		child.on("message", () => ready.resolve());
		child.once("exit", (code) => ready.reject(new Error(`${provider} ended with ${code}:\n${this.log(provider)}`)));
		await ready.promise;
	}

	logOf(provider: Provider): string {
		return join(this.folder, `${provider}.log`);
	}

	/** The end of what a node has logged. */
	log(provider: Provider, length = 4000): string {
		return readFileSync(this.logOf(provider), "utf8").slice(-length);
	}

	/** Shows what happened, for whoever reads why a test failed. */
	tell(): void {
		const said = this.internet.seen.map(({ to, kind, sid }) => `${sid?.slice(0, 4) ?? "    "} → ${to} ${kind}`);
		console.error([...said, ...providers.map((provider) => this.log(provider))].join("\n"));
		for (const provider of providers)
			console.error(
				this.rows(provider, "SELECT substr(id, 1, 4) AS id, domain, talk, job, about ->> 'problem' FROM migration"),
			);
	}

	/** `kill -9`, for the node alone or with its services. */
	async kill(provider: Provider, services = false): Promise<void> {
		const child = this.#children[provider];
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, "exit");
		child.kill("SIGKILL");
		if (services) for (const pid of await this.services(provider)) end(pid);
		await gone;
	}

	/** Lets a node's clock jump; also what it starts with next time. */
	setClock(provider: Provider, ahead: number): void {
		this.#ahead[provider] = ahead;
		const child = this.#children[provider];
		if (child?.connected) child.send({ ahead });
	}

	/** Megabytes that a node's process holds. */
	memory(provider: Provider): number {
		const status = readFileSync(`/proc/${this.#children[provider]?.pid}/status`, "utf8");
		return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000;
	}

	panel(provider: Provider): string {
		const { host, port } = this.#listens[provider];
		return this.#options.machines ? `http://${host}:${port}` : `http://${provider}.localhost:${this.port}`;
	}

	async voucher(provider: Provider): Promise<string> {
		const node = runningNode(join(this.folderOf(provider), "node.sock"));
		const { code } = await node("POST /staff/vouchers", { body: { days: 365, note: "" } });
		return code;
	}

	async customer(provider: Provider, name: string): Promise<Person> {
		const person = new Person(this.panel(provider));
		const email = `${name}@${provider}.example`;
		const voucher = await this.voucher(provider);
		await person.api("POST /sign-up", { body: { voucher, email, password: `${name} has a long password`, name } });
		return person;
	}

	/** Lets a customer have one more deployment. */
	async allow(provider: Provider, person: Person): Promise<void> {
		await person.api("POST /me/entitlements", { body: { voucher: await this.voucher(provider) } });
	}

	/** What a node has in its tables, read beside it. */
	rows<Row>(provider: Provider, sql: string): Row[] {
		const database = new Database(join(this.folderOf(provider), "node.sqlite"));
		try {
			return database.all<Row>(sql);
		} finally {
			database.close();
		}
	}

	/** Whether a node itself answers for a service's host; what it would hand on to the other one does not count. */
	servesItself(provider: Provider, host: string): Promise<boolean> {
		const via = providers.map((name) => `1.1 ${new URL(this.panel(name)).host}`).join(", ");
		const { promise, resolve } = Promise.withResolvers<boolean>();
		const headers = { host: `${host}:${this.port}`, via };
		const asked = ask({ ...this.#listens[provider], path: "/", headers }, (answer) => {
			answer.resume();
			resolve(answer.statusCode === 200);
		});
		asked.once("error", () => resolve(false)).end();
		return promise;
	}

	/** The processes of a node's services. */
	async services(provider: Provider): Promise<number[]> {
		const [node] = this.rows<{ id: string }>(provider, "SELECT id FROM node");
		const all = await processTable();
		return all.filter(({ unit }) => node && unit?.startsWith(`${node.id}/`)).map(({ pid }) => pid);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const provider of providers) if (this.#children[provider]) await this.kill(provider, true);
		await this.internet.close();
		await this.#names?.close();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

async function at(provider: Provider, { machines }: PairOptions): Promise<At> {
	return { host: machines?.[provider].address ?? "127.0.0.1", port: await freePort() };
}

function end(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It is gone already.
	}
}
