import type { Lookup, Said } from "./lookup.ts";
import type { NeededRecord } from "./records.ts";
import type { DnsRecord } from "./zone.ts";

/** How a record stands: what the servers say of it now. */
export interface Verdict {
	readonly state: "right" | "missing" | "wrong" | "unknown";
	/** Everything that was found in its place; of another type with that in front, such as `CNAME elsewhere.example`. */
	readonly seen: readonly string[];
	/** Whose answer that was; the worst one, if servers do not agree. */
	readonly server: string | null;
	readonly at: number | null;
}

type Type = DnsRecord["type"];

/** What one server has at one name, of all types that matter there. */
interface Sight {
	readonly server: string;
	readonly at: number;
	readonly found: readonly { readonly type: Type; readonly value: string }[] | null;
}

/** A host leads where its addresses and its CNAME lead, so all three are looked at, whichever of them is wanted. */
const rivals: Record<Type, readonly Type[]> = {
	A: ["A", "AAAA", "CNAME"],
	AAAA: ["A", "AAAA", "CNAME"],
	CNAME: ["A", "AAAA", "CNAME"],
	TXT: ["TXT"],
};

/** Looks at each record; a record is right only if nothing stands beside it that is not wanted too. */
export async function verdicts(records: readonly NeededRecord[], lookup: Lookup): Promise<Verdict[]> {
	const sights = new Map<string, Promise<readonly Sight[]>>();
	for (const { name, type } of records)
		sights.set(key(name, type), sights.get(key(name, type)) ?? look(name, rivals[type], lookup));
	return Promise.all(
		records.map(async (record) => {
			const wanted = records.filter(({ name, type }) => name === record.name && rivals[record.type].includes(type));
			const seen = await sights.get(key(record.name, record.type));
			return worst((seen ?? []).map((sight) => verdictOf(record, wanted, sight)));
		}),
	);
}

const key = (name: string, type: Type) => `${rivals[type]} ${name}`;

async function look(name: string, types: readonly Type[], lookup: Lookup): Promise<Sight[]> {
	const said = await Promise.all(types.map(async (type) => [type, await lookup.ask(name, type)] as const));
	const servers = new Set(said.flatMap(([, answers]) => answers.map(({ server }) => server)));
	return [...servers].map((server) => {
		const answers = said.map(([type, all]) => [type, all.find((one) => one.server === server)] as const);
		const at = Math.max(...answers.map(([, answer]) => answer?.at ?? 0));
		return { server, at, found: answers.every(([, answer]) => answer?.values) ? answers.flatMap(valuesOf) : null };
	});
}

const valuesOf = ([type, answer]: readonly [Type, Said | undefined]) =>
	(answer?.values ?? []).map((value) => ({ type, value }));

function verdictOf(record: NeededRecord, wanted: readonly NeededRecord[], { server, at, found }: Sight): Verdict {
	if (found === null) return { state: "unknown", seen: [], server, at };
	const isWanted = (one: { type: Type; value: string }) => wanted.some((other) => isSame(other, one));
	const seen = found.map(({ type, value }) => (type === record.type ? value : `${type} ${value}`));
	if (!found.every(isWanted)) return { state: "wrong", seen, server, at };
	return { state: found.some((one) => isSame(record, one)) ? "right" : "missing", seen, server, at };
}

/** Servers that do not answer count only when none does; for the rest, people will meet the worst of them. */
function worst(verdicts: readonly Verdict[]): Verdict {
	const order = ["wrong", "missing", "right", "unknown"] as const;
	const state = order.find((state) => verdicts.some((verdict) => verdict.state === state));
	return verdicts.find((verdict) => verdict.state === state) ?? { state: "unknown", seen: [], server: null, at: null };
}

function isSame(one: { type: Type; value: string }, other: { type: Type; value: string }): boolean {
	return one.type === other.type && comparable(one.type, one.value) === comparable(other.type, other.value);
}

/** IPv6 addresses and names can be written in many ways (RFC 5952, RFC 4343); a text in one only. */
function comparable(type: Type, value: string): string {
	if (type === "AAAA") return URL.parse(`http://[${value}]`)?.hostname ?? value;
	return type === "CNAME" ? value.toLowerCase().replace(/\.$/, "") : value;
}
