import { randomInt } from "node:crypto";
import type { Ask, Home, Probe } from "../../recipe.ts";

/**
 * An app's way in (BOSH, XEP-0124 and XEP-0206) as far as one gets without a password: the server must know its own
 * name, offer to sign in, and ask the first account for its proof (SCRAM, RFC 5802), which it does not for one that
 * is not there.
 */
export function signInOffered({ host, owner }: Pick<Home, "host" | "owner">): Probe {
	return {
		what: "account",
		async look(ask) {
			const session = new Session(ask);
			const opened = await session.send(`to="${host}" wait="1" hold="1" ver="1.6" xmpp:version="1.0"`);
			const sid = /\bsid=['"]([^'"]+)/.exec(opened)?.[1];
			if (!sid) throw new Error(`does not speak for ${host}`);
			if (!opened.includes("SCRAM-SHA-1")) throw new Error("does not offer to sign in");
			const first = Buffer.from(`n,,n=${owner.username},r=${randomInt(2 ** 47)}`).toString("base64");
			const sasl = `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="SCRAM-SHA-1">${first}</auth>`;
			const answer = await session.send(`sid="${sid}"`, sasl);
			await session.send(`sid="${sid}" type="terminate"`);
			if (!answer.includes("<challenge")) throw new Error(`knows no ${owner.username}`);
			return `${owner.username}@${host}`;
		},
	};
}

/** Requests of one session are numbered. */
class Session {
	readonly #ask: Ask;
	#number = randomInt(2 ** 31);

	constructor(ask: Ask) {
		this.#ask = ask;
	}

	async send(attributes: string, content = ""): Promise<string> {
		const namespaces = 'xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" xml:lang="en"';
		const body = `<body rid="${this.#number++}" ${attributes} ${namespaces}>${content}</body>`;
		const headers = { "content-type": "text/xml; charset=utf-8" };
		const answer = await this.#ask("/http-bind", { method: "POST", headers, body });
		if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
		return answer.body;
	}
}
