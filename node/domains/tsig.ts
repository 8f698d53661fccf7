import { createHmac, timingSafeEqual } from "node:crypto";
import { classes, nameBytes, type RawRecord, readMessage, recordBytes, types } from "./wire.ts";

/** A secret that two machines share, to know each other's DNS messages by. */
export interface TsigKey {
	readonly name: string;
	readonly secret: Buffer;
}

/** What a TSIG record says (RFC 8945 §4.2). Times are seconds since 1970. */
interface Tsig {
	readonly algorithm: string;
	readonly time: number;
	readonly fudge: number;
	readonly mac: Buffer;
	readonly originalId: number;
	readonly error: number;
	readonly other: Buffer;
}

/** Why a message is not believed: no signature or not the only algorithm we speak, or one of RFC 8945's errors. */
export type TsigFault = "unsigned" | "algorithm" | "key" | "signature" | "time";

export class TsigError extends Error {
	override readonly name = "TsigError";
	readonly fault: TsigFault;
	/** Of the message that was refused, for the answer to it. */
	readonly mac: Buffer;
	readonly time: number;
	/** By how many seconds the other side's clock is ahead of ours, where that is the fault. */
	readonly ahead: number;
	constructor(fault: TsigFault, about: Partial<Pick<TsigError, "mac" | "time" | "ahead">> = {}) {
		super(`TSIG: ${fault}`);
		this.fault = fault;
		this.mac = about.mac ?? Buffer.alloc(0);
		this.time = about.time ?? 0;
		this.ahead = about.ahead ?? 0;
	}
}

/** Error codes in a TSIG record (RFC 8945 §3). */
export const tsigErrors = { BADSIG: 16, BADKEY: 17, BADTIME: 18 } as const;

const algorithm = "hmac-sha256";
const macLength = 32;
/** How far two clocks may be apart, in seconds (RFC 8945 §10). */
const fudge = 300;

/** A message with a TSIG record at its end. An answer is signed together with the request's `requestMac`. */
export function signed(
	message: Buffer,
	key: TsigKey,
	time: number,
	{ requestMac, error = 0, other = Buffer.alloc(0) }: { requestMac?: Buffer; error?: number; other?: Buffer } = {},
): { message: Buffer; mac: Buffer } {
	const tsig = { algorithm, time, fudge, originalId: message.readUInt16BE(0), error, other };
	const mac = macOf(message, key, tsig, requestMac);
	return { message: withTsig(message, key.name, { ...tsig, mac }), mac };
}

/** An answer that says BADKEY or BADSIG: it names the key and is not signed (RFC 8945 §5.3.2). */
export function unsigned(message: Buffer, keyName: string, time: number, error: number): Buffer {
	const [mac, other] = [Buffer.alloc(0), Buffer.alloc(0)];
	return withTsig(message, keyName, { algorithm, time, fudge, originalId: message.readUInt16BE(0), error, other, mac });
}

/**
 * The message without its TSIG record, and which key signed it; throws TsigError unless all of it is right.
 * Only whole MACs are taken: nothing that we talk to shortens them (RFC 8945 §5.2.2.1).
 */
export function verified(
	message: Buffer,
	keys: readonly TsigKey[],
	now: number,
	requestMac?: Buffer,
): { message: Buffer; key: TsigKey; mac: Buffer } {
	const record = tsigRecord(message);
	const tsig = readTsig(message, record);
	const key = keys.find((known) => known.name.toLowerCase() === record.name);
	if (!key || tsig.error === tsigErrors.BADKEY) throw new TsigError("key", tsig);
	if (tsig.algorithm !== algorithm) throw new TsigError("algorithm", tsig);
	const bare = withoutTsig(message, record, tsig.originalId);
	const right = macOf(bare, key, tsig, requestMac);
	if (tsig.mac.length !== macLength || !timingSafeEqual(tsig.mac, right)) throw new TsigError("signature", tsig);
	const ahead = (tsig.error === tsigErrors.BADTIME ? readTime(tsig.other) : tsig.time) - now;
	if (tsig.error === tsigErrors.BADTIME || Math.abs(ahead) > tsig.fudge)
		throw new TsigError("time", { ...tsig, ahead });
	return { message: bare, key, mac: tsig.mac };
}

