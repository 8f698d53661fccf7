/** What a value must look like: exactly the members named, within their limits. */
import { type Json, type Members, refuse } from "./bytes.ts";

export type Shape = (value: Json, where: string) => void;

const wrong = (where: string): never => refuse(`${where} is not as it must be`);
const is =
	(fits: (value: Json) => boolean): Shape =>
	(value, where) => {
		if (!fits(value)) wrong(where);
	};

export const text = (most: number): Shape => is((value) => typeof value === "string" && value.length <= most);
export const like = (pattern: RegExp): Shape => is((value) => typeof value === "string" && pattern.test(value));
export const oneOf = (...all: Json[]): Shape => is((value) => all.includes(value));
export const whole = (from = 0, to = 2 ** 53 - 1): Shape =>
	is((value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to);
export const number = (from = 0, to = Number.MAX_VALUE): Shape =>
	is((value) => typeof value === "number" && value >= from && value <= to);
export const yesNo: Shape = is((value) => typeof value === "boolean");
export const sha: Shape = like(/^[\w-]{43}$/);
export const orNull =
	(shape: Shape): Shape =>
	(value, where) => {
		if (value !== null) shape(value, where);
	};

export function list(shape: Shape, most: number, least = 0): Shape {
	return (value, where) => {
		if (!Array.isArray(value) || value.length > most || value.length < least) return wrong(where);
		for (const [at, one] of value.entries()) shape(one, `${where}/${at}`);
	};
}

export function exactly(members: Record<string, Shape>): Shape {
	return (value, where) => {
		if (value === null || typeof value !== "object" || Array.isArray(value)) return wrong(where);
		const names = Object.keys(value).sort().join();
		if (names !== Object.keys(members).sort().join()) refuse(`${where} has ${names}`);
		for (const [name, shape] of Object.entries(members)) shape((value as Members)[name] ?? null, `${where}/${name}`);
	};
}

export const named = (name: number, most: number): Shape => {
	return (value, where) => {
		if (value === null || typeof value !== "object" || Array.isArray(value)) return wrong(where);
		for (const [key, one] of Object.entries(value)) {
			if (key.length > name) wrong(where);
			text(most)(one, `${where}/${key}`);
		}
	};
};

const address: Shape = (value, where) => {
	text(300)(value, where);
	if (!/^https?:$/.test(URL.parse(String(value))?.protocol ?? "")) wrong(where);
};
const host = like(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i);
const email: Shape = like(/^(?=.{3,254}$)[^@\s]+@[^@\s]+\.[^@\s]+$/);
const kind = oneOf("directory", "sqlite", "postgres", "bucket", "secret");
const checks = list(exactly({ what: text(300), ok: yesNo, detail: text(1000) }), 64);
const objection = { code: text(60), params: named(40, 300), detail: text(1000) };
const people = { customer: text(300), provider: text(300) };
const limits = exactly({ bytes: whole(), entries: whole(1) });

const volume = exactly({ name: text(40), kind, bytes: orNull(whole()) });
const service = exactly({
	...{ name: text(40), version: orNull(text(300)), hosts: list(host, 8), volumes: list(volume, 16) },
});
const record = exactly({
	...{ type: oneOf("A", "AAAA", "CNAME", "TXT"), name: text(253), value: text(255), ttl: whole(30, 86_400) },
});
const listed = exactly({
	...{ service: text(40), name: text(40), kind, entries: whole(), bytes: whole(), listing: sha, length: whole() },
});
const rehearsal = exactly({ ok: yesNo, checks, seconds: number() });

/** Section 4, Contents. */
export const contents: Readonly<Record<string, Shape>> = {
	offer: exactly({
		...{ domain: text(253), services: list(service, 16, 1), epoch: whole(1), managesZone: yesNo },
		...{
			owner: exactly({ username: like(/^[a-z0-9_]{1,30}$/), email }),
			keepDays: whole(0, 3650),
			...people,
			proof: sha,
		},
	}),
	accept: exactly({
		...{ until: whole(), sealTo: sha, front: address, records: list(record, 40), limits, ...people },
	}),
	reject: exactly(objection),
	manifest: exactly({ round: whole(1), final: yesNo, volumes: list(listed, 64) }),
	announce: exactly({
		...{ round: whole(1), manifest: sha, bytes: whole(), seconds: number(), skipped: whole() },
		...{ rehearsal: orNull(rehearsal), freezeSeconds: number() },
	}),
	thaw: exactly({ manifest: sha, reason: text(300) }),
	vote: exactly({ manifest: sha, entries: whole(), bytes: whole() }),
	move: exactly({ manifest: sha, epoch: whole(2), secrets: like(/^[\w-]{0,1000000}$/) }),
	active: exactly({ manifest: sha, epoch: whole(2), at: whole(), checks }),
	withdraw: exactly({ code: text(60), detail: text(1000) }),
	erased: exactly({ at: whole(), entries: whole(), bytes: whole() }),
};

/** Section 5, Calls. */
export const calls: Readonly<Record<string, Shape>> = {
	enquiry: exactly({ offer: contents["offer"] as Shape }),
	terms: exactly({
		...{
			ok: yesNo,
			problems: list(exactly(objection), 40),
			...people,
			place: orNull(text(300)),
			terms: orNull(address),
		},
		...{ versions: list(exactly({ service: text(40), version: orNull(text(300)) }), 16), limits },
		...{ asks: yesNo, managesZone: yesNo, rate: orNull(number(Number.MIN_VALUE)) },
	}),
	progress: exactly({
		...{ step: text(40), fraction: orNull(number(0, 1)), bytes: orNull(whole()), of: orNull(whole()) },
		...{ note: orNull(text(300)), seconds: orNull(whole()) },
	}),
	challenge: exactly({
		values: list(exactly({ host: like(/^.{1,253}$/), value: sha }), 32),
	}),
};

const known = oneOf("all", "known", "none");
const words = (most: number): Shape => is((value) => typeof value === "string" && value !== "" && value.length <= most);

/** Section 9. */
export const sheet = exactly({
	...{
		name: words(300),
		place: orNull(words(300)),
		jurisdiction: orNull(words(300)),
		engine: text(40),
		version: text(100),
	},
	services: list(exactly({ name: text(40), title: words(300), version: orNull(words(300)) }), 64),
	...{ price: orNull(words(2000)), backups: orNull(words(2000)), limits: exactly({ bytes: orNull(whole()) }) },
	...{ freeBytes: orNull(whole()), terms: orNull(address), accepts: known },
	exit: exactly({ noticeDays: orNull(whole()), charge: orNull(words(2000)), keepDays: whole() }),
});
