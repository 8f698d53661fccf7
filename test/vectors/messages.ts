/** The content of each kind of message and the bodies of the light calls: such as are taken, and such as are refused. */
import { canonical } from "../../protocol/migration/canonical.ts";
import { accept, manifest, offer, says } from "./nodes.ts";

const contents = {
	...{ offer, accept, reject: says.reject.content, manifest: manifest(1, false), announce: says.announce(1).content },
	...{
		thaw: says.thaw(2).content,
		vote: says.vote(2).content,
		move: says.move(2).content,
		active: says.active(2).content,
	},
	...{ withdraw: says.withdraw.content, erased: says.erased.content },
};

const rehearsed = {
	...says.announce(1).content,
	rehearsal: { ok: false, seconds: 1.5, checks: [{ what: "snac answers", ok: false, detail: "500" }] },
};
const [service] = offer.services;
const long = (letters: number) => "x".repeat(letters);

/** One thing wrong in each. */
const wrong: readonly (readonly [kind: string, content: object])[] = [
	["offer", { ...offer, more: 1 }],
	["offer", { ...offer, epoch: 0 }],
	["offer", { ...offer, services: [] }],
	["offer", { ...offer, services: [{ ...service, hosts: ["no host"] }] }],
	["offer", { ...offer, services: [{ ...service, volumes: [{ name: "data", kind: "tape", bytes: 1 }] }] }],
	["offer", { ...offer, owner: { username: "Anna", email: "anna@choir.example" } }],
	["offer", { ...offer, keepDays: 3651 }],
	["offer", { ...offer, customer: long(301) }],
	["accept", { ...accept, front: "ftp://south.example" }],
	["accept", { ...accept, records: [{ ...accept.records[0], type: "MX" }] }],
	["accept", { ...accept, records: [{ ...accept.records[0], ttl: 29 }] }],
	["accept", { ...accept, limits: { bytes: 1, entries: 0 } }],
	["accept", { ...accept, sealTo: accept.sealTo.slice(1) }],
	["reject", { code: "full", detail: "" }],
	["reject", { code: long(61), params: {}, detail: "" }],
	["manifest", { ...manifest(1, false), round: 0 }],
	["manifest", { ...manifest(1, false), final: null }],
	["announce", { ...contents.announce, seconds: -1 }],
	["announce", { ...contents.announce, skipped: 0.5 }],
	["announce", { ...contents.announce, rehearsal: { ok: true } }],
	["thaw", { manifest: contents.thaw }],
	["vote", { ...(contents.vote as object), bytes: 2 ** 53 }],
	["move", { ...(contents.move as object), epoch: 1 }],
	["move", { ...(contents.move as object), secrets: "+" }],
	["active", { ...(contents.active as object), checks: [{ what: "snac", ok: "yes", detail: "" }] }],
	["withdraw", { code: "cancelled" }],
	["erased", { at: "now", entries: 0, bytes: 0 }],
];

export function messageVectors() {
	const valid = [...Object.entries(contents), ["announce", rehearsed] as const];
	return {
		about: "Contents by kind, as canonical JSON. Those under invalid have one thing each that is not as it must be.",
		valid: valid.map(([kind, content]) => ({ kind, content: canonical(content) })),
		invalid: wrong.map(([kind, content]) => ({ kind, content: canonical(content) })),
	};
}

const terms = {
	...{ ok: false, problems: [{ code: "voucher-needed", params: {}, detail: "You have no unused voucher" }] },
	...{
		customer: "Anna",
		provider: "South",
		place: "Leipzig",
		terms: null,
		versions: [{ service: "snac", version: null }],
	},
	...{ limits: { bytes: 1000, entries: 10 }, asks: true, managesZone: false, rate: 1e6 },
};
const progress = { step: "copy", fraction: 0.5, bytes: null, of: null, note: "12 of 24 files", seconds: null };
const value = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";

/** Bodies of the calls besides activities; `terms` is the answer to an enquiry. */
export function callVectors() {
	return {
		about:
			"Bodies of calls, and terms: the answer to an enquiry. A receiver need not refuse another spelling of the JSON.",
		valid: [
			{ call: "enquiry", body: { offer } },
			{ call: "terms", body: terms },
			{ call: "progress", body: progress },
			{ call: "progress", body: { ...progress, step: "rested", fraction: null, note: null, seconds: 7 } },
			{ call: "challenge", body: { values: [{ host: "social.choir.example", value }] } },
			{ call: "challenge", body: { values: [] } },
		],
		invalid: [
			{ call: "enquiry", body: offer },
			{ call: "terms", body: { ...terms, rate: 0 } },
			{ call: "progress", body: { ...progress, fraction: 1.5 } },
			{ call: "progress", body: { step: "copy" } },
			{ call: "challenge", body: { values: [{ host: "social.choir.example", value: "x" }] } },
			{ call: "challenge", body: { values: Array.from({ length: 33 }, () => ({ host: "a.example", value })) } },
		],
	};
}
