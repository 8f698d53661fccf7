import { digest } from "#protocol/migration/canonical.ts";
import { begin, canAbort, drop, hear, isOver, say, type Talk, type Word } from "#protocol/migration/conversation.ts";
import type { Content, Kind, Message, Side } from "#protocol/migration/messages.ts";
import { Problem, type ProblemCode } from "#protocol/problem.ts";
import { Bell } from "../jobs/bell.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import { type About, other, type Said, type Session } from "./session.ts";
import { type Links, Transcript } from "./transcript.ts";

/** A message from the other node whose signatures hold. */
export interface Received extends Links {
	readonly digest: string;
	readonly document: object;
	readonly message: Message;
}

export interface SessionParts {
	readonly db: Database;
	readonly now: () => number;
	/** Writes and signs a message of ours; answers the document and its digest. */
	write(session: Session, links: Links, message: Message): Promise<{ document: object; digest: string }>;
}

/** Draws a message's conclusions, in the transaction that writes it down. */
export type Listener = (session: Session, message: Message) => void;

interface Row {
	id: string;
	side: Side;
	customer: string;
	talk: string;
	about: string;
	domain: string | null;
	deployment: string | null;
	job: string | null;
	token_hash: string | null;
	expires_at: number | null;
	revoked_at: number | null;
	created_at: number;
	frozen_at: number | null;
	thawed_at: number | null;
	handed_at: number | null;
	ended_at: number | null;
	erased_at: number | null;
	deferred: number;
	forwarded: number;
}

/** What may be changed besides the conversation itself. */
export type Change = Partial<
	Pick<Session, "domain" | "deployment" | "job" | "expiresAt" | "revokedAt" | "frozenAt" | "thawedAt" | "handedAt"> &
		Pick<Session, "endedAt" | "erasedAt"> & { about: About }
>;

const columns: Record<Exclude<keyof Change, "about">, string> = {
	...{ domain: "domain", deployment: "deployment", job: "job", expiresAt: "expires_at", revokedAt: "revoked_at" },
	...{
		frozenAt: "frozen_at",
		thawedAt: "thawed_at",
		handedAt: "handed_at",
		endedAt: "ended_at",
		erasedAt: "erased_at",
	},
};

/**
 * All migrations of this node, either side: what was said and heard, and where each stands. A message, the state it
 * leads to and what follows from it are written in one transaction, so every message counts exactly once.
 */
export class Sessions {
	readonly bell: Bell;
	readonly transcript: Transcript;
	readonly #parts: SessionParts;
	readonly #listeners: Listener[] = [];

	constructor(parts: SessionParts) {
		this.#parts = parts;
		this.bell = new Bell(parts.db);
		this.transcript = new Transcript(parts.db);
	}

	/** Hears of every message from another node. */
	onHear(listener: Listener): void {
		this.#listeners.push(listener);
	}

	/** Writes down a new side of a migration. */
	open(begun: Pick<Session, "id" | "side" | "customer" | "about"> & Change & { tokenHash?: string }): Session {
		const { id, side, customer, about, tokenHash = null, ...change } = begun;
		this.#parts.db.run(
			`INSERT INTO migration (id, side, customer, talk, about, token_hash, created_at)
			 VALUES ($id, $side, $customer, $talk, $about, $tokenHash, $now)`,
			{
				...{ id, side, customer, tokenHash, about: JSON.stringify(about), now: this.#parts.now() },
				talk: JSON.stringify(begin(side)),
			},
		);
		this.change(id, change);
		return this.known(id);
	}

	find(id: string): Session | undefined {
		const row = this.#parts.db.get<Row>("SELECT * FROM migration WHERE id = $id", { id });
		return row && sessionOf(row);
	}

	/** One that must be there. */
	known(id: string): Session {
		const found = this.find(id);
		if (!found) throw new Error(`There is no migration ${id}`);
		return found;
	}

