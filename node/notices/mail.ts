import { readFile } from "node:fs/promises";
import type { SMTPTransportOptions } from "nodemailer/lib/smtp-transport";
import { Problem } from "#protocol/problem.ts";
import { type Channel, type Letter, NotDelivered } from "./channel.ts";

export interface MailParts {
	/** `smtp://user@host:port`, `smtps://…`. */
	readonly server: string;
	/** Our address, with or without a name before it. */
	readonly from: string;
	readonly passwordFile: string | null;
	/** The panel's origin, for links. */
	readonly panel: string;
	/** Who we are, as customers know us. */
	readonly provider: string;
}

const silent = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000, dnsTimeout: 10_000 };

/** Sends notices as mail through the provider's own mail server. */
export class Mail implements Channel {
	readonly name = "mail";
	readonly #parts: MailParts;

	constructor(parts: MailParts) {
		this.#parts = parts;
	}

	async send(letter: Letter, signal: AbortSignal): Promise<void> {
		try {
			const transport = await this.#transport();
			await transport.sendMail({ ...(await this.#message(letter)), signal });
		} catch (error) {
			throw notDelivered(error);
		}
	}

	/** Connects and signs in, without sending anything; throws `mail-silent` with the reason. */
	async check(): Promise<void> {
		try {
			await (await this.#transport()).verify();
		} catch (cause) {
			const reason = (cause as Error).message;
			throw new Problem("mail-silent", { server: new URL(this.#parts.server).host, reason }, { cause });
		}
	}

	/** One connection a mail, and the password read for each: a new one needs no restart. */
	async #transport() {
		const { createTransport } = await import("nodemailer");
		const { server, passwordFile } = this.#parts;
		const password = passwordFile === null ? null : (await readFile(passwordFile, "utf8")).trimEnd();
		return createTransport(smtpOptions(server, password));
	}

	async #message({ id, target, customer, kind, params, link, at }: Letter) {
		const { mailingOf } = await import("./wording.ts");
		const { panel, provider, from } = this.#parts;
		const { subject, text, html } = mailingOf({
			...{ kind, params, provider, language: customer.language },
			link: `${panel}${link ?? "/"}`,
			settings: `${panel}/account`,
		});
		return {
			...{ from, subject, text, html },
			// As an object, so that an address with a comma in it stays one.
			to: { name: "", address: target },
			messageId: `<${id}@${new URL(panel).hostname}>`,
			date: new Date(at),
			headers: { "Auto-Submitted": "auto-generated" }, // RFC 3834: no out-of-office replies, please.
			disableFileAccess: true,
			disableUrlAccess: true,
		};
	}
}

/**
 * How to talk to the mail server. `smtps:` is TLS from the first byte; `smtp:` turns to TLS where the server offers it,
 * and must when a password is to cross a network. On this machine's loopback nobody listens in, and mail servers there
 * have certificates of their own making, so those are not checked.
 */
export function smtpOptions(server: string, password: string | null): SMTPTransportOptions {
	const { protocol, hostname, port, username } = new URL(server);
	const host = hostname.replace(/^\[(.*)\]$/, "$1");
	const secure = protocol === "smtps:";
	const near = /^(localhost|127\.[\d.]+|::1)$/.test(host);
	return {
		...silent,
		...{ host, secure, port: port ? Number(port) : secure ? 465 : 587 },
		requireTLS: !secure && !near && password !== null,
		...(near && !secure && { tls: { rejectUnauthorized: false } }),
		...(password !== null && { auth: { user: decodeURIComponent(username), pass: password } }),
	};
}

interface SmtpError extends Error {
	code?: string;
	command?: string;
	responseCode?: number;
	response?: string;
}

/** 5xx to a recipient or to the mail itself is for ever (RFC 5321, 4.2.1); to us, such as a wrong password, it can be put right. */
function notDelivered(cause: unknown): NotDelivered {
	const { code, command, responseCode = 0, response, name } = cause as SmtpError;
	const aboutThisMail = command === "RCPT TO" || command === "DATA";
	if (aboutThisMail && response)
		return new NotDelivered(`The mail server answered: ${response.slice(0, 300)}`, {
			cause,
			final: responseCode >= 500 && responseCode !== 503 && responseCode !== 521,
		});
	if (code === "EENVELOPE" && !response) return new NotDelivered("This is no address for mail", { cause, final: true });
	if (code === "ENOENT" || code === "EACCES") return new NotDelivered("Our mail password cannot be read", { cause });
	if (code === "EAUTH") return new NotDelivered("Our mail server does not let us in", { cause });
	if (response) return new NotDelivered(`Our mail server answered ${responseCode}`, { cause });
	if (name === "AbortError" || code === "EABORT" || code === "ETIMEDOUT")
		return new NotDelivered("Our mail server took too long", { cause });
	return new NotDelivered("Our mail server does not answer", { cause });
}
