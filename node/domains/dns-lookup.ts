import { getServers } from "node:dns";
import { NoAnswer, type Patience, patience, type Server, serverAt } from "./exchange.ts";
import type { Lookup, Said } from "./lookup.ts";
import type { NameServer } from "./name-servers.ts";
import type { DnsRecord } from "./zone.ts";

export interface DnsLookupOptions {
	/** Resolvers, `address:port`; none: the system's. */
	readonly resolvers: readonly string[];
	readonly now: () => number;
	/** Where authoritative servers listen. Default: 53. */
	readonly port?: number;
	/** Whether an authoritative server may have an address on this machine or in private networks. Default: no. */
	readonly anywhere?: boolean;
	readonly patience?: Patience;
}

/** More addresses of one server are not tried. */
const mostAddresses = 2;
/** Panels that are open ask every few seconds; one round of questions serves them all. */
const answersKept = 3_000;
const serversKept = 30_000;
const mostKept = 2_000;

/** Asks the authoritative servers themselves, so that no cache on the way hides what somebody has just changed. */
export class DnsLookup implements Lookup {
	readonly #resolvers: readonly Server[];
	readonly #port: number;
	readonly #anywhere: boolean;
	readonly #patience: Patience;
	readonly #now: () => number;
	readonly #answers: Kept<readonly Said[]>;
	readonly #servers: Kept<NameServer[]>;

	constructor({ resolvers, now, port = 53, anywhere = false, ...options }: DnsLookupOptions) {
		this.#resolvers = (resolvers.length > 0 ? resolvers : getServers()).map(serverAt);
		this.#now = now;
		this.#port = port;
		this.#anywhere = anywhere;
		this.#patience = options.patience ?? patience;
		this.#answers = new Kept(answersKept, now);
		this.#servers = new Kept(serversKept, now);
	}

	ask(name: string, type: DnsRecord["type"]): Promise<readonly Said[]> {
		return this.#answers.get(`${type} ${name}`, async () => {
			const servers = await this.#responsible(name);
			return Promise.all(servers.map((server) => this.#hear(server, name, type)));
		});
	}

	/** What cannot be found out is not remembered: the network may be back in a moment. */
	async #responsible(name: string): Promise<NameServer[]> {
		const { nameServersOf } = await import("./name-servers.ts");
		try {
			return await this.#servers.get(name, () => nameServersOf(name, this.#resolvers, this.#patience));
		} catch (error) {
			if (error instanceof NoAnswer) return [];
			throw error;
		}
	}

	/** By its first address that answers. */
	async #hear({ name: server, addresses }: NameServer, name: string, type: DnsRecord["type"]): Promise<Said> {
		const { isPublic } = await import("./name-servers.ts");
		const usable = addresses.filter((address) => this.#anywhere || isPublic(address)).slice(0, mostAddresses);
		for (const address of usable) {
			try {
				const values = await this.#valuesAt({ address, port: this.#port }, name, type);
				return { server, at: this.#now(), values };
			} catch (error) {
				if (!(error instanceof NoAnswer)) throw error;
			}
		}
		return { server, at: this.#now(), values: null };
	}

	async #valuesAt(server: Server, name: string, type: DnsRecord["type"]): Promise<string[] | null> {
		const [{ query }, { plainValue }] = await Promise.all([import("./query.ts"), import("./wire.ts")]);
		const reply = await query(server, { name, type, recursive: false }, this.#patience);
		if (!reply.authoritative || (reply.rcode !== "NOERROR" && reply.rcode !== "NXDOMAIN")) return null;
		const own = reply.answers.filter((answer) => answer.type === type && answer.name.toLowerCase() === name);
		return own.map((answer) => plainValue(type, "data" in answer ? answer.data : ""));
	}
}

/** Remembers answers for a while, and those that are still under way; the oldest goes when it is full. */
class Kept<Value> {
	readonly #milliseconds: number;
	readonly #now: () => number;
	readonly #entries = new Map<string, { since: number; value: Promise<Value> }>();

	constructor(milliseconds: number, now: () => number) {
		this.#milliseconds = milliseconds;
		this.#now = now;
	}

	get(key: string, make: () => Promise<Value>): Promise<Value> {
		const known = this.#entries.get(key);
		const age = this.#now() - (known?.since ?? 0);
		if (known && age >= 0 && age < this.#milliseconds) return known.value;
		const value = make();
		this.#entries.delete(key);
		this.#entries.set(key, { since: this.#now(), value });
		value.catch(() => this.#entries.delete(key));
		const [oldest] = this.#entries.keys();
		if (this.#entries.size > mostKept && oldest !== undefined) this.#entries.delete(oldest);
		return value;
	}
}
