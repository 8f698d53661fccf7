import { getLogger } from "@logtape/logtape";
import type { Database } from "../store/database.ts";
import { type Channel, type ChannelName, type Letter, NotDelivered } from "./channel.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The pause after each attempt. When they are used up, two days have gone by and the letter is given up. */
const pauses = [
	...[5 * second, 30 * second, 2 * minute, 10 * minute, 30 * minute],
	...[1 * hour, 2 * hour, 4 * hour, 8 * hour, 12 * hour, 20 * hour],
];
const longestPause = Math.max(...pauses);
/** No attempt takes longer: a server may be slow, but not keep others waiting for ever. */
const patience = minute;
/** How many letters each channel sends at once; to one address it is always one after the other. */
const atOnce: Record<ChannelName, number> = { mail: 4, webhook: 8 };

interface Due {
	seq: number;
	channel: ChannelName;
	target: string;
	attempts: number;
}

/**
 * Sends what is in the outbox until it arrives or two days have gone by. Each letter arrives at least once: what was
 * sent and not yet written down when the power failed is sent again, with the same id.
 */
export class Sender {
	readonly #database: Database;
	readonly #channels: ReadonlyMap<ChannelName, Channel>;
	readonly #now: () => number;
	/** By channel and address. */
	readonly #underWay = new Map<string, { channel: ChannelName; end: Promise<void> }>();
	readonly #closing = new AbortController();
	#started = false;
	#woken = false;
	#timer: NodeJS.Timeout | undefined;

	constructor(database: Database, channels: readonly Channel[], now: () => number = Date.now) {
		this.#database = database;
		this.#channels = new Map(channels.map((channel) => [channel.name, channel]));
		this.#now = now;
	}

	/** Whether this node can send by that channel at all. */
	has(channel: ChannelName): boolean {
		return this.#channels.has(channel);
	}

	/** Begins to send, with whatever was left when the node last ended. */
	start(): void {
		this.#started = true;
		this.wake();
	}

	/** Says that something may be due. It is looked at after the transaction that is under way. */
	wake(): void {
		if (!this.#started || this.#woken) return;
		this.#woken = true;
		setImmediate(() => this.#look());
	}

	/** Sends no more; what is under way is broken off and sent again after the next start. */
	async close(): Promise<void> {
		this.#closing.abort();
		clearTimeout(this.#timer);
		await Promise.all([...this.#underWay.values()].map(({ end }) => end));
	}

	#look() {
		this.#woken = false;
		if (this.#closing.signal.aborted) return;
		try {
			for (const due of this.#due()) this.#begin(due);
			this.#sleep();
		} catch (error) {
			log().error("What is due could not be looked up: {error}", { error });
			this.#sleepFor(minute);
		}
	}

	/** The oldest letter that is due to each address. */
	#due(): Due[] {
		const now = this.#now();
		// No pause is longer than the longest one, unless the clock was set back.
		const clock = "UPDATE delivery SET next_at = $now WHERE state = 'waiting' AND next_at > $now + $longestPause";
		this.#database.run(clock, { now, longestPause });
		return this.#database.all<Due>(
			`SELECT min(seq) AS seq, channel, target, attempts FROM delivery
			WHERE state = 'waiting' AND next_at <= $now GROUP BY channel, target ORDER BY seq`,
			{ now },
		);
	}

	/** Unless all hands are full, or this address is being sent to: then it is looked at again when that ends. */
	#begin(due: Due) {
		const channel = this.#channels.get(due.channel);
		const address = `${due.channel} ${due.target}`;
		const busy = [...this.#underWay.values()].filter((other) => other.channel === due.channel).length;
		if (!channel || this.#underWay.has(address) || busy >= atOnce[due.channel]) return;
		this.#claim(due);
		const end = this.#attempt(channel, due)
			.catch((error) => log().error("Delivery {seq} could not be written down: {error}", { seq: due.seq, error }))
			.then(() => {
				this.#underWay.delete(address);
				this.wake();
			});
		this.#underWay.set(address, { channel: due.channel, end });
	}

	/** Counts the attempt before it begins, and sets the time of the next: a letter that kills the node does not do so in a loop. */
	#claim({ seq, attempts }: Due) {
		const next = this.#now() + (pauses[attempts] ?? longestPause);
		this.#database.run("UPDATE delivery SET attempts = attempts + 1, next_at = $next WHERE seq = $seq", { seq, next });
	}

	async #attempt(channel: Channel, due: Due): Promise<void> {
		try {
			await channel.send(
				letterOf(this.#database, due.seq),
				AbortSignal.any([this.#closing.signal, AbortSignal.timeout(patience)]),
			);
		} catch (error) {
			if (!this.#closing.signal.aborted) this.#failed(due, error);
			return;
		}
		const sent = "UPDATE delivery SET state = 'sent', last_error = NULL, next_at = NULL WHERE seq = $seq";
		this.#database.run(sent, { seq: due.seq });
	}

	#failed({ seq, attempts, channel }: Due, error: unknown) {
		const expected = error instanceof NotDelivered;
		const reason = expected ? error.message : "Something went wrong on our side";
		if (expected)
			log().info("Delivery {seq} by {channel}: {reason}", { seq, channel, reason, cause: String(error.cause) });
		else log().error("Delivery {seq} by {channel} failed as nobody expected: {error}", { seq, channel, error });
		const over = (expected && error.final) || attempts >= pauses.length;
		this.#database.run(
			over
				? "UPDATE delivery SET last_error = $reason, state = 'given-up', next_at = NULL WHERE seq = $seq"
				: "UPDATE delivery SET last_error = $reason WHERE seq = $seq",
			{ seq, reason },
		);
	}

	/** Until the next letter is due; but looks at the clock once a minute, since it may have been set. */
	#sleep() {
		const now = this.#now();
		const sql = "SELECT min(next_at) AS next FROM delivery WHERE state = 'waiting' AND next_at > $now";
		const next = this.#database.get<{ next: number | null }>(sql, { now })?.next ?? null;
		if (next !== null) this.#sleepFor(Math.min(next - now, minute));
	}

	#sleepFor(ms: number) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.wake(), ms).unref();
	}
}

function letterOf(database: Database, seq: number): Letter {
	const row = database.get<Omit<Letter, "params" | "customer"> & { params: string; customer: string; language: "en" }>(
		`SELECT d.id, d.target, n.id AS notice, n.kind, n.params, n.link, n.at, c.id AS customer, c.language
		FROM delivery d JOIN notice n ON n.id = d.notice JOIN customer c ON c.id = n.customer WHERE d.seq = $seq`,
		{ seq },
	);
	if (!row) throw new NotDelivered("There is nothing to send any more", { final: true });
	const { customer, language, params, ...rest } = row;
	return { ...rest, customer: { id: customer, language }, params: JSON.parse(params) };
}

function log() {
	return getLogger(["fediversity", "notices"]);
}
