import { randomUUID } from "node:crypto";
import type { Site } from "./site.ts";
import { Socket } from "./socket.ts";

/** Galene's own protocol as far as one gets without sound and pictures: https://galene.org/galene-protocol.html. */
export class GaleneClient {
	readonly id = randomUUID();
	permissions: readonly string[] = [];
	readonly #socket: Socket;

	private constructor(socket: Socket) {
		this.#socket = socket;
	}

	/** Throws what the server says if it does not let one in. */
	static async join(
		site: Pick<Site, "origin">,
		group: string,
		who: { username: string; password?: string; token?: string },
	): Promise<GaleneClient> {
		const client = new GaleneClient(await Socket.open(site, "/ws"));
		client.send({ type: "handshake", version: ["2"], id: client.id });
		client.send({ type: "join", kind: "join", group, ...who });
		const joined = await client.until("joined");
		if (joined["kind"] !== "join") {
			client.end();
			throw new Error(`not let in: ${joined["error"]} ${joined["value"]}`);
		}
		client.permissions = joined["permissions"] as string[];
		return client;
	}

	/** Makes an invitation, the token of a link, that is good for an hour. */
	async invite(group: string, leader = "alice"): Promise<string> {
		const expires = new Date(Date.now() + 3_600_000).toISOString();
		const value = { group, expires, permissions: ["present", "message"] };
		this.send({ type: "groupaction", kind: "maketoken", source: this.id, username: leader, value });
		const { error, value: made } = await this.until("usermessage");
		if (error) throw new Error(`no invitation: ${made}`);
		return (made as { token: string }).token;
	}

	send(message: Record<string, unknown>): void {
		this.#socket.send(JSON.stringify(message));
	}

	/** Waits for a message of this type. */
	async until(type: string): Promise<Record<string, unknown>> {
		return JSON.parse(await this.#socket.until((message) => JSON.parse(message).type === type));
	}

	end(): void {
		this.#socket.end();
	}
}
