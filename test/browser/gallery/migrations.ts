/** Moves between two providers, at every point, as either of them would tell them. */
import type { Answer } from "#protocol/client.ts";
import { type Job, job, type Step } from "./jobs.ts";
import { ago, ahead, days, minutes, seconds } from "./moments.ts";

export type Migration = Answer<"GET /migrations/{id}">;
export type MoveIn = Answer<"GET /move-ins/{id}">;
export type Plan = Answer<"POST /deployments/{id}/move-plan">;
export type Known = Answer<"GET /providers">["items"][number];

export const words = ["harbour", "candle", "wren", "orchard", "violin", "meadow"];

export const token =
	"https://south.example/migrate/pT8mXq2ZrVb0cN5kLwYd4A#v1.q0uJk3mWc1Jm4Zb8eS7hYp2RtLa9dXk7Qp2vJ0xkTt4.mYh1BzR9cLwE6sUaGdN3oKfX8iVq5ZMpT8mXq2ZrVb0.9fQ2";

export const south = { origin: "https://south.example", provider: "South", customer: "Anna Lind" };
const trouble = (code: string, detail: string, params: Record<string, string> = {}) => ({ code, detail, params });

export const moveIn = (id: string, state: MoveIn["state"], more: Partial<MoveIn> = {}): MoveIn => ({
	id,
	state,
	domain: null,
	services: ["snac", "wiki"],
	diskMiB: 10_240,
	createdAt: ago(12 * minutes),
	expiresAt: state === "waiting" ? ahead(48 * minutes) : null,
	from: null,
	offer: null,
	words: null,
	deployment: null,
	job: null,
	problem: null,
	...more,
});

const offered: Partial<MoveIn> = {
	from: south,
	offer: { domain: "choir.localhost", services: ["snac", "wiki"], bytes: 85_440_000 },
	words,
};

export const moveIns = {
	asked: moveIn("m9", "asked", offered),
	agreed: moveIn("m9", "agreed", offered),
	moving: moveIn("m9", "moving", { ...offered, deployment: "d1", job: "j2" }),
	earlier: [
		moveIn("m6", "waiting", { domain: "school.example" }),
		moveIn("m5", "done", { ...offered, createdAt: ago(3 * days), deployment: "d1", job: "j1" }),
		moveIn("m4", "refused", { ...offered, createdAt: ago(4 * days) }),
		moveIn("m3", "revoked", { domain: "parish.example", createdAt: ago(5 * days) }),
		moveIn("m2", "expired", {
			createdAt: ago(9 * days),
			problem: trouble("node-silent", "https://south.example does not answer", { origin: "https://south.example" }),
		}),
	],
};

export const provider = (name: string, more: Partial<Known> = {}): Known => ({
	origin: `https://${name.toLowerCase()}.example`,
	name,
	place: "Malmö",
	jurisdiction: "Sweden",
	services: [
		{ name: "snac", title: "snac", version: "2.75" },
		{ name: "wiki", title: "Federated Wiki", version: "0.40.2" },
		{ name: "galene", title: "Galene", version: "0.96" },
	],
	price: "40 SEK a month for 10 GB",
	limits: { bytes: 10_000_000_000 },
	backups: "Every night, kept for 30 days at another place",
	freeBytes: 412_000_000_000,
	terms: "https://south.example/terms",
	fits: true,
	why: null,
	seenAt: ago(20 * seconds),
	...more,
});

export const providers: Known[] = [
	provider("East", {
		place: "Tartu",
		jurisdiction: "Estonia",
		price: null,
		limits: { bytes: 50_000_000 },
		fits: false,
		why: trouble("migration-too-large", "85.4 MB are more than the 50 MB that the new provider has room for", {
			what: "85.4 MB",
			limit: "50 MB",
		}),
	}),
	provider("South"),
	provider("West", {
		...{ place: null, jurisdiction: null, price: null, limits: { bytes: null }, backups: null, freeBytes: null },
		...{ terms: null, fits: null, seenAt: ago(3 * days) },
	}),
];

