import type { Site } from "./site.ts";
import { Socket } from "./socket.ts";

/** An XMPP app that connects by WebSocket (RFC 7395), as far as the tests need one. */
export class XmppApp {
	readonly #socket: Socket;
	readonly #host: string;

	private constructor(socket: Socket, host: string) {
		this.#socket = socket;
		this.#host = host;
	}

	/** Throws if the password is not the right one. */
	static async signIn(site: Site, username: string, password: string): Promise<XmppApp> {
		const app = new XmppApp(await Socket.open(site, "/xmpp-websocket", ["xmpp"]), site.host);
		await app.#open();
		const proof = Buffer.from(`\0${username}\0${password}`).toString("base64");
		app.send(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${proof}</auth>`);
		const answer = await app.until(/<(success|failure)\b/);
		if (!answer.includes("<success")) {
			app.end();
			throw new Error(`not let in: ${answer}`);
		}
		await app.#open();
		app.send('<iq xmlns="jabber:client" type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
		await app.until(/<iq[^>]*id=['"]b['"]/);
		app.send('<presence xmlns="jabber:client"/>');
		return app;
	}

	async #open(): Promise<void> {
		this.send(`<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="${this.#host}" version="1.0"/>`);
		await this.until(/<(stream:)?features/);
	}

	/** Asks for all messages that the server has kept (XEP-0313); they come one by one. */
	askForArchive(): void {
		this.send('<iq xmlns="jabber:client" type="set" id="a"><query xmlns="urn:xmpp:mam:2"/></iq>');
	}

	send(stanza: string): void {
		this.#socket.send(stanza);
	}

	until(pattern: RegExp): Promise<string> {
		return this.#socket.until((stanza) => pattern.test(stanza));
	}

	end(): void {
		this.#socket.end();
	}
}
