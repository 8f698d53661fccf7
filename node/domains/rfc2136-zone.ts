import { randomInt } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { elsewhere } from "./elsewhere.ts";
import { NoAnswer, overTcp, type Server, serverAt } from "./exchange.ts";
import type { TsigKey } from "./tsig.ts";
import type { Prerequisite } from "./update.ts";
import type { DnsRecord, Zone } from "./zone.ts";

const log = getLogger(["fediversity", "domains"]);

export interface Rfc2136Options {
	readonly name: string;
	/** The zone's primary name server, `address:port`. */
	readonly server: string;
	/** The TSIG key's name and its secret in base64, hmac-sha256. */
	readonly key: { readonly name: string; readonly secret: string };
	/** Ms since 1970; the signatures depend on it. */
	readonly now: () => number;
	/** How long an update may take, ms. */
	readonly milliseconds?: number;
}

/** Builds an update; it gets an id and what must hold for it to be carried out. */
type Build = (id: number, only?: Prerequisite) => Buffer;

/** A zone on any name server that takes signed updates (RFC 2136 with TSIG, RFC 8945), such as Knot, BIND or PowerDNS. */
export class Rfc2136Zone implements Zone {
	readonly name: string;
	readonly server: string;
	readonly #at: Server;
	readonly #key: TsigKey;
	readonly #now: () => number;
	readonly #milliseconds: number;

	constructor({ name, server, key, now, milliseconds = 5000 }: Rfc2136Options) {
		this.name = name;
		this.server = server;
		this.#at = serverAt(server);
		this.#key = { name: key.name, secret: Buffer.from(key.secret, "base64") };
		this.#now = now;
		this.#milliseconds = milliseconds;
	}

	async set(records: readonly DnsRecord[], unless?: { name: string; mine: string }) {
		if (records.length === 0) return;
		const { settingMessage } = await import("./update.ts");
		const build: Build = (id, only) => settingMessage(id, this.name, records, only);
		const name = records[0]?.name ?? this.name;
		if (!unless) await this.#update(name, build);
		else await this.#swap(name, build, unless);
	}

	async remove(records: readonly DnsRecord[], unless?: { name: string; mine: string }) {
		if (records.length === 0) return;
		const { removingMessage } = await import("./update.ts");
		const build: Build = (id, only) => removingMessage(id, this.name, records, only);
		const only = unless && { name: unless.name, text: unless.mine };
		await this.#update(records[0]?.name ?? this.name, build, only);
	}

	async look(name: string, type: DnsRecord["type"]): Promise<string[]> {
		const [{ query }, { plainValue }] = await Promise.all([import("./query.ts"), import("./wire.ts")]);
		const reply = await this.#heard(query(this.#at, { name, type, recursive: false }));
		if (!reply.authoritative || (reply.rcode !== "NOERROR" && reply.rcode !== "NXDOMAIN"))
			throw new Problem("zone-refused", { name, reason: `it answers ${reply.rcode}` });
		return reply.answers
			.filter((answer) => answer.type === type && answer.name.toLowerCase() === name.toLowerCase())
			.map((answer) => plainValue(type, "data" in answer ? answer.data : ""));
	}

	/**
	 * DNS can demand "nothing there" or "exactly this", not one of both, so one is tried after the other. Between the two
	 * somebody may come or go; then it begins again, and ends since every round needs somebody else's change.
	 */
	async #swap(name: string, build: Build, unless: { name: string; mine: string }) {
		for (let round = 0; round < 5; round++) {
			if (await this.#update(name, build, { name: unless.name, text: null })) return;
			if (await this.#update(name, build, { name: unless.name, text: unless.mine })) return;
			const holder = (await this.look(unless.name, "TXT")).find((text) => text !== unless.mine);
			if (holder !== undefined) throw elsewhere(unless.name, holder);
		}
		throw new Problem("zone-refused", { name, reason: "others keep changing it" });
	}

	/** Whether the update was carried out; false: what it demanded does not hold. */
	async #update(name: string, build: Build, only?: Prerequisite): Promise<boolean> {
		const [{ rcodes, readMessage, rcodeOf, isResponse }, { signed, verified, TsigError }] = await Promise.all([
			import("./wire.ts"),
			import("./tsig.ts"),
		]);
		const seconds = () => Math.floor(this.#now() / 1000);
		const id = randomInt(0x10000);
		const request = signed(build(id, only), this.#key, seconds());
		const answer = await this.#heard(overTcp(this.#at, request.message, this.#milliseconds));
		try {
			const { message } = verified(answer, [this.#key], seconds(), request.mac);
			const { id: answered, flags } = readMessage(message);
			if (answered !== id || !isResponse(flags)) throw new NoAnswer(this.#at, "it sent something else");
			const rcode = rcodeOf(flags);
			if (rcode === rcodes.NOERROR) return true;
			if (only && (rcode === rcodes.YXRRSET || rcode === rcodes.NXRRSET)) return false;
			throw new Problem("zone-refused", { name, reason: reasons[rcode] ?? `it answers ${rcode}` });
		} catch (error) {
			if (error instanceof Problem) throw error;
			log.warning("Update of {zone} at {server} failed: {error}", { zone: this.name, server: this.server, error });
			if (error instanceof TsigError)
				throw new Problem("zone-refused", { name, reason: distrust(error) }, { cause: error });
			throw new Problem("zone-silent", { server: this.server }, { cause: error });
		}
	}

	async #heard<Answer>(answer: Promise<Answer>): Promise<Answer> {
		try {
			return await answer;
		} catch (cause) {
			if (cause instanceof NoAnswer) throw new Problem("zone-silent", { server: this.server }, { cause });
			throw cause;
		}
	}
}

/** RFC 2136 §2.2.3 in words, for the provider's people. */
const reasons: Record<number, string> = {
	1: "it did not understand the update",
	2: "it had a failure of its own; its log says more",
	4: "it takes no updates",
	5: "our key may not change this name",
	9: "it does not have this zone, or our key may not change it",
	10: "the name is not in its zone",
};

function distrust({ fault, ahead }: { fault: string; ahead: number }): string {
	switch (fault) {
		case "key":
			return "it does not know our key; compare the key's name on both sides";
		case "signature":
			return "signatures do not match; compare the key's secret on both sides";
		case "time":
			return `its clock is ${Math.abs(Math.round(ahead))} seconds ${ahead > 0 ? "ahead of" : "behind"} ours; set both right`;
		case "algorithm":
			return "it signs with something other than hmac-sha256";
		default:
			return "its answer is not signed; it may not know our key or not want us to change this";
	}
}