export const plan: Plan = {
	to: { ...south, place: "Malmö, Sweden", terms: "https://south.example/terms" },
	words,
	asks: true,
	services: [
		{ name: "snac", title: "snac", here: "2.75", there: "2.75", bytes: 84_200_000 },
		{ name: "wiki", title: "Federated Wiki", here: "0.40.1", there: "0.40.2", bytes: 1_240_000 },
	],
	bytes: 85_440_000,
	room: 10_000_000_000,
	problems: [],
	records: "here",
	seconds: 230,
	freezeSeconds: 2.4,
	keepDays: 30,
};

export const refused: Plan = {
	...plan,
	asks: false,
	records: "you",
	bytes: null,
	services: plan.services.map((one) => ({ ...one, there: null, bytes: null })),
	problems: [
		trouble("service-unavailable", "Federated Wiki cannot run on this node", {
			service: "wiki",
			reason: "npm is missing",
		}),
		trouble("migration-too-large", "…", { what: "18.2 GB", limit: "10 GB" }),
	],
};

type Verb = readonly [verb: string, title: string, expected: number];

const verbs: Readonly<Record<"leave" | "arrive", readonly Verb[]>> = {
	leave: [
		["agree", "Agree with the new provider", 20],
		["copy", "Copy everything while your services run", 160],
		["rehearse", "See that it works at the new provider", 24],
		["freeze", "Let your services rest", 1],
		["rest", "Copy what has changed since", 1],
		["verify", "Wait until the new provider has checked every byte", 1],
		["hand-over", "Hand over to the new provider", 1],
		["domain", "Point the domain to the new provider", 2],
		["serve", "See that your services answer there", 4],
	],
	arrive: [
		["agree", "Agree with the old provider", 20],
		["prepare", "Get ready for your services", 14],
		["copy", "Copy everything while your services run", 160],
		["rehearse", "Try your services with a copy", 24],
		["rest", "Copy what has changed since", 1],
		["verify", "Check every byte", 1],
		["take-over", "Take over from the old provider", 1],
		["start", "Start your services", 2],
		["serve", "Tell the old provider that they serve", 1],
		["domain", "Point the domain here", 2],
		["welcome", "Tidy up", 3],
	],
};

type Kind = keyof typeof verbs;

/** A job whose first steps are done, and the next one is as `now` says. */
function moving(kind: Kind, done: number, state: Job["state"], now: Partial<Step> = {}): () => Job {
	return () => {
		const all = verbs[kind];
		let at = all.slice(0, done).reduce((sum, [, , expected]) => sum + expected, 4);
		const steps = all.map(([verb, title, expectedSeconds], n): Step => {
			const startedAt = ago(at * seconds);
			if (n < done) at -= expectedSeconds;
			const past = n < done && { state: "done" as const, attempt: 1, startedAt, endedAt: ago(at * seconds) };
			const present = n === done && { attempt: 1, startedAt: ago(4 * seconds), ...now };
			const fresh = { startedAt: null, endedAt: null, fraction: null, note: null, problem: null, attempt: 0 };
			return {
				...{ step: verb, verb, service: null, title, state: "waiting", expectedSeconds, nextAttemptAt: null },
				...fresh,
				...past,
				...present,
			};
		});
		const committed = all.findIndex(([verb]) => verb === "hand-over" || verb === "take-over");
		return {
			...job(state, steps),
			kind,
			canCancel: state === "running" && done < committed,
			canRetry: state === "stuck",
		};
	};
}

const copying: Partial<Step> = {
	state: "running",
	fraction: 0.58,
	note: "49.6 MB of 85.4 MB, 2410 of 4102 files, 12 MB a second",
};
const cutOff: Partial<Step> = {
	state: "failed",
	endedAt: ago(2 * seconds),
	problem: trouble("node-silent", "https://south.example does not answer", { origin: "https://south.example" }),
};

