import { expect, test } from "vitest";
import type { Lookup } from "./lookup.ts";
import { type NeededRecord, recordsFor } from "./records.ts";
import { verdicts } from "./verdict.ts";

const hosts = [{ host: "social.choir.example", service: "snac" }];
const need = {
	domain: "choir.example",
	hosts,
	panelHost: "north.example",
	actor: "https://north.example/actor",
	claim: "c",
	epoch: 1,
};
const [ownership, alias] = recordsFor({ ...need, addresses: [] }) as [NeededRecord, NeededRecord];
const addresses = (...list: string[]) => recordsFor({ ...need, addresses: list }).slice(1);

/** Servers by name: what each has, as `TYPE value`, at the one name that is asked for; null: it is silent. */
function servers(all: Record<string, readonly string[] | null>): Lookup {
	return {
		ask: async (_name, type) =>
			Object.entries(all).map(([server, found]) => ({
				server,
				at: 1,
				values: found?.filter((one) => one.startsWith(`${type} `)).map((one) => one.slice(type.length + 1)) ?? null,
			})),
	};
}

async function stateOf(record: NeededRecord, ...found: string[]) {
	const [verdict] = await verdicts([record], servers({ ns1: found }));
	return [verdict?.state, ...(verdict?.seen ?? [])];
}

async function statesOf(records: readonly NeededRecord[], ...found: string[]) {
	return (await verdicts(records, servers({ ns1: found }))).map(({ state }) => state);
}

test("a CNAME is right alone, and wrong beside or instead of something else", async () => {
	expect(await stateOf(alias)).toEqual(["missing"]);
	expect(await stateOf(alias, "CNAME north.example")).toEqual(["right", "north.example"]);
	expect(await stateOf(alias, "CNAME south.example")).toEqual(["wrong", "south.example"]);
	expect(await stateOf(alias, "A 192.0.2.1")).toEqual(["wrong", "A 192.0.2.1"]);
	expect(await stateOf(alias, "CNAME north.example", "AAAA 2001:db8::1")).toEqual([
		...["wrong", "AAAA 2001:db8::1", "north.example"],
	]);
});

test("an address is wrong while a CNAME stands there, or one more address, or a left-over of the other family", async () => {
	const [a] = addresses("192.0.2.7") as [NeededRecord];
	expect(await stateOf(a)).toEqual(["missing"]);
	expect(await stateOf(a, "A 192.0.2.7")).toEqual(["right", "192.0.2.7"]);
	expect(await stateOf(a, "A 192.0.2.9")).toEqual(["wrong", "192.0.2.9"]);
	expect(await stateOf(a, "CNAME parking.example")).toEqual(["wrong", "CNAME parking.example"]);
	expect(await stateOf(a, "A 192.0.2.7", "A 192.0.2.9")).toEqual(["wrong", "192.0.2.7", "192.0.2.9"]);
	expect(await stateOf(a, "A 192.0.2.7", "AAAA 2001:db8::9")).toEqual(["wrong", "192.0.2.7", "AAAA 2001:db8::9"]);
});

test("of several addresses each has its own state", async () => {
	const both = addresses("192.0.2.7", "192.0.2.8", "2001:db8::7");
	expect(await statesOf(both, "A 192.0.2.7")).toEqual(["right", "missing", "missing"]);
	expect(await statesOf(both, "A 192.0.2.7", "A 192.0.2.8", "AAAA 2001:db8::7")).toEqual(["right", "right", "right"]);
	expect(await statesOf(both, "A 192.0.2.8", "A 192.0.2.9")).toEqual(["wrong", "wrong", "wrong"]);
});

test("a text must stand there exactly and alone", async () => {
	const right = `TXT ${ownership.value}`;
	expect(await stateOf(ownership, right)).toEqual(["right", ownership.value]);
	expect(await stateOf(ownership, `TXT ${ownership.value.toUpperCase()}`)).toContain("wrong");
	expect(await stateOf(ownership, `TXT "${ownership.value}"`)).toContain("wrong");
	expect(await stateOf(ownership, right, "TXT e=1; a=https://south.example/actor; c=x")).toContain("wrong");
	expect(await stateOf(ownership, right, "A 192.0.2.1")).toEqual(["right", ownership.value]);
});

test("one address can be written in many ways", async () => {
	const [aaaa] = addresses("2001:DB8:0:0:0:0:0:7") as [NeededRecord];
	expect(await stateOf(aaaa, "AAAA 2001:db8::7")).toEqual(["right", "2001:db8::7"]);
	expect(await stateOf({ ...alias, value: "North.Example." }, "CNAME north.example")).toContain("right");
});

test("of servers that disagree the worst is told, with its name; silent ones count only when all are", async () => {
	const told = async (all: Parameters<typeof servers>[0]) => {
		const [verdict] = await verdicts([alias], servers(all));
		return [verdict?.state, verdict?.server];
	};
	const right = ["CNAME north.example"];
	expect(await told({ ns1: right, ns2: right })).toEqual(["right", "ns1"]);
	expect(await told({ ns1: right, ns2: [], ns3: null })).toEqual(["missing", "ns2"]);
	expect(await told({ ns1: right, ns2: [], ns3: ["A 192.0.2.1"] })).toEqual(["wrong", "ns3"]);
	expect(await told({ ns1: null, ns2: right })).toEqual(["right", "ns2"]);
	expect(await told({ ns1: null, ns2: null })).toEqual(["unknown", "ns1"]);
	expect(await told({})).toEqual(["unknown", null]);
});