	/** One of this customer's; somebody else's is `not-found` like one that never was. */
	get(customer: string, id: string): Session {
		const found = this.find(id);
		if (!found || found.customer !== customer) throw new Problem("not-found");
		return found;
	}

	/** The last one that has to do with a deployment. */
	ofDeployment(deployment: string): Session | undefined {
		const sql = "SELECT * FROM migration WHERE deployment = $deployment ORDER BY created_at DESC, rowid DESC LIMIT 1";
		const row = this.#parts.db.get<Row>(sql, { deployment });
		return row && sessionOf(row);
	}

	/** One side's sessions of a customer, newest first. */
	page(customer: string, side: Side, ask: PageAsk) {
		const sql = `SELECT * FROM migration WHERE customer = $customer AND side = $side AND (created_at, id) < ($at, $id)
			ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#parts.db.all<Row>(sql, { ...bounds, customer, side }), sessionOf);
	}

	/** All of one side that have not ended. */
	underWay(side: Side): Session[] {
		const sql = "SELECT * FROM migration WHERE side = $side AND ended_at IS NULL";
		return this.#parts.db.all<Row>(sql, { side }).map(sessionOf);
	}

	/** The source sides whose deployments others serve by now, and whose copy is still here. */
	away(): Session[] {
		const sql = "SELECT * FROM migration WHERE side = 'source' AND handed_at IS NOT NULL AND erased_at IS NULL";
		return this.#parts.db.all<Row>(sql).map(sessionOf);
	}

	tokenHash(id: string): string | undefined {
		const sql = "SELECT token_hash FROM migration WHERE id = $id";
		return this.#parts.db.get<Pick<Row, "token_hash">>(sql, { id })?.token_hash ?? undefined;
	}

	change(id: string, { about, ...change }: Change): void {
		const { db } = this.#parts;
		db.transaction(() => {
			if (about)
				db.run("UPDATE migration SET about = $about WHERE id = $id", {
					...{ id, about: JSON.stringify({ ...this.known(id).about, ...about }) },
				});
			for (const [name, value] of Object.entries(change) as [keyof typeof columns, string | number | null][])
				db.run(`UPDATE migration SET ${columns[name]} = $value WHERE id = $id`, { id, value });
		});
		this.bell.ring(id);
	}

	/** Adds to the account of requests that came here for a deployment that rested or has moved. */
	count(id: string, deferred: number, forwarded: number): void {
		this.#parts.db.run(
			"UPDATE migration SET deferred = deferred + $deferred, forwarded = forwarded + $forwarded WHERE id = $id",
			{ id, deferred, forwarded },
		);
	}

	/**
	 * Says something to the other node: written down with the state it leads to and with `also`, then sent until it has
	 * arrived. Throws `migration-over` when it can no longer be said.
	 */
	async say(id: string, message: Message, also: () => void = () => {}): Promise<void> {
		const { db, now } = this.#parts;
		const word = wordOf(message);
		for (;;) {
			const session = this.known(id);
			const links = this.transcript.next(session);
			if (session.about.past && !isEnd(message)) throw this.#unsayable(session, message.kind);
			if (!say(session.side, session.talk, word)) throw this.#unsayable(session, message.kind);
			const { document, digest: signed } = await this.#parts.write(session, links, message);
			const written = db.transaction(() => {
				const current = this.known(id);
				// Something was said or heard while we signed: what we wrote would not be true of it.
				if (JSON.stringify(this.transcript.next(current)) !== JSON.stringify(links)) return false;
				const talk = say(current.side, current.talk, word);
				if (!talk) throw this.#unsayable(current, message.kind);
				const said = { side: session.side, seq: links.seq, kind: message.kind, digest: signed, document, at: now() };
				this.#write(id, talk, { ...said, content: message.content }, null);
				also();
				return true;
			});
			if (written) return;
		}
	}

	/**
	 * Calls the migration off, as far as this side still can; afterwards it is over, or it was too late. A session that
	 * the other node does not know of ends without a word.
	 */
	async callOff(id: string, detail: string, code = "cancelled"): Promise<void> {
		const { side, talk } = this.known(id);
		const dropped = drop(side, talk);
		if (dropped)
			this.#parts.db.run("UPDATE migration SET talk = $talk WHERE id = $id", { id, talk: JSON.stringify(dropped) });
		else if (canAbort(side, talk.state))
			await this.say(
				id,
				side === "source"
					? { kind: "withdraw", content: { code, detail } }
					: { kind: "reject", content: { code, detail, params: {} } },
			);
		if (isOver(side, this.known(id).talk.state)) this.change(id, { endedAt: this.#parts.now() });
	}

	/**
	 * Hears a message whose signatures hold. The same one again changes nothing. Throws `message-early` when one before it
	 * is missing, `message-wrong` when it can never come, and `migration-broken` when another one came in its place before.
	 */
	hear(id: string, received: Received, also: () => void = () => {}): void {
		const { db, now } = this.#parts;
		const word = wordOf(received.message);
		const { seq, document, message } = received;
		const isBroken = db.transaction(() => {
			const session = this.known(id);
			const { past, problem } = session.about;
			// It may come again once it is clear what this node has forgotten.
			if (past)
				throw problem
					? new Problem(problem.code as ProblemCode, problem.params)
					: new Problem("message-early", { seq });
			const from = other(session.side);
			const known = this.transcript.at(id, from, seq);
			if (known) return known.digest !== received.digest && this.#break(session);
			this.#checkLinks(session, received);
			const heard = hear(session.side, session.talk, word);
			if (!heard) throw new Problem("message-wrong", { kind: message.kind, state: session.talk.state });
			const talk = heard === "late" ? session.talk : heard;
			const said = {
				side: from,
				seq,
				kind: message.kind,
				digest: received.digest,
				document,
				content: message.content,
				at: now(),
			};
			this.#write(id, talk, said, now());
			also();
			if (heard !== "late") for (const listener of this.#listeners) listener(this.known(id), message);
			return false;
		});
		// Thrown after the transaction: that it broke must be written down.
		if (isBroken) throw new Problem("migration-broken", { origin: this.known(id).about.peer?.origin ?? "" });
	}

	/** What a side last said of a kind. */
	last<K extends Kind>(id: string, side: Side, kind: K): Content<K> | undefined {
		return this.transcript.last(id, side, kind);
	}

	/** All that a side said of a kind, in order. */
	all<K extends Kind>(id: string, side: Side, kind: K): Content<K>[] {
		return this.transcript.all(id, side, kind);
	}

	/** One of our messages has arrived. */
	acknowledge(id: string, seq: number): void {
		this.transcript.acknowledge(id, seq, this.#parts.now());
		this.bell.ring(id);
	}

	/** The other node will never take what we said: what waits for it hears of that, and nothing more is sent. */
	fail(id: string, { code, message: detail, params }: Problem): void {
		this.#parts.db.transaction(() => {
			this.change(id, { about: { problem: { code, detail, params } } });
			this.transcript.giveUp(id);
		});
	}

	/**
	 * We have said what we do not know: nothing that waits is sent any more, and the next thing we say follows on what is
	 * shown to us here.
	 */
	lose(id: string, shown: Said): void {
		this.#parts.db.transaction(() => {
			this.transcript.giveUp(id);
			if (!this.transcript.at(id, shown.side, shown.seq)) this.transcript.add(id, shown, shown.at);
			this.change(id, { about: { past: "lost" } });
		});
	}

	/** Waits until `look` finds something. Throws what ended the session, or the signal's reason. */
	async until<Found>(id: string, signal: AbortSignal, look: (session: Session) => Found | undefined): Promise<Found> {
		const watch = this.bell.watch(id, signal);
		try {
			for (;;) {
				signal.throwIfAborted();
				const session = this.known(id);
				this.checkOpen(session);
				const found = look(session);
				if (found !== undefined) return found;
				await watch.rung();
			}
		} finally {
			watch.close();
		}
	}

	/** Aborted, with what ended it, when the session ends from the other side while `signal` is not; also when it no longer `holds`. */
	whileOpen(
		id: string,
		signal: AbortSignal,
		holds: (session: Session) => boolean = () => true,
	): { signal: AbortSignal; close(): void } {
		const ended = new AbortController();
		const closing = new AbortController();
		const over = (session: Session) => (holds(session) ? undefined : new Problem("cancelled"));
		this.until(id, AbortSignal.any([signal, closing.signal]), over)
			.catch((error) => error)
			.then((reason) => ended.abort(reason));
		return { signal: AbortSignal.any([signal, ended.signal]), close: () => closing.abort(new Problem("cancelled")) };
	}

	/** Throws why a session came to an end before it was done. */
	checkOpen(session: Session): void {
		const { about, id, side, talk } = session;
		const provider = about.peer?.provider ?? "";
		// Once the source has handed over, only the target's word counts, whatever else the two of them have said.
		const isGiven = talk.state === "done" || (side === "source" && talk.state === "committed");
		if (about.problem && !isGiven) throw new Problem(about.problem.code as ProblemCode, about.problem.params);
		if (side === "source" && (talk.state === "refused" || talk.state === "taken-back"))
			throw new Problem("migration-refused", { provider, reason: this.last(id, "target", "reject")?.detail ?? "" });
		if (side === "target" && talk.state === "withdrawn")
			throw new Problem("migration-withdrawn", { provider, reason: this.last(id, "source", "withdraw")?.detail ?? "" });
		if (isOver(side, talk.state) && talk.state !== "closed" && talk.state !== "erased")
			throw new Problem("migration-over");
	}

	#unsayable(session: Session, kind: string): Error {
		this.checkOpen(session);
		return new Error(`${kind} cannot be said by the ${session.side} of a migration that is ${session.talk.state}`);
	}

	#checkLinks(session: Session, { seq, prev, heard }: Received): void {
		const before = this.transcript.latest(session.id, other(session.side));
		if (seq > (before?.seq ?? 0) + 1) throw new Problem("message-early", { seq });
		const isKnown = heard === null || this.transcript.has(session.id, session.side, heard);
		if (prev !== (before?.digest ?? null) || !isKnown)
			throw new Problem("message-wrong", { kind: "chain", state: session.talk.state });
	}

	/** Two messages in one place of a chain: nothing of that node can be believed in this session any more. */
	#break({ id, about }: Session): true {
		const origin = about.peer?.origin ?? "";
		const problem = new Problem("migration-broken", { origin });
		this.change(id, { about: { problem: { code: problem.code, detail: problem.message, params: problem.params } } });
		return true;
	}

	#write(id: string, talk: Talk, said: Said, acknowledgedAt: number | null): void {
		this.transcript.add(id, said, acknowledgedAt);
		this.#parts.db.run("UPDATE migration SET talk = $talk WHERE id = $id", { id, talk: JSON.stringify(talk) });
		this.bell.ring(id);
	}
}

const isEnd = ({ kind }: Message) => kind === "withdraw" || kind === "reject";

function wordOf(message: Message): Word {
	return message.kind === "manifest" ? { ...message, digest: digest(message.content) } : message;
}

function sessionOf(row: Row): Session {
	return {
		id: row.id,
		side: row.side,
		customer: row.customer,
		talk: JSON.parse(row.talk),
		about: JSON.parse(row.about),
		domain: row.domain,
		deployment: row.deployment,
		job: row.job,
		expiresAt: row.expires_at,
		revokedAt: row.revoked_at,
		createdAt: row.created_at,
		frozenAt: row.frozen_at,
		thawedAt: row.thawed_at,
		handedAt: row.handed_at,
		endedAt: row.ended_at,
		erasedAt: row.erased_at,
		deferred: row.deferred,
		forwarded: row.forwarded,
	};
}