export const moves = {
	agreeing: moving("leave", 0, "running", { state: "running" }),
	copying: moving("leave", 1, "running", copying),
	resting: moving("leave", 4, "running", { state: "running", fraction: 0.3, note: "410 kB of 1.2 MB, 2 of 9 files" }),
	handing: moving("leave", 7, "running", { state: "running" }),
	left: moving("leave", 9, "done"),
	calledOff: () => ({ ...moving("leave", 1, "undone", cutOff)() }),
	stuck: moving("leave", 8, "stuck", { ...cutOff, state: "stuck" }),
	arriving: moving("arrive", 2, "running", copying),
	arrived: moving("arrive", 11, "done"),
	records: moving("arrive", 9, "running", {
		state: "retrying",
		attempt: 3,
		problem: trouble("domain-not-pointed", "The records are not right yet", { domain: "choir.localhost" }),
		nextAttemptAt: ahead(20 * seconds),
	}),
};

const base: Migration = {
	id: "g1",
	side: "source",
	domain: "choir.localhost",
	deployment: "d1",
	job: "j2",
	state: "copying",
	other: south,
	words,
	startedAt: ago(4 * minutes),
	endedAt: null,
	rounds: [{ round: 1, final: false, entries: 4_102, bytes: 85_440_000, moved: null, seconds: null }],
	rehearsal: null,
	frozenAt: null,
	thawedAt: null,
	freeze: { expected: 2.4, measured: null, most: 60 },
	counts: null,
	deferred: 0,
	forwarded: 0,
	forwardingUntil: null,
	keptUntil: null,
	erasedAt: null,
	receipt: false,
};

const rehearsal: Migration["rehearsal"] = {
	ok: true,
	seconds: 24.2,
	checks: [
		{ what: "snac: page", ok: true, detail: "200" },
		{ what: "snac: account", ok: true, detail: "@admin@social.choir.localhost" },
		{ what: "snac: api", ok: true, detail: "12 posts, 4 followers" },
	],
};

const rounds: Migration["rounds"] = [
	{ round: 1, final: false, entries: 4_102, bytes: 85_440_000, moved: 85_440_000, seconds: 158 },
	{ round: 2, final: false, entries: 4_110, bytes: 85_610_000, moved: 1_240_000, seconds: 3.2 },
	{ round: 3, final: true, entries: 4_111, bytes: 85_612_000, moved: 18_400, seconds: 0.6 },
];

const over: Migration = {
	...base,
	state: "moved",
	endedAt: ago(3 * seconds),
	rounds,
	rehearsal,
	frozenAt: ago(12 * seconds),
	thawedAt: ago(10 * seconds),
	freeze: { expected: 2.4, measured: 1.9, most: 60 },
	counts: { entries: 4_111, bytes: 85_612_000, manifest: "3q2-7wK9tYb1mLx0ZpV5cR8sNfJhGdTaUiOeXyQw4kE" },
	deferred: 7,
	forwarded: 214,
	forwardingUntil: ahead(2 * days),
	keptUntil: ahead(30 * days),
	receipt: true,
};

/** Made anew whenever they are asked for: what rests has always just begun to. */
export const migrations = {
	agreeing: () => ({ ...base, state: "agreeing", rounds: [] }),
	copying: () => base,
	resting: () => ({
		...base,
		...{ state: "frozen", rounds: rounds.slice(0, 2), rehearsal },
		frozenAt: ago(1.4 * seconds),
	}),
	late: () => ({ ...base, state: "frozen", rounds: rounds.slice(0, 2), rehearsal, frozenAt: ago(41 * seconds) }),
	handing: () => ({
		...over,
		state: "handing-over",
		endedAt: null,
		keptUntil: null,
		forwardingUntil: null,
		receipt: false,
	}),
	left: () => over,
	erased: () => ({
		...over,
		forwarded: 1_861,
		forwardingUntil: ago(25 * days),
		keptUntil: ago(days),
		erasedAt: ago(days),
	}),
	calledOff: () => ({ ...base, state: "undone", endedAt: ago(2 * seconds) }),
	stuck: () => ({ ...over, state: "stuck", endedAt: null, receipt: false, counts: null }),
	arriving: () => ({ ...base, side: "target" }),
	records: () => ({ ...over, side: "target", endedAt: null, receipt: false }),
	arrived: () => ({ ...over, side: "target", deferred: 0, forwarded: 0, forwardingUntil: null }),
} satisfies Record<string, () => Migration>;
