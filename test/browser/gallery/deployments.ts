/** Deployments in every condition. */
import type { Answer } from "#protocol/client.ts";
import { ago, ahead, days, hours, minutes, seconds } from "./moments.ts";

type Deployment = Answer<"GET /deployments/{id}">;
type Service = Deployment["services"][number];

const well = (what: string, milliseconds: number) => ({ what, ok: true, detail: "200", milliseconds });

export const snac: Service = {
	name: "snac",
	title: "snac",
	address: "http://social.choir.localhost:8080",
	handle: "@admin@social.choir.localhost:8080",
	health: "well",
	probes: [well("page", 12), well("api", 8), well("webfinger", 5)],
	checkedAt: ago(20 * seconds),
	sizeBytes: 84_200_000,
	credentials: "unseen",
};

export const wiki: Service = {
	name: "wiki",
	title: "Federated Wiki",
	address: "http://wiki.choir.localhost:8080",
	handle: null,
	health: "well",
	probes: [well("page", 31)],
	checkedAt: ago(20 * seconds),
	sizeBytes: 1_240_000,
	credentials: "shown",
};

export const unwell: Service = {
	...snac,
	health: "unwell",
	probes: [
		{ what: "page", ok: false, detail: "connection refused", milliseconds: 3 },
		{ what: "webfinger", ok: false, detail: "did not answer within 5 seconds", milliseconds: 5000 },
	],
	credentials: "shown",
};

export const choir: Deployment = {
	id: "d1",
	domain: "choir.localhost",
	unicode: "choir.localhost",
	state: "serving",
	services: [snac, wiki],
	job: "j1",
	busy: false,
	createdAt: ago(21 * days),
	keptUntil: null,
	migration: null,
	moved: null,
	unwellSince: null,
	signIn: null,
};

/** On a machine of its own, which does not know its customer's newest keys. */
export const ailing: Deployment = {
	...choir,
	unwellSince: ago(12 * minutes),
	signIn: { user: "customer", address: "machine-3.north.example", port: 2222, keys: 2, current: false },
};

export const kept: Deployment = {
	...choir,
	id: "d3",
	domain: "parish.example",
	unicode: "parish.example",
	state: "kept",
	services: [{ ...snac, address: "https://social.parish.example", handle: null, health: "stopped", probes: [] }],
	keptUntil: ahead(12 * days),
};

export const starting: Deployment = {
	...choir,
	id: "d2",
	domain: "school.localhost",
	unicode: "school.localhost",
	state: "starting",
	busy: true,
	job: "j2",
	services: [
		{ ...snac, address: "http://social.school.localhost:8080", health: "starting", probes: [], sizeBytes: null },
	],
};

const south = { origin: "https://south.example", provider: "South" };

export const gone: Deployment = {
	...choir,
	state: "moved",
	services: choir.services.map((one) => ({ ...one, health: "stopped", probes: [] })),
	keptUntil: ahead(30 * days),
	migration: "g1",
	moved: { to: true, ...south },
};

export const arriving: Deployment = {
	...choir,
	state: "arriving",
	busy: true,
	job: "j2",
	services: choir.services.map((one) => ({ ...one, health: "unknown", probes: [], sizeBytes: null })),
	migration: "g1",
	moved: { to: false, ...south },
};

/** As long as names may be, and one that is written in other letters than the DNS has. */
const label = "verein-der-freundinnen-und-freunde-der-alten-dampflokomotiven";
export const longName: Deployment = {
	...choir,
	id: "d4",
	domain: `${label}.${label}.xn--mnchen-3ya.example`,
	unicode: `${label}.${label}.münchen.example`,
	services: [snac, wiki].map((one) => ({
		...one,
		address: `https://social.${label}.${label}.xn--mnchen-3ya.example`,
		handle: one.handle && `@a_name_of_thirty_small_letters_@social.${label}.${label}.xn--mnchen-3ya.example`,
	})),
};

export const many: Deployment[] = Array.from({ length: 24 }, (_, n) => ({
	...(n % 5 === 3 ? { ...choir, services: [unwell] } : choir),
	id: `m${n}`,
	domain: `class-${n + 1}.school.example`,
	unicode: `class-${n + 1}.school.example`,
}));

type Entry = Answer<"GET /deployments/{id}/history">["items"][number];

const entry = (
	seq: number,
	at: string,
	kind: string,
	params: Record<string, string> = {},
	job: string | null = null,
): Entry => ({
	seq,
	at,
	kind,
	text: kind,
	params,
	job,
});

export const history: Entry[] = [
	entry(9, ago(2 * hours), "service-well", { service: "wiki" }),
	entry(8, ago(2 * hours + 3 * minutes), "service-unwell", { service: "wiki" }),
	entry(7, ago(3 * days), "restart-done", {}, "j7"),
	entry(5, ago(20 * days), "password-shown", { service: "wiki" }),
	entry(4, ago(21 * days), "deploy-done", {}, "j1"),
	entry(3, ago(21 * days + 12 * seconds), "deploy-asked", { services: "snac, Federated Wiki" }, "j1"),
];
