import { Agent, WebSocket } from "undici";
import type { Site } from "./site.ts";

const framing = 'xmlns="urn:ietf:params:xml:ns:xmpp-framing"';
const toThisMachine = new Agent({
	connect: { lookup: (_name, _options, found) => found(null, [{ address: "127.0.0.1", family: 4 }]) },
});

/** An XMPP app that connects by WebSocket (RFC 7395), as far as the tests need one. */
export class XmppApp {
	readonly #socket: WebSocket;
	readonly #host: string;
	readonly #seen: string[] = [];
	#ended: string | null = null;
	#changed: () => void = () => {};

	private constructor(socket: WebSocket, host: string) {
		this.#socket = socket;
		this.#host = host;
		socket.addEventListener("message", ({ data }) => {
			this.#seen.push(String(data));
			this.#changed();
		});
		for (const event of ["close", "error"] as const)
			socket.addEventListener(event, () => {
				this.#ended ??= event;
				this.#changed();
			});
	}

	/** Throws if the password is not the right one. */
	static async signIn(site: Site, username: string, password: string): Promise<XmppApp> {
		const url = `${site.origin.replace(/^http/, "ws")}/xmpp-websocket`;
		const app = new XmppApp(new WebSocket(url, { protocols: ["xmpp"], dispatcher: toThisMachine }), site.host);
		await new Promise((open, failed) => {
			app.#socket.addEventListener("open", open);
			app.#socket.addEventListener("close", () => failed(new Error(`${url} does not open`)));
		});
		await app.#open();
		const proof = Buffer.from(`\0${username}\0${password}`).toString("base64");
		app.send(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${proof}</auth>`);
		const answer = await app.until(/<(success|failure)\b/);
		if (!answer.includes("<success")) {
			app.end();
			throw new Error(`not let in: ${answer}`);
		}
		await app.#open();
		await app.ask('<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>');
		app.send('<presence xmlns="jabber:client"/>');
		return app;
	}

	async #open(): Promise<void> {
		this.send(`<open ${framing} to="${this.#host}" version="1.0"/>`);
		await this.until(/<stream:features|<features/);
	}

	send(stanza: string): void {
		this.#socket.send(stanza);
	}

	/** Sends a request of type `set` to one's own account and answers what comes back. */
	ask(content: string): Promise<string> {
		const id = Math.random().toString(36).slice(2);
		this.send(`<iq xmlns="jabber:client" type="set" id="${id}">${content}</iq>`);
		return this.until(new RegExp(`<iq[^>]*id=['"]${id}['"]`));
	}

	/** Waits for something that matches, which is then no longer waiting to be seen. */
	async until(pattern: RegExp): Promise<string> {
		for (;;) {
			const at = this.#seen.findIndex((stanza) => pattern.test(stanza));
			if (at >= 0) return this.#seen.splice(at, 1)[0] ?? "";
			if (this.#ended) throw new Error(`the connection ended (${this.#ended}) before ${pattern}`);
			await new Promise<void>((changed) => {
				this.#changed = changed;
			});
		}
	}

	end(): void {
		this.#socket.close();
	}
}
