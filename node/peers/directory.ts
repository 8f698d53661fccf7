import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { failureOf } from "../jobs/failure.ts";
import { type Answer, type Outside, short } from "./outside.ts";
import type { Peer, PeerKey } from "./peer.ts";
import type { Peers } from "./peers.ts";

export interface DirectoryParts {
	readonly peers: Peers;
	readonly outside: Outside;
	/** This node's own. */
	readonly origin: string;
	/** Named in the configuration. */
	readonly known: readonly string[];
	/** Whether nodes are also learnt of from customers' tokens and from other nodes. */
	readonly learn: boolean;
	readonly now: () => number;
}

/** So many are looked at at once, and so many new ones are taken from one peer's list, which has at most so many. */
const atOnce = 8;
const mostFromOne = 20;
const longestList = 200;
/** A sheet is at most 64 Ki characters long, each of at most four bytes. */
const longestSheet = 256 * 1024;
const patience = 10_000;

const log = getLogger(["fediversity", "peers"]);

/** How this node gets to know others: fetches their offer sheets, and asks them whom they know. */
export class Directory {
	readonly #parts: DirectoryParts;
	readonly #closing = new AbortController();
	#work: Promise<unknown> = Promise.resolve();

	constructor(parts: DirectoryParts) {
		this.#parts = parts;
	}

	/** Takes over what the configuration says of known nodes. */
	start(): void {
		const { peers, known, origin } = this.#parts;
		peers.configure(known.filter((one) => one !== origin));
	}

	/** Looks at those whose time has come. What fails is tried again later, less and less often. */
	async round(): Promise<void> {
		if (this.#closing.signal.aborted) return;
		const { peers, learn } = this.#parts;
		peers.forget();
		this.#work = Promise.all(peers.due("look", atOnce).map(({ origin }) => this.#tried(origin)));
		await this.#work;
		if (this.#closing.signal.aborted) return;
		this.#work = Promise.all(peers.due("ask", atOnce).map((peer) => this.#ask(peer, learn)));
		await this.#work;
	}

	/** Staff names a node: it is looked at now. Throws the `node-*` problems and `sheet-not-valid`, and then keeps nothing of a new one. */
	async add(text: string, isBlocked = false): Promise<Peer> {
		const { peers, origin: own } = this.#parts;
		const origin = await this.#origin(text);
		if (origin === own) throw new Problem("node-unfit", { origin, reason: "it is this node itself" });
		const isKnown = peers.find(origin) !== undefined;
		const { id } = this.#added(origin, "staff");
		if (isBlocked) return peers.get(id);
		try {
			await this.#look(origin);
		} catch (error) {
			if (!isKnown) peers.remove(id);
			throw error;
		}
		return peers.get(id);
	}

	/** A customer's token has led to a node, which has shown this key: from now on it is known. */
	met({ origin, keyId, key }: { origin: string; keyId: string; key: string }): void {
		const { peers, learn } = this.#parts;
		if (!learn || peers.find(origin)) return;
		if (peers.add(origin, "customer")) peers.showsKey(origin, { id: keyId, key });
	}

	/** Whom this node names to others: those with a good sheet that nobody has hidden, the last seen first. */
	named(): string[] {
		return this.#parts.peers.named(longestList);
	}

	/** Waits for what is under way; afterwards nothing is written any more. */
	async close(): Promise<void> {
		this.#closing.abort(new Problem("cancelled"));
		await this.#work;
	}

	#added(origin: string, toldBy: string): Peer {
		const peer = this.#parts.peers.add(origin, toldBy);
		if (!peer) throw new Error(`${origin} was not added`);
		return peer;
	}

	async #tried(origin: string): Promise<void> {
		try {
			await this.#look(origin);
		} catch (error) {
			if (this.#closing.signal.aborted) return;
			const { code, detail } = failureOf(error);
			if (code === "bug") log.error("Looking at {origin} failed: {error}", { origin, error });
			this.#parts.peers.failed(origin, detail);
		}
	}

	/** Fetches a node's sheet and checks it by the key that the node is known by. */
	async #look(origin: string): Promise<void> {
		const { peers, outside, now } = this.#parts;
		const [{ lookUpActor }, { verifySheet }, { verifierOf }] = await Promise.all([
			import("./actor.ts"),
			import("#protocol/migration/sheet.ts"),
			import("./keys.ts"),
		]);
		const { keyId, key } = await lookUpActor(outside, origin);
		this.#closing.signal.throwIfAborted();
		if (!peers.showsKey(origin, { id: keyId, key })) throw changed(origin, { id: keyId, key });
		const text = await this.#text(`${origin}/migrate/sheet`);
		const signed = await verifySheet(text, verifierOf(keyId, key), now());
		this.#closing.signal.throwIfAborted();
		peers.keepSheet(origin, signed);
	}

	/** Asks a peer whom it knows; those are looked at in the next rounds and asked themselves after a day. */
	async #ask({ origin }: Peer, learn: boolean): Promise<void> {
		const { peers, outside, origin: own } = this.#parts;
		try {
			const said = await outside.document(`${origin}/migrate/peers`);
			const origins = await this.#originsIn(said);
			this.#closing.signal.throwIfAborted();
			peers.asked(origin, origins.includes(own));
			const strangers = origins.filter((one) => one !== own && !peers.find(one)).slice(0, learn ? mostFromOne : 0);
			for (const one of strangers) peers.add(one, origin);
		} catch (error) {
			if (this.#closing.signal.aborted) return;
			log.info("{origin} does not say whom it knows: {error}", { origin, error });
			peers.asked(origin);
		}
	}

	/** What of a peer's answer can be the origin of a node. */
	async #originsIn(said: unknown): Promise<string[]> {
		const list = (said as { peers?: unknown } | null)?.peers;
		if (!Array.isArray(list)) return [];
		const texts = list.slice(0, longestList).filter((one) => typeof one === "string" && one.length <= 300);
		const origins = await Promise.all(texts.map((text) => this.#origin(text).catch(() => undefined)));
		return [...new Set(origins.filter((one, n) => one !== undefined && one === texts[n]))] as string[];
	}

	#origin(text: string): Promise<string> {
		return this.#parts.outside.origin(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `https://${text}`);
	}

	async #text(address: string): Promise<string> {
		const { origin } = new URL(address);
		const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(patience)]);
		let answer: Answer;
		try {
			answer = await this.#parts.outside.ask(address, { signal });
		} catch (error) {
			throw error instanceof Problem ? error : new Problem("node-silent", { origin }, { cause: error });
		}
		const text = await short(answer, longestSheet).catch((cause) => {
			throw new Problem("node-silent", { origin }, { cause });
		});
		if (answer.status === 404) throw new Problem("node-unfit", { origin, reason: "it shows no offer sheet" });
		if (answer.status !== 200) throw new Problem("node-unfit", { origin, reason: `it answered ${answer.status}` });
		return text;
	}
}

function changed(origin: string, { key }: PeerKey): Problem {
	log.warning("{origin} shows another key than before, {key}; it is not used", { origin, key });
	return new Problem("node-key-changed", { origin });
}
