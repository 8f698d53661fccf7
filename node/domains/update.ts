import { classes, dataBytes, nameBytes, opcodes, recordBytes, types } from "./wire.ts";
import type { DnsRecord } from "./zone.ts";

/** What must hold for an update to be carried out, of the texts at one name: none at all, or this one alone. */
export interface Prerequisite {
	readonly name: string;
	readonly text: string | null;
}

/** An UPDATE message (RFC 2136 §2) that makes the RRsets of these records be exactly them. */
export function settingMessage(id: number, zone: string, records: readonly DnsRecord[], only?: Prerequisite): Buffer {
	const names = new Map<string, DnsRecord["type"][]>();
	for (const { name, type } of records) names.set(name, [...(names.get(name) ?? []), type]);
	const cleared = [...names].flatMap(([name, kinds]) => clearing(name, kinds));
	const added = records.map(({ name, type, value, ttl }) =>
		recordBytes({ name, type: types[type], class: classes.IN, ttl, data: dataBytes(type, value) }),
	);
	return message(id, zone, prerequisites(only), [...cleared, ...added]);
}

/** An UPDATE message that removes exactly these records. */
export function removingMessage(id: number, zone: string, records: readonly DnsRecord[], only?: Prerequisite): Buffer {
	const removed = records.map(({ name, type, value }) =>
		recordBytes({ name, type: types[type], class: classes.NONE, data: dataBytes(type, value) }),
	);
	return message(id, zone, prerequisites(only), removed);
}

/**
 * Which types go before new records come to a name. A CNAME stands alone (RFC 1034 §3.6.2), and a server leaves out
 * without a word what cannot stand beside another (RFC 2136 §3.4.2.2); an address of the other family would lead elsewhere.
 */
export function outgoing(kinds: readonly DnsRecord["type"][]): readonly (keyof typeof types)[] {
	if (kinds.includes("CNAME")) return ["ANY"];
	const addresses = kinds.some((kind) => kind !== "TXT") ? (["A", "AAAA"] as const) : [];
	return ["CNAME", ...addresses, ...(kinds.includes("TXT") ? (["TXT"] as const) : [])];
}

const clearing = (name: string, kinds: readonly DnsRecord["type"][]) =>
	outgoing(kinds).map((type) => recordBytes({ name, type: types[type], class: classes.ANY }));

function prerequisites(only: Prerequisite | undefined): Buffer[] {
	if (only === undefined) return [];
	const { name, text } = only;
	const type = types.TXT;
	if (text === null) return [recordBytes({ name, type, class: classes.NONE })];
	return [recordBytes({ name, type, class: classes.IN, data: dataBytes("TXT", text) })];
}

function message(id: number, zone: string, before: readonly Buffer[], changes: readonly Buffer[]): Buffer {
	const head = Buffer.alloc(12);
	[id, opcodes.UPDATE << 11, 1, before.length, changes.length, 0].forEach((value, n) => {
		head.writeUInt16BE(value, n * 2);
	});
	const question = Buffer.alloc(4);
	question.writeUInt16BE(types.SOA, 0);
	question.writeUInt16BE(classes.IN, 2);
	return Buffer.concat([head, nameBytes(zone), question, ...before, ...changes]);
}
