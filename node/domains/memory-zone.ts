import { Problem } from "#protocol/problem.ts";
import { elsewhere } from "./elsewhere.ts";
import type { DnsRecord, Zone } from "./zone.ts";

/** A zone that is only a list, for tests; several nodes may share one. */
export class MemoryZone implements Zone {
	readonly name: string;
	readonly server = "memory";
	records: readonly DnsRecord[] = [];

	constructor(name: string, records: readonly DnsRecord[] = []) {
		this.name = name;
		this.records = records;
	}

	async set(records: readonly DnsRecord[], unless?: { name: string; mine: string }) {
		this.#checkInside(records);
		const holder = this.#texts(unless?.name).find((text) => text !== unless?.mine);
		if (unless && holder !== undefined) throw elsewhere(unless.name, holder);
		this.records = [...this.records.filter((old) => !records.some((record) => excludes(record, old))), ...records];
	}

	async remove(records: readonly DnsRecord[], unless?: { name: string; mine: string }) {
		this.#checkInside(records);
		const texts = this.#texts(unless?.name);
		if (unless && (texts.length !== 1 || texts[0] !== unless.mine)) return;
		this.records = this.records.filter((old) => !records.some((record) => isSame(record, old)));
	}

	async look(name: string, type: DnsRecord["type"]): Promise<string[]> {
		return this.records.filter((record) => record.name === name && record.type === type).map(({ value }) => value);
	}

	#texts(name: string | undefined): string[] {
		return this.records.filter((record) => record.name === name && record.type === "TXT").map(({ value }) => value);
	}

	#checkInside(records: readonly DnsRecord[]) {
		const name = records.find((record) => !record.name.endsWith(`.${this.name}`))?.name;
		if (name) throw new Problem("zone-refused", { name, reason: "the name is not in its zone" });
	}
}

/** The same rule as in `update.ts`: what cannot stay when `fresh` comes to its name. */
function excludes(fresh: DnsRecord, old: DnsRecord): boolean {
	if (fresh.name !== old.name) return false;
	if (fresh.type === "CNAME" || old.type === "CNAME" || fresh.type === old.type) return true;
	return fresh.type !== "TXT" && old.type !== "TXT";
}

function isSame(one: DnsRecord, other: DnsRecord): boolean {
	return one.name === other.name && one.type === other.type && one.value === other.value;
}
