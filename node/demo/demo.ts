import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { reachable } from "../config.ts";
import { freePort, isFree } from "../engines/local/ports.ts";
import { startOf } from "../engines/local/process-table.ts";
import { Gateway } from "../gateway/gateway.ts";
import { frontDoor } from "./front-door.ts";
import { endAll, endNodes, killAll } from "./leftovers.ts";
import { openMailbox } from "./mailbox.ts";
import { type NameServer, openNameServer } from "./name-server.ts";
import { NodeProcess } from "./node-process.ts";
import { mailRoom } from "./page/mailbox-page.ts";
import { reception } from "./page/reception.ts";
import { openPort, usualPort } from "./port.ts";
import { type DemoProvider, hostOf, mailHost, nodeToml, providers, type Surroundings, zoneName } from "./providers.ts";
import type { DemoState } from "./state.ts";
import { unusedVoucher } from "./vouchers.ts";

const root = join(import.meta.dirname, "../..");

const serving = (configFile: string) =>
	[process.execPath, join(root, "node/main.ts"), "serve", "--config", configFile] as const;

export interface DemoOptions {
	readonly state: DemoState;
	/** Which port the front door shall have, if it has none yet. */
	readonly port: number | undefined;
	/** Erase what was there. */
	readonly fresh: boolean;
	readonly environment: NodeJS.ProcessEnv;
	/** The program that is a node, given its configuration; by default this one's `serve`. */
	readonly node?: (configFile: string) => readonly [string, ...string[]];
	/** What happens, for the person in front. */
	readonly tell: (message: string) => void;
}

/** Two providers, the zone between them, the mailbox and the front door, as one thing that opens and closes. */
export class Demo {
	readonly #options: DemoOptions;
	readonly #nodes: readonly NodeProcess[];
	readonly #closing = new AsyncDisposableStack();
	readonly #abort = new AbortController();
	#opening: Promise<void> | undefined;
	readonly #reception: ReturnType<typeof reception>;
	#mailRoom: ReturnType<typeof mailRoom> | undefined;
	#names: NameServer | undefined;
	#port = 0;

	constructor(options: DemoOptions) {
		this.#options = options;
		this.#nodes = providers.map((provider) => this.#nodeOf(provider));
		this.#reception = reception({ id: options.state.id, world: () => this.#world() });
	}

	/** Opens everything, the front door first: whoever comes too early is told that it is starting. */
	open(): Promise<void> {
		this.#opening = this.#open();
		return this.#opening;
	}

	async #open(): Promise<void> {
		const { state, fresh } = this.#options;
		if (fresh) await this.#beginAnew();
		await this.#openDoor();
		await endNodes(state);
		this.#abort.signal.throwIfAborted();
		await this.#configure();
		this.#abort.signal.throwIfAborted();
		await Promise.all(this.#nodes.map((node) => node.start()));
	}

