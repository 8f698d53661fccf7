/** A small server of the Fediverse with as many people as one likes, who sign what they say. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { reach } from "../stories/reach.ts";

const jsonLd = "application/activity+json";

export class Fans {
	/** Every answer to a delivery, in order. */
	readonly answers: { status: number; retryAfter: string | null }[] = [];
	/** Who has been told that their follow was accepted. */
	readonly accepted = new Set<string>();
	readonly #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
	readonly #server: Server;

	private constructor() {
		this.#server = createServer(async (request, response) => {
			const fan = /^\/fan\/(\d+)/.exec(request.url ?? "")?.[1];
			if (!fan) return void response.writeHead(404).end();
			if (request.method === "GET")
				return void response.writeHead(200, { "content-type": jsonLd }).end(JSON.stringify(this.#actor(fan)));
			const body = Buffer.concat(await request.toArray()).toString();
			if ((JSON.parse(body) as { type: string }).type === "Accept") this.accepted.add(this.#id(fan));
			response.writeHead(202).end();
		});
	}

	static async open(): Promise<Fans> {
		const fans = new Fans();
		await new Promise<void>((resolve) => fans.#server.listen(0, "127.0.0.1", resolve));
		return fans;
	}

	close(): void {
		this.#server.close();
		this.#server.closeAllConnections();
	}

	/** A fan follows somebody, trying again as Mastodon does on what it takes for a passing trouble; gives the fan's id. */
	async follow(fan: number, whom: string, again: number): Promise<string> {
		const id = this.#id(String(fan));
		const activity = {
			...{ "@context": "https://www.w3.org/ns/activitystreams", id: `${id}/follow`, type: "Follow" },
			...{ actor: id, object: whom },
		};
		while (!(await this.#deliver(id, `${whom}/inbox`, JSON.stringify(activity)))) await pause(again);
		return id;
	}

	/** False: it was put off. Whatever Mastodon would drop the delivery for is thrown. */
	async #deliver(actor: string, inbox: string, body: string): Promise<boolean> {
		const { host, pathname } = new URL(inbox);
		const date = new Date().toUTCString();
		const digest = `SHA-256=${createHash("sha256").update(body).digest("base64")}`;
		const signed = `(request-target): post ${pathname}\nhost: ${host}\ndigest: ${digest}\ndate: ${date}`;
		const signature = sign("sha256", Buffer.from(signed), this.#keys.privateKey).toString("base64");
		const names = "(request-target) host digest date";
		const answer = await reach(inbox, {
			method: "POST",
			headers: {
				...{ date, digest, "content-type": jsonLd },
				signature: `keyId="${actor}#main-key",algorithm="rsa-sha256",headers="${names}",signature="${signature}"`,
			},
			body,
		});
		await answer.arrayBuffer();
		const { status } = answer;
		this.answers.push({ status, retryAfter: answer.headers.get("retry-after") });
		if (status >= 200 && status < 300) return true;
		if (status === 501 || (status >= 400 && status < 500 && ![401, 408, 429].includes(status)))
			throw new Error(`A delivery was dropped after ${status}`);
		return false;
	}

	#id(fan: string): string {
		return `http://fans.localhost:${(this.#server.address() as AddressInfo).port}/fan/${fan}`;
	}

	#actor(fan: string): object {
		const id = this.#id(fan);
		return {
			"@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
			...{ id, type: "Person", preferredUsername: `fan${fan}`, name: `Fan ${fan}`, inbox: `${id}/inbox` },
			...{ outbox: `${id}/outbox`, followers: `${id}/followers`, following: `${id}/following` },
			publicKey: {
				...{ id: `${id}#main-key`, owner: id },
				publicKeyPem: this.#keys.publicKey.export({ type: "spki", format: "pem" }),
			},
		};
	}
}