/** It must be the last record and the only one of its kind (RFC 8945 §5.2). */
function tsigRecord(message: Buffer): RawRecord {
	const { answers, authorities, additionals, end } = readMessage(message);
	const found = [...answers, ...authorities, ...additionals].filter(({ type }) => type === types.TSIG);
	const last = additionals.at(-1);
	const isAlone = last && found[0] === last && end === message.length;
	if (!isAlone || last.class !== classes.ANY || last.ttl !== 0) throw new TsigError("unsigned");
	return last;
}

function readTsig(message: Buffer, { dataAt, data }: RawRecord): Tsig {
	const end = data.indexOf(0) + 1;
	const macAt = end + 10;
	const macEnd = macAt + data.readUInt16BE(end + 8);
	const otherEnd = macEnd + 6 + data.readUInt16BE(macEnd + 4);
	if (otherEnd !== data.length) throw new RangeError(`The TSIG record at ${dataAt} of ${message.length} is broken`);
	return {
		algorithm: nameIn(data.subarray(0, end)),
		time: data.readUIntBE(end, 6),
		fudge: data.readUInt16BE(end + 6),
		mac: data.subarray(macAt, macEnd),
		originalId: data.readUInt16BE(macEnd),
		error: data.readUInt16BE(macEnd + 2),
		other: data.subarray(macEnd + 6, otherEnd),
	};
}

/** The algorithm's name; it is never shortened by a pointer (RFC 8945 §4.2), so anything else comes out as no name we know. */
function nameIn(bytes: Buffer): string {
	const known = nameBytes(algorithm);
	return bytes.toString("latin1").toLowerCase() === known.toString("latin1") ? algorithm : "unknown";
}

/** RFC 8945 §4.3: the request's MAC if there is one, the message, the TSIG record's own values. */
function macOf(message: Buffer, key: TsigKey, tsig: Omit<Tsig, "mac">, requestMac?: Buffer): Buffer {
	const hmac = createHmac("sha256", key.secret);
	if (requestMac) hmac.update(short(requestMac.length)).update(requestMac);
	hmac.update(message);
	hmac.update(nameBytes(key.name)).update(short(classes.ANY)).update(Buffer.alloc(4));
	hmac.update(nameBytes(tsig.algorithm)).update(timeBytes(tsig.time)).update(short(tsig.fudge));
	return hmac.update(short(tsig.error)).update(short(tsig.other.length)).update(tsig.other).digest();
}

function withTsig(message: Buffer, keyName: string, tsig: Tsig): Buffer {
	const data = Buffer.concat([
		...[nameBytes(tsig.algorithm), timeBytes(tsig.time), short(tsig.fudge), short(tsig.mac.length), tsig.mac],
		...[short(tsig.originalId), short(tsig.error), short(tsig.other.length), tsig.other],
	]);
	const record = recordBytes({ name: keyName, type: types.TSIG, class: classes.ANY, data });
	const longer = Buffer.concat([message, record]);
	longer.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
	return longer;
}

function withoutTsig(message: Buffer, { start }: RawRecord, originalId: number): Buffer {
	const bare = Buffer.from(message.subarray(0, start));
	bare.writeUInt16BE(originalId, 0);
	bare.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
	return bare;
}

/** Seconds since 1970 in six bytes, as TSIG writes them. */
export function timeBytes(seconds: number): Buffer {
	const bytes = Buffer.alloc(6);
	bytes.writeUIntBE(seconds, 0, 6);
	return bytes;
}

const readTime = (bytes: Buffer) => (bytes.length === 6 ? bytes.readUIntBE(0, 6) : 0);

function short(value: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
}