	/** An unused voucher of each provider, in their order. */
	vouchers(): Promise<string[]> {
		return Promise.all(providers.map((provider) => this.#voucher(provider)));
	}

	get address(): string {
		return this.#addressOf(zoneName);
	}

	/** Asked for when it is needed: the port is known only once the door is open. */
	get #about() {
		const address = () => this.address;
		return {
			provider: "Fediversity",
			get panel() {
				return address();
			},
		};
	}

	get panels(): string[] {
		return providers.map((provider) => this.#addressOf(hostOf(provider)));
	}

	get mailbox(): string {
		return this.#addressOf(mailHost);
	}

	/** Stops everything in order: the nodes with their services, then what they used, the front door last. */
	async close(): Promise<void> {
		this.#abort.abort();
		await Promise.all(this.#nodes.map((node) => node.stop()));
		await this.#opening?.catch(() => {});
		await this.#closing.disposeAsync();
	}

	/** Ends the nodes and their services on the spot; the next start mends what that breaks. */
	async kill(): Promise<void> {
		this.#abort.abort();
		for (const node of this.#nodes) node.kill();
		await killAll(this.#options.state);
	}

	async #beginAnew(): Promise<void> {
		const { state, tell } = this.#options;
		tell("Ending what still runs and erasing what was there …");
		await endAll(state);
		state.erase();
	}

	async #openDoor(): Promise<void> {
		const { state, port = usualPort, tell } = this.#options;
		const isFirst = state.remembered === undefined;
		const gateway = new Gateway({
			find: frontDoor({
				lookup: (name) => this.#names?.lookup(name) ?? [],
				portOf: (key) => this.#nodes[providers.findIndex((provider) => provider.key === key)]?.port,
			}),
			panel: (request, response) => this.#receive(request, response),
			about: this.#about,
			trustProxy: false,
			// Everybody is this machine, and everything goes on to two nodes.
			limits: { connectionsPerClient: 0, connectionsPerService: 10_000 },
		});
		this.#port = await openPort(state, this.#options.port, (port) => gateway.listen({ host: "127.0.0.1", port }));
		this.#closing.defer(() => gateway.close(1000));
		if (isFirst && this.#port !== port) tell(`Port ${port} is in use by another program; taking ${this.#port}.`);
		state.remember({ port: this.#port, supervisor: { pid: process.pid, started: await startOf(process.pid) } });
	}

	async #configure(): Promise<void> {
		const { state } = this.#options;
		const names = await openNameServer({
			zone: zoneName,
			file: state.zoneFile,
			port: 0,
			keys: providers.map((provider) => ({ name: provider.key, secret: state.tsigKeyOf(provider) })),
			records: providers.map((provider) => ({ type: "A", name: hostOf(provider), value: "127.0.0.1", ttl: 60 })),
			now: Date.now,
		});
		this.#closing.defer(() => names.close());
		this.#names = names;
		const mailbox = await openMailbox({ file: state.mailFile, now: Date.now });
		this.#closing.defer(() => mailbox.close());
		this.#mailRoom = mailRoom({ mailbox, home: this.address });
		const surroundings: Omit<Surroundings, "listen"> = {
			port: this.#port,
			nameServer: names.port,
			mailServer: mailbox.port,
			cache: join(root, ".cache/services"),
		};
		for (const provider of providers) {
			const listen = await this.#listenOf(provider);
			writeFileSync(state.configOf(provider), nodeToml(provider, { ...surroundings, listen }));
		}
	}

	/** The same at every start, unless another program has taken it meanwhile. */
	async #listenOf({ key, doors }: DemoProvider): Promise<number> {
		const { state } = this.#options;
		const listens = state.remembered?.listens ?? {};
		const known = listens[key];
		if (known !== undefined && (await isFree(known))) return known;
		const port = await freePort(doors, new Set(), `${state.id}/${key}/${known ?? ""}`);
		state.remember({ listens: { ...listens, [key]: port } });
		return port;
	}

	#nodeOf(provider: DemoProvider): NodeProcess {
		const { state, environment, tell, node = serving } = this.#options;
		// What is set for a node of the user's own must not reach these two.
		const own = Object.entries(environment).filter(([name]) => !name.startsWith("FEDIVERSITY_"));
		return new NodeProcess({
			name: provider.name,
			command: node(state.configOf(provider)),
			unit: `${state.id}/${provider.key}`,
			environment: Object.fromEntries(own),
			logFile: state.logOf(provider),
			tell,
		});
	}

	/** What arrives for the demo itself: its page, and the mailbox's. */
	async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const isMail = request.headers.host?.startsWith(`${mailHost}:`);
		if (!isMail) await this.#reception(request, response);
		else if (this.#mailRoom) this.#mailRoom(request, response);
		else response.writeHead(503, { "retry-after": "2" }).end("The mailbox is being opened\n");
	}

	async #world() {
		const { state } = this.#options;
		const ready = providers.map((_, at) => this.#nodes[at]?.port !== undefined);
		const seen = providers.map(async (provider, at) => ({
			...provider,
			panel: this.#addressOf(hostOf(provider)),
			voucher: ready[at] ? await this.#voucher(provider).catch(() => undefined) : undefined,
		}));
		return {
			port: this.#port,
			zone: zoneName,
			mailbox: this.mailbox,
			stateFolder: state.folder,
			providers: await Promise.all(seen),
			names: this.#customerNames(),
		};
	}

	#customerNames() {
		return (this.#names?.records() ?? [])
			.filter(({ type }) => type === "CNAME")
			.map(({ name, value }) => ({
				host: name,
				provider: providers.find((one) => hostOf(one) === value)?.name ?? value,
			}));
	}

	#voucher(provider: DemoProvider): Promise<string> {
		const { state } = this.#options;
		return unusedVoucher(provider, reachable(join(state.folderOf(provider), "node.sock")), state);
	}

	#addressOf(host: string): string {
		return `http://${host}:${this.#port}/`;
	}
}
