import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { classes, type RawMessage, type RawRecord, rcodes, recordValue, types } from "../domains/wire.ts";
import type { DnsRecord } from "../domains/zone.ts";

/** A response code of DNS; `rcodes` has their names. */
export type Rcode = number;

interface Saved {
	readonly serial: number;
	readonly records: readonly DnsRecord[];
}

/**
 * The records of the demo's one zone. What updates bring is in a file before they are answered, so that it outlives
 * a `kill -9`; the names that were given at the start are fixed: nobody changes them or anything below them.
 */
export class ZoneData {
	readonly name: string;
	readonly #fixed: readonly DnsRecord[];
	readonly #file: string;
	#saved: Saved;

	constructor(name: string, fixed: readonly DnsRecord[], file: string) {
		this.name = name;
		this.#fixed = fixed;
		this.#file = file;
		this.#saved = read(file);
	}

	get serial(): number {
		return this.#saved.serial;
	}

	/** What updates brought, without the fixed names. */
	get records(): readonly DnsRecord[] {
		return this.#saved.records;
	}

	/** All records at a name. */
	at(name: string): readonly DnsRecord[] {
		return [...this.#fixed, ...this.#saved.records].filter((record) => record.name === name);
	}

	/** Whether a name has records, or a name below it has (RFC 8020). */
	has(name: string): boolean {
		return [...this.#fixed, ...this.#saved.records].some((record) => isAtOrBelow(record.name, name));
	}

	contains(name: string): boolean {
		return isAtOrBelow(name, this.name);
	}

	/** Carries out an UPDATE (RFC 2136 §3), all of it or nothing, and says what became of it. */
	update(message: Buffer, { questions, answers, authorities }: RawMessage): Rcode {
		const [zone] = questions;
		if (questions.length !== 1 || zone?.type !== types.SOA) return rcodes.FORMERR;
		if (zone.name !== this.name || zone.class !== classes.IN) return rcodes.NOTAUTH;
		const before = this.#prerequisites(message, answers);
		if (before !== rcodes.NOERROR) return before;
		const wrong = authorities.map((change) => this.#refusal(message, change)).find((code) => code !== rcodes.NOERROR);
		if (wrong !== undefined) return wrong;
		const records = authorities.reduce((now, change) => changed(now, message, change), this.#saved.records);
		if (JSON.stringify(records) !== JSON.stringify(this.#saved.records)) this.#save(records);
		return rcodes.NOERROR;
	}

	/** RFC 2136 §3.2. */
	#prerequisites(message: Buffer, demands: readonly RawRecord[]): Rcode {
		const exact = new Map<string, string[]>();
		for (const demand of demands) {
			const { name, type, data, ttl } = demand;
			if (ttl !== 0 || (demand.class !== classes.IN && data.length > 0)) return rcodes.FORMERR;
			if (!this.contains(name)) return rcodes.NOTZONE;
			const there = this.at(name).some((record) => type === types.ANY || types[record.type] === type);
			if (demand.class === classes.ANY && !there) return type === types.ANY ? rcodes.NXDOMAIN : rcodes.NXRRSET;
			if (demand.class === classes.NONE && there) return type === types.ANY ? rcodes.YXDOMAIN : rcodes.YXRRSET;
			if (![classes.ANY, classes.NONE, classes.IN].some((known) => known === demand.class)) return rcodes.FORMERR;
			if (demand.class !== classes.IN) continue;
			const key = `${name} ${type}`;
			exact.set(key, [...(exact.get(key) ?? []), recordValue(message, demand)?.value ?? ""]);
		}
		const same = [...exact].every(([key, values]) => {
			const [name = "", type] = key.split(" ");
			const found = this.at(name).filter((record) => types[record.type] === Number(type));
			return isSameSet(
				found.map(({ value }) => value),
				values,
			);
		});
		return same ? rcodes.NOERROR : rcodes.NXRRSET;
	}

	/** RFC 2136 §3.4.1, and what this server does not let anybody change. */
	#refusal(message: Buffer, change: RawRecord): Rcode {
		const { name, type, data, ttl } = change;
		if (!this.contains(name)) return rcodes.NOTZONE;
		if (name === this.name || this.#fixed.some((record) => isAtOrBelow(name, record.name))) return rcodes.REFUSED;
		if (change.class === classes.IN) return recordValue(message, change) ? rcodes.NOERROR : rcodes.REFUSED;
		if (change.class === classes.ANY) return ttl === 0 && data.length === 0 ? rcodes.NOERROR : rcodes.FORMERR;
		return change.class === classes.NONE && ttl === 0 && type !== types.ANY ? rcodes.NOERROR : rcodes.FORMERR;
	}

	#save(records: readonly DnsRecord[]) {
		const saved = { serial: this.#saved.serial + 1, records };
		write(this.#file, saved);
		this.#saved = saved;
	}
}

/** RFC 2136 §3.4.2: one change after the other. */
function changed(records: readonly DnsRecord[], message: Buffer, change: RawRecord): readonly DnsRecord[] {
	const { name, type, ttl } = change;
	const ofType = (record: DnsRecord) => record.name === name && (type === types.ANY || types[record.type] === type);
	if (change.class === classes.ANY) return records.filter((record) => !ofType(record));
	const data = recordValue(message, change);
	if (!data) return records;
	const same = (record: DnsRecord) => ofType(record) && record.value === data.value;
	if (change.class === classes.NONE) return records.filter((record) => !same(record));
	const clash = (record: DnsRecord) => record.name === name && (record.type === "CNAME") !== (data.type === "CNAME");
	if (records.some(clash)) return records;
	const replaced = (record: DnsRecord) => same(record) || (ofType(record) && data.type === "CNAME");
	return sorted([...records.filter((record) => !replaced(record)), { ...data, name, ttl }]);
}

/** Always in one order, so that an update that changes nothing is seen to change nothing. */
function sorted(records: readonly DnsRecord[]): DnsRecord[] {
	const key = ({ name, type, value }: DnsRecord) => `${name} ${type} ${value}`;
	return [...records].sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

export function isAtOrBelow(name: string, parent: string): boolean {
	return name === parent || name.endsWith(`.${parent}`);
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
	return some.length === new Set(others).size && some.every((value) => others.includes(value));
}

function read(file: string): Saved {
	try {
		return JSON.parse(readFileSync(file, "utf8"));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return { serial: 1, records: [] };
		throw new Error(`The zone in ${file} cannot be read; remove the file to begin with an empty zone`, {
			cause: error,
		});
	}
}

/** Whole or not at all: beside the old file first, on the disk, then in its place. */
function write(file: string, saved: Saved) {
	const next = openSync(`${file}.next`, "w", 0o600);
	try {
		writeSync(next, `${JSON.stringify(saved, null, "\t")}\n`);
		fsyncSync(next);
	} finally {
		closeSync(next);
	}
	renameSync(`${file}.next`, file);
	const folder = openSync(dirname(file), "r");
	try {
		fsyncSync(folder);
	} finally {
		closeSync(folder);
	}
}
