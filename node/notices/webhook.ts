import { createHmac } from "node:crypto";
import { fill } from "#protocol/problem.ts";
import { type Channel, type Letter, NotDelivered } from "./channel.ts";
import { noticeSentences } from "./notice.ts";

const patience = 10_000;

export interface WebhookParts {
	/** The panel's origin, for links. */
	readonly panel: string;
	readonly secretOf: (customer: string) => Promise<string | undefined>;
	/** Lets webhooks lead to this machine and its networks: for the demo and tests only. */
	readonly privateToo?: boolean;
	readonly now?: () => number;
}

/**
 * Posts notices to customers' own servers, signed after Standard Webhooks 1.0 (github.com/standard-webhooks).
 * Connects only to public addresses, follows no redirect, and waits ten seconds; what comes back is never shown.
 */
export class Webhook implements Channel {
	readonly name = "webhook";
	readonly #parts: WebhookParts;
	#agent: Promise<InstanceType<typeof import("undici").Agent>> | undefined;

	constructor(parts: WebhookParts) {
		this.#parts = parts;
	}

	async send(letter: Letter, signal: AbortSignal): Promise<void> {
		const secret = await this.#parts.secretOf(letter.customer.id);
		if (!secret) throw new NotDelivered("There is no webhook any more", { final: true });
		const body = bodyOf(letter, this.#parts.panel);
		const status = await this.#post(
			letter.target,
			body,
			signed(secret, letter.notice, this.#parts.now?.() ?? Date.now(), body),
			AbortSignal.any([signal, AbortSignal.timeout(patience)]),
		);
		if (status === 410) throw new NotDelivered("It answered 410, gone for good", { final: true });
		if (status < 200 || status > 299) throw new NotDelivered(`It answered ${status}`);
	}

	async #post(address: string, body: string, headers: Record<string, string>, signal: AbortSignal): Promise<number> {
		const { request } = await import("undici");
		this.#agent ??= agentFor(this.#parts.privateToo ?? false);
		try {
			const answer = await request(address, { method: "POST", dispatcher: await this.#agent, signal, headers, body });
			// Only the status counts; the rest is not even read.
			answer.body.on("error", () => {}).destroy();
			return answer.statusCode;
		} catch (cause) {
			throw new NotDelivered(reasonOf(cause), { cause });
		}
	}
}

/** What is posted: the same bytes at every attempt. */
function bodyOf({ notice, kind, params, link, at }: Letter, panel: string): string {
	const text = fill(noticeSentences[kind], params);
	const data = { id: notice, text, params, link: link === null ? null : `${panel}${link}` };
	return JSON.stringify({ type: kind, timestamp: new Date(at).toISOString(), data });
}

/** The headers of Standard Webhooks: the id and moment are signed with the body, so neither can be changed or replayed late. */
export function signed(secret: string, id: string, now: number, body: string): Record<string, string> {
	const timestamp = String(Math.floor(now / 1000));
	const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
	const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
	return {
		"content-type": "application/json",
		"user-agent": "fediversity-node",
		"webhook-id": id,
		"webhook-timestamp": timestamp,
		"webhook-signature": `v1,${signature}`,
	};
}

async function agentFor(privateToo: boolean) {
	const [{ Agent }, { publicLookup }] = await Promise.all([import("undici"), import("../peers/public-address.ts")]);
	return new Agent({
		connect: { timeout: patience, ...(!privateToo && { lookup: publicLookup }) },
		pipelining: 0,
	});
}

function reasonOf(error: unknown): string {
	const { code = "", name } = error as NodeJS.ErrnoException;
	if (name === "TimeoutError" || name === "AbortError" || /TIMEOUT|TIMEDOUT/.test(code))
		return "It did not answer within 10 seconds";
	if (code === "NOT_PUBLIC") return "Its address is not public";
	if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Its name was not found";
	if (code === "ECONNREFUSED") return "It refuses connections";
	if (/CERT|SSL|TLS/.test(code)) return "Its certificate is not valid";
	return "The connection broke";
}
