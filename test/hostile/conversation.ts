/** What a fake node says in one migration, up to any point, and what it has heard. */
import { type Activity, type Head, signActivity } from "#protocol/migration/activity.ts";
import { canonical, digest } from "#protocol/migration/canonical.ts";
import type { Content, Kind, Message, Side } from "#protocol/migration/messages.ts";
import type { Signer } from "#protocol/migration/multikey.ts";
import { addProof } from "#protocol/migration/proof.ts";
import type { Answer, FakeNode, Handler } from "./fake-node.ts";

/** A message of the honest node. */
export interface Heard {
	readonly kind: Kind;
	readonly content: unknown;
	readonly digest: string;
	readonly body: Buffer;
}

type Document = Record<string, unknown> & { object: { content: string }; published: string };

/** Members to be put into an activity before it is signed, be they known or not. */
export interface Change {
	document?(document: Record<string, unknown>): object;
	payload?(payload: Record<string, unknown>): object;
}

export class Conversation {
	readonly said: Activity[] = [];
	readonly heard: Heard[] = [];
	readonly sid: string;
	readonly side: Side;
	readonly node: FakeNode;
	/** The honest node's. */
	readonly peer: string;

	constructor(node: FakeNode, side: Side, sid: string, peer: string) {
		[this.node, this.side, this.sid, this.peer] = [node, side, sid, peer];
		this.on("POST", "", ({ body }) => {
			this.take(body);
			return { status: 204 };
		});
		this.on("GET", "/heard", () => {
			const last = this.heard.at(-1);
			return { body: { heard: last ? JSON.parse(last.body.toString()) : null } };
		});
		this.on("PUT", "/progress", () => ({ status: 204 }));
	}

	/** How requests below the session's address are answered. */
	on(method: string, below: string, handler: Handler): void {
		this.node.handlers.set(`${method} /migrate/${this.sid}${below}`, handler);
	}

	/** Keeps a message of the honest node, as often as it comes. */
	take(body: Buffer): Heard {
		const known = this.heard.find((one) => one.body.equals(body));
		if (known) return known;
		const { object } = JSON.parse(body.toString()) as { object: { content: string } };
		const { kind, content } = JSON.parse(object.content) as Pick<Heard, "kind" | "content">;
		const heard = { kind, content, digest: digest(body), body };
		this.heard.push(heard);
		return heard;
	}

	get door(): string {
		return `${this.peer}/migrate/${this.sid}`;
	}

	head(): Head {
		const published = Math.floor(Date.now() / 1000) * 1000;
		const { sid, said, heard, node, peer } = this;
		const links = { seq: said.length + 1, prev: said.at(-1)?.digest ?? null, heard: heard.at(-1)?.digest ?? null };
		return { sid, ...links, from: node.actor, to: `${peer}/actor`, published };
	}

	/** A message as it should be, or with another head. */
	write(message: Message, head: Partial<Head> = {}, signer: Signer = this.node.keys): Promise<Activity> {
		return signActivity({ ...this.head(), ...head }, message, signer);
	}

	/** The same activity with something changed, signed again. */
	async forged(activity: Activity, change: Change, signer: Signer = this.node.keys): Promise<Activity> {
		const { proof: _, ...document } = structuredClone(activity.document) as unknown as Document & { proof: unknown };
		const payload = JSON.parse(document.object.content) as Record<string, unknown>;
		document.object.content = canonical({ ...payload, ...change.payload?.(payload) });
		Object.assign(document, change.document?.(document));
		const published = Date.parse(String(document.published));
		const times = { created: published, expires: published + 86_400_000 };
		const signed = (await addProof(document as never, signer, times)) as unknown as Activity["document"];
		const text = canonical(signed);
		return { document: signed, text, digest: digest(new TextEncoder().encode(text)) };
	}

	post(activity: Pick<Activity, "text">): Promise<Answer> {
		return this.node.send({ target: this.door, body: activity.text });
	}

	/** Says what comes next, and remembers it if it was taken. */
	async say(message: Message): Promise<Answer> {
		const activity = await this.write(message);
		const answer = await this.post(activity);
		if (answer.status === 204) this.said.push(activity);
		return answer;
	}

	/** What the honest node last said of a kind. */
	last<K extends Kind>(kind: K): Content<K> | undefined {
		return this.heard.findLast((one) => one.kind === kind)?.content as Content<K> | undefined;
	}

	/** Waits until the honest node has said it, the first time or the n-th. */
	async until<K extends Kind>(kind: K, times = 1): Promise<Content<K>> {
		for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) {
			const found = this.heard.filter((one) => one.kind === kind);
			if (found.length >= times) return found[times - 1]?.content as Content<K>;
		}
		throw new Error(`It never said ${kind}, but ${this.heard.map((one) => one.kind).join(", ") || "nothing"}`);
	}
}
