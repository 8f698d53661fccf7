import type { Answer } from "#protocol/client.ts";
import { ago, seconds } from "./moments.ts";

type Domain = Answer<"GET /domains">["items"][number];
type Records = Answer<"GET /domains/{domain}/records">;
type DnsRecord = Records["records"][number];

export const managed: Domain = {
	domain: "choir.localhost",
	unicode: "choir.localhost",
	managed: true,
	deployment: null,
	addedAt: ago(0),
};

export const unmanaged: Domain = { ...managed, domain: "choir.example", unicode: "choir.example", managed: false };

const record = (
	type: DnsRecord["type"],
	name: string,
	value: string,
	purpose: string,
	more: Partial<DnsRecord> = {},
): DnsRecord => ({
	type,
	name,
	value,
	ttl: 300,
	purpose,
	state: "right",
	seen: [],
	server: "ns1.dns.example",
	checkedAt: ago(3 * seconds),
	...more,
});

const claim = "e=1; a=https://north.example/actor; c=4f0c9a6be2d84713a5";

export const pointed: Records = {
	domain: "choir.localhost",
	managed: true,
	ready: true,
	records: [
		record("CNAME", "social.choir.localhost", "north.localhost", "snac"),
		record("TXT", "_fediversity.choir.localhost", claim, "ownership"),
	],
};

export const unpointed: Records = {
	domain: "choir.example",
	managed: false,
	ready: false,
	records: [
		record("A", "social.choir.example", "192.0.2.17", "snac", { state: "wrong", seen: ["198.51.100.4"] }),
		record("AAAA", "social.choir.example", "2001:db8:4a::17", "snac", { state: "missing" }),
		record("CNAME", "wiki.choir.example", "north.example", "wiki"),
		record("TXT", "_fediversity.choir.example", claim, "ownership", {
			state: "unknown",
			server: null,
			checkedAt: null,
		}),
	],
};
