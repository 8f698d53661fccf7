import { expect, test } from "vitest";
import { holderIn, type Need, ownershipIn, recordsFor } from "./records.ts";

const need: Need = {
	domain: "choir.example",
	hosts: [
		{ host: "social.choir.example", service: "snac" },
		{ host: "wiki.choir.example", service: "wiki" },
	],
	addresses: [],
	panelHost: "north.example",
	actor: "https://north.example/actor",
	claim: "c1a1m",
	epoch: 1,
};

test("each host leads to the panel's, and the domain says who serves it", () => {
	expect(recordsFor(need)).toEqual([
		{
			type: "TXT",
			name: "_fediversity.choir.example",
			value: "e=1; a=https://north.example/actor; c=c1a1m",
			ttl: 300,
			purpose: "ownership",
		},
		{ type: "CNAME", name: "social.choir.example", value: "north.example", ttl: 300, purpose: "snac" },
		{ type: "CNAME", name: "wiki.choir.example", value: "north.example", ttl: 300, purpose: "wiki" },
	]);
});

test("with addresses of the services, each host has all of them", () => {
	const records = recordsFor({ ...need, addresses: ["192.0.2.7", "192.0.2.8", "2001:db8::7"] }).slice(1, 4);
	expect(records.map(({ type, name, value }) => [type, name, value])).toEqual([
		["A", "social.choir.example", "192.0.2.7"],
		["A", "social.choir.example", "192.0.2.8"],
		["AAAA", "social.choir.example", "2001:db8::7"],
	]);
});

test("a panel that has an address for a host cannot be the end of a CNAME", () => {
	expect(recordsFor({ ...need, panelHost: "127.0.0.1" })[1]).toMatchObject({ type: "A", value: "127.0.0.1" });
	expect(recordsFor({ ...need, panelHost: "::1" })[1]).toMatchObject({ type: "AAAA", value: "::1" });
});

test("no service takes the panel's own address", () => {
	const taken = { ...need, panelHost: "wiki.choir.example" };
	expect(() => recordsFor(taken)).toThrow(expect.objectContaining({ code: "domain-is-reserved" }));
});

test("the ownership record is read as it is written", () => {
	const [ownership] = recordsFor(need);
	expect(ownershipIn(ownership?.value ?? "")).toEqual({ epoch: 1, actor: need.actor, claim: "c1a1m" });
	expect(ownershipIn(" a=https://x.example/actor ;e=7 ; later=1; c=")).toEqual({
		epoch: 7,
		actor: "https://x.example/actor",
		claim: "",
	});
	for (const other of ["", "v=spf1 -all", "e=1", "e=one; a=x", "a=https://x.example", ";;;", "e=1; a="])
		expect(ownershipIn(other), other).toBeUndefined();
});

test("a holder is named by the host of its node, or by what stands there", () => {
	expect(holderIn("e=1; a=http://south.localhost:8080/actor; c=x")).toBe("south.localhost");
	expect(holderIn("e=1; a=somebody; c=x")).toBe("e=1; a=somebody; c=x");
	expect(holderIn("something else")).toBe("something else");
});
