import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { getLogger } from "@logtape/logtape";
import type { Address } from "postal-mime";

const largestMail = 1024 * 1024;
const longestText = 100_000;

/** A mail that would have been sent, had this not been a demo. */
export interface CaughtMail {
	readonly id: string;
	/** When it was caught, ms. */
	readonly at: number;
	/** `Name <address>`, as the mail itself says. */
	readonly from: string;
	/** The addresses it was for. */
	readonly to: readonly string[];
	readonly subject: string;
	readonly text: string;
	/** What tells a mail that was sent twice from two mails. */
	readonly messageId: string | null;
}

export interface Mailbox {
	/** Where it takes mail, on loopback; SMTP without an account. */
	readonly port: number;
	/** Newest first. */
	list(): readonly CaughtMail[];
	get(id: string): CaughtMail | undefined;
	close(): Promise<void>;
}

export interface MailboxParts {
	readonly file: string;
	readonly now: () => number;
	/** How many mails are kept; older ones go. */
	readonly most?: number;
}

/**
 * Opens a mail server that takes mail for anybody and passes none on. What it has accepted is in the file, even after
 * `kill -9`; a mail that comes again with the same Message-ID is kept once.
 */
export async function openMailbox({ file, now, most = 200 }: MailboxParts): Promise<Mailbox> {
	const { SMTPServer } = await import("smtp-server");
	const kept = new KeptMail(file, most);
	const server = new SMTPServer({
		disabledCommands: ["AUTH", "STARTTLS"],
		disableReverseLookup: true,
		logger: false,
		size: largestMail,
		closeTimeout: 1000,
		onData(stream, session, done) {
			const to = session.envelope.rcptTo.map(({ address }) => address);
			buffer(stream)
				.then(async (raw) => {
					if (stream.sizeExceeded) throw Object.assign(new Error("This mail is too large"), { responseCode: 552 });
					kept.add(await opened(raw, to, now()));
				})
				.then(() => done(), done);
		},
	});
	server.on("error", (error) => log().info("A mail did not come through: {error}", { error }));
	await new Promise<void>((resolve, reject) => {
		server.server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	return {
		port: (server.server.address() as AddressInfo).port,
		list: () => kept.mails.toReversed(),
		get: (id) => kept.mails.find((mail) => mail.id === id),
		close: () => new Promise((resolve) => server.close(resolve)),
	};
}

async function opened(raw: Buffer, to: readonly string[], at: number): Promise<CaughtMail> {
	const { default: PostalMime } = await import("postal-mime");
	const { from, subject, text, html, messageId } = await PostalMime.parse(raw);
	return {
		...{ id: randomUUID(), at, to, from: from ? written(from) : "", subject: subject ?? "" },
		text: (text ?? html?.replace(/<[^>]*>/g, "") ?? "").slice(0, longestText),
		messageId: messageId ?? null,
	};
}

function written({ name, address }: Address): string {
	return name && address ? `${name} <${address}>` : (address ?? name);
}

/** The mails in their file, one a line. A line that was cut off by a power cut was never accepted. */
class KeptMail {
	#mails: CaughtMail[];
	readonly #file: string;
	readonly #most: number;
	#lines: number;

	constructor(file: string, most: number) {
		this.#file = file;
		this.#most = most;
		this.#mails = read(file).slice(-most);
		// With the first mail the file is written anew: its last line may have been cut off.
		this.#lines = Number.POSITIVE_INFINITY;
	}

	get mails(): readonly CaughtMail[] {
		return this.#mails;
	}

	/** Returns when it is safe on disk. */
	add(mail: CaughtMail): void {
		if (this.#mails.some((known) => isSame(known, mail))) return;
		const mails = [...this.#mails, mail].slice(-this.#most);
		const hasRoom = this.#lines < 2 * this.#most;
		if (hasRoom) append(this.#file, mail);
		else replace(this.#file, mails);
		this.#lines = hasRoom ? this.#lines + 1 : mails.length;
		this.#mails = mails;
	}
}

function isSame(one: CaughtMail, other: CaughtMail): boolean {
	return one.messageId !== null && one.messageId === other.messageId && one.to.join() === other.to.join();
}

function read(file: string): CaughtMail[] {
	try {
		return readFileSync(file, "utf8").split("\n").flatMap(parsed);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}

function parsed(line: string): CaughtMail[] {
	try {
		const mail = JSON.parse(line) as CaughtMail;
		return typeof mail.id === "string" ? [mail] : [];
	} catch {
		return [];
	}
}

function append(file: string, mail: CaughtMail) {
	write(file, "a", `${JSON.stringify(mail)}\n`);
}

function replace(file: string, mails: readonly CaughtMail[]) {
	write(`${file}.new`, "w", mails.map((mail) => `${JSON.stringify(mail)}\n`).join(""));
	renameSync(`${file}.new`, file);
}

function write(file: string, flags: "a" | "w", text: string) {
	const descriptor = openSync(file, flags, 0o600);
	try {
		writeSync(descriptor, text);
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

function log() {
	return getLogger(["fediversity", "demo"]);
}
