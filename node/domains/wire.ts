import packet, { type OptAnswer } from "dns-packet";
import type { DnsRecord } from "./zone.ts";

/**
 * DNS messages record by record (RFC 1035 §4). dns-packet reads and writes whole messages, but not the records
 * without data and of class NONE that make up an UPDATE (RFC 2136 §2.4), nor the bytes that TSIG signs.
 */
export interface RawMessage {
	readonly id: number;
	readonly flags: number;
	readonly questions: readonly RawQuestion[];
	readonly answers: readonly RawRecord[];
	readonly authorities: readonly RawRecord[];
	readonly additionals: readonly RawRecord[];
	/** Where the last record ends. */
	readonly end: number;
}

export interface RawQuestion {
	/** In small letters, without a dot at the end; the root is "". */
	readonly name: string;
	readonly type: number;
	readonly class: number;
}

export interface RawRecord extends RawQuestion {
	readonly ttl: number;
	readonly data: Buffer;
	/** Where it begins in the message, and where its data's length stands. */
	readonly start: number;
	readonly dataAt: number;
}

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, TSIG: 250, ANY: 255 } as const;
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const;
export const opcodes = { QUERY: 0, UPDATE: 5 } as const;
export const rcodes = {
	NOERROR: 0,
	FORMERR: 1,
	SERVFAIL: 2,
	NXDOMAIN: 3,
	NOTIMP: 4,
	REFUSED: 5,
	YXDOMAIN: 6,
	YXRRSET: 7,
	NXRRSET: 8,
	NOTAUTH: 9,
	NOTZONE: 10,
} as const;

export const opcodeOf = (flags: number) => (flags >> 11) & 15;
export const rcodeOf = (flags: number) => flags & 15;
export const isResponse = (flags: number) => (flags & 0x8000) !== 0;

interface Codec<Value> {
	encode(value: Value): Buffer;
	decode: ((message: Buffer, offset: number) => Value) & { bytes: number };
}

/** Parts of dns-packet that it exports and its types leave out. */
const { name: names, record: dataCodec } = packet as unknown as {
	name: Codec<string>;
	record(type: string): Codec<unknown>;
};

/** Throws on anything that is not a whole message. */
export function readMessage(message: Buffer): RawMessage {
	const count = (at: number) => message.readUInt16BE(at);
	let offset = 12;
	const several = <Item>(many: number, one: (at: number) => [item: Item, end: number]) =>
		Array.from({ length: many }, () => {
			const [item, end] = one(offset);
			offset = end;
			return item;
		});
	const records = (many: number) => several(many, (at) => readRecord(message, at));
	return {
		id: count(0),
		flags: count(2),
		questions: several(count(4), (at) => readQuestion(message, at)),
		answers: records(count(6)),
		authorities: records(count(8)),
		additionals: records(count(10)),
		end: offset,
	};
}

function readQuestion(message: Buffer, start: number): [RawQuestion, number] {
	const decoded = names.decode(message, start);
	const at = start + names.decode.bytes;
	const name = decoded === "." ? "" : decoded.toLowerCase();
	return [{ name, type: message.readUInt16BE(at), class: message.readUInt16BE(at + 2) }, at + 4];
}

function readRecord(message: Buffer, start: number): [RawRecord, number] {
	const [question, at] = readQuestion(message, start);
	const [dataAt, ttl] = [at + 4, message.readUInt32BE(at)];
	const end = dataAt + 2 + message.readUInt16BE(dataAt);
	if (end > message.length) throw new RangeError("A record goes beyond the end of its message");
	return [{ ...question, ttl, data: message.subarray(dataAt + 2, end), start, dataAt }, end];
}

/** A name as it is signed and compared: small letters, never shortened (RFC 4034 §6.2). */
export function nameBytes(name: string): Buffer {
	return names.encode(name.toLowerCase());
}

/** One record; without data it stands for a whole RRset, or for a name, as its type and class say. */
export function recordBytes(record: { name: string; type: number; class: number; ttl?: number; data?: Buffer }) {
	const { name, type, class: kind, ttl = 0, data = Buffer.alloc(0) } = record;
	const middle = Buffer.alloc(10);
	middle.writeUInt16BE(type, 0);
	middle.writeUInt16BE(kind, 2);
	middle.writeUInt32BE(ttl, 4);
	middle.writeUInt16BE(data.length, 8);
	return Buffer.concat([nameBytes(name), middle, data]);
}

/** A record's data, without its length in front. */
export function dataBytes(type: DnsRecord["type"], value: string): Buffer {
	return dataCodec(type)
		.encode(type === "TXT" ? textChunks(value) : value)
		.subarray(2);
}

/** A text as DNS carries it, in pieces of at most 255 bytes (RFC 1035 §3.3.14). */
export function textChunks(value: string): Buffer[] {
	const bytes = Buffer.from(value);
	const many = Math.max(1, Math.ceil(bytes.length / 255));
	return Array.from({ length: many }, (_, n) => bytes.subarray(n * 255, n * 255 + 255));
}

/** The same the other way round; undefined for types of which we know nothing. */
export function recordValue(
	message: Buffer,
	{ type, dataAt, data }: RawRecord,
): Pick<DnsRecord, "type" | "value"> | undefined {
	const known = (["A", "AAAA", "CNAME", "TXT"] as const).find((name) => types[name] === type);
	if (known === undefined || data.length === 0) return undefined;
	const { decode } = dataCodec(known);
	const value = plainValue(known, decode(message, dataAt));
	if (decode.bytes !== data.length + 2)
		throw new RangeError(`The data of a record of type ${known} has a wrong length`);
	return { type: known, value };
}

/** A value as we compare it: texts joined, names in small letters. */
export function plainValue(type: DnsRecord["type"], value: unknown): string {
	if (type === "TXT") return Buffer.concat([value].flat() as Buffer[]).toString();
	return String(value).toLowerCase().replace(/\.$/, "");
}

/** Says that datagrams of this many bytes are welcome (EDNS, RFC 6891). */
export function ednsOption(udpPayloadSize: number): OptAnswer {
	const nothing = { extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
	return { type: "OPT", name: ".", udpPayloadSize, ...nothing };
}
