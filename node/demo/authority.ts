import { getLogger } from "@logtape/logtape";
import packet, { type Answer, type Question } from "dns-packet";
import { signed, TsigError, type TsigKey, timeBytes, tsigErrors, unsigned, verified } from "../domains/tsig.ts";
import {
	classes,
	ednsOption,
	isResponse,
	opcodeOf,
	opcodes,
	type RawMessage,
	rcodes,
	readMessage,
	textChunks,
	types,
} from "../domains/wire.ts";
import type { DnsRecord } from "../domains/zone.ts";
import type { Rcode, ZoneData } from "./zone-data.ts";

const log = getLogger(["fediversity", "demo"]);

const ttl = 60;
/** A datagram without EDNS may have 512 bytes (RFC 1035 §2.3.4); with it we go no further than fits unfragmented. */
const datagram = { least: 512, most: 1232 };
const optType = 41;
const authoritative = packet.AUTHORITATIVE_ANSWER;

/** Answers DNS messages about one zone, wherever they come from: questions, and updates that are signed. */
export class Authority {
	readonly #data: ZoneData;
	readonly #keys: readonly TsigKey[];
	readonly #now: () => number;

	constructor(data: ZoneData, keys: readonly TsigKey[], now: () => number) {
		this.#data = data;
		this.#keys = keys;
		this.#now = now;
	}

	/** Undefined: not a question, and not worth an answer. */
	answer(message: Buffer, over: "udp" | "tcp"): Buffer | undefined {
		if (message.length < 12 || isResponse(message.readUInt16BE(2))) return undefined;
		try {
			const raw = readMessage(message);
			const isSigned = raw.additionals.at(-1)?.type === types.TSIG;
			return isSigned ? this.#answerSigned(message, over) : this.#answerPlain(message, raw, over, false);
		} catch (error) {
			log.debug("A message could not be read: {error}", { error });
			return bare(message, rcodes.FORMERR);
		}
	}

	/** RFC 8945 §5.2 and §5.3: an answer to a signed message is signed, unless the key or the signature was wrong. */
	#answerSigned(message: Buffer, over: "udp" | "tcp"): Buffer {
		const now = Math.floor(this.#now() / 1000);
		try {
			const { message: inner, key, mac } = verified(message, this.#keys, now);
			const answer = this.#answerPlain(inner, readMessage(inner), over, true);
			return signed(answer, key, now, { requestMac: mac }).message;
		} catch (error) {
			if (!(error instanceof TsigError) || error.fault === "unsigned") throw error;
			return this.#distrust(message, error, now);
		}
	}

	#distrust(message: Buffer, { fault, mac, time }: TsigError, now: number): Buffer {
		const answer = bare(message, rcodes.NOTAUTH);
		const name = readMessage(message).additionals.at(-1)?.name ?? "";
		const key = this.#keys.find((known) => known.name.toLowerCase() === name);
		if (fault === "time" && key)
			return signed(answer, key, time, { requestMac: mac, error: tsigErrors.BADTIME, other: timeBytes(now) }).message;
		return unsigned(answer, name, now, fault === "signature" ? tsigErrors.BADSIG : tsigErrors.BADKEY);
	}

	#answerPlain(message: Buffer, raw: RawMessage, over: "udp" | "tcp", trusted: boolean): Buffer {
		switch (opcodeOf(raw.flags)) {
			case opcodes.QUERY:
				return this.#query(message, raw, over);
			case opcodes.UPDATE:
				return bare(message, trusted ? this.#update(message, raw) : rcodes.REFUSED);
			default:
				return bare(message, rcodes.NOTIMP);
		}
	}

	#update(message: Buffer, raw: RawMessage): Rcode {
		try {
			return this.#data.update(message, raw);
		} catch (error) {
			if (!(error instanceof Error && "syscall" in error)) return rcodes.FORMERR;
			log.error("An update could not be kept: {error}", { error });
			return rcodes.SERVFAIL;
		}
	}

	#query(message: Buffer, raw: RawMessage, over: "udp" | "tcp"): Buffer {
		const [question] = raw.questions;
		if (raw.questions.length !== 1 || !question) return bare(message, rcodes.FORMERR);
		const edns = raw.additionals.find(({ type }) => type === optType);
		const asked = packet.decode(message).questions ?? [];
		const none = { asked, answers: [], authorities: [], edns: edns !== undefined };
		if (question.class !== classes.IN || !this.#data.contains(question.name))
			return reply(message, rcodes.REFUSED, none);
		const answers = this.#find(question.name, question.type);
		const rcode = answers.length > 0 || this.#exists(question.name) ? rcodes.NOERROR : rcodes.NXDOMAIN;
		const authorities = answers.length > 0 ? [] : [this.#soa()];
		const whole = reply(message, rcode | authoritative, { ...none, answers, authorities });
		const room = Math.min(Math.max(edns?.class ?? 0, datagram.least), datagram.most);
		if (over === "tcp" || whole.length <= room) return whole;
		return reply(message, rcode | authoritative | packet.TRUNCATED_RESPONSE, none);
	}

	#exists(name: string): boolean {
		return name === this.#data.name || this.#data.has(name);
	}

	/** The records asked for; where a CNAME stands instead, it and what it leads to in this zone (RFC 1034 §4.3.2). */
	#find(name: string, type: number, steps = 8): Answer[] {
		const own = this.#records(name).filter((record) => type === types.ANY || types[record.type as "A"] === type);
		if (own.length > 0) return own;
		const alias = this.#data.at(name).find((record) => record.type === "CNAME");
		if (!alias || steps === 0) return [];
		return [answerOf(alias), ...(this.#data.contains(alias.value) ? this.#find(alias.value, type, steps - 1) : [])];
	}

	#records(name: string): Answer[] {
		const own = this.#data.at(name).map(answerOf);
		const nameServer: Answer = { type: "NS", name, ttl, data: `ns.${this.#data.name}` };
		return name === this.#data.name ? [this.#soa(), nameServer, ...own] : own;
	}

	#soa(): Answer {
		const { name, serial } = this.#data;
		const times = { refresh: 3600, retry: 600, expire: 86400, minimum: 5 };
		return { type: "SOA", name, ttl, data: { mname: `ns.${name}`, rname: `hostmaster.${name}`, serial, ...times } };
	}
}

function answerOf({ type, name, value, ttl }: DnsRecord): Answer {
	if (type !== "TXT") return { type, name, ttl, data: value };
	return { type, name, ttl, data: textChunks(value) };
}

interface Parts {
	asked: Question[];
	answers: Answer[];
	authorities: Answer[];
	edns: boolean;
}

function reply(request: Buffer, flags: number, { asked, answers, authorities, edns }: Parts): Buffer {
	const recursionDesired = request.readUInt16BE(2) & packet.RECURSION_DESIRED;
	return packet.encode({
		type: "response",
		id: request.readUInt16BE(0),
		flags: flags | recursionDesired,
		questions: asked,
		answers,
		authorities,
		additionals: edns ? [ednsOption(datagram.most)] : [],
	});
}

/** An answer that is only a header: for updates, and for what could not be read. */
function bare(request: Buffer, rcode: Rcode): Buffer {
	const answer = Buffer.alloc(12);
	answer.writeUInt16BE(request.readUInt16BE(0), 0);
	answer.writeUInt16BE(0x8000 | (request.readUInt16BE(2) & 0x7900) | rcode, 2);
	return answer;
}
