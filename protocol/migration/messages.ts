/**
 * What two nodes say to each other while a deployment moves: every message once, with who may say it and what is in it.
 * Unknown members are refused. In the wire's activities each content is the canonical JSON of a `Document`.
 */
import { z } from "zod";

/** The source has the deployment; the target is where it goes. */
export type Side = "source" | "target";

const Text = z.string().max(300);
const Digest = z.base64url().length(43); // SHA-256
const Bytes = z.int().nonnegative();
const Host = z.hostname().max(253);
const Seconds = z.int().nonnegative();

/** A record that the target wants in the domain's zone. */
export const WantedRecord = z.strictObject({
	type: z.enum(["A", "AAAA", "CNAME", "TXT"]),
	name: z.string().max(253),
	value: z.string().max(255),
	ttl: z.int().min(30).max(86_400),
});

export const MovingVolume = z.strictObject({
	name: z.string().max(40),
	kind: z.enum(["directory", "sqlite", "postgres", "bucket", "secret"]),
	/** What was seen last; null: nobody has looked yet. */
	bytes: Bytes.nullable(),
});

export const MovingService = z.strictObject({
	name: z.string().max(40),
	/** Of the program, as it says itself. */
	version: Text.nullable(),
	hosts: z.array(Host).max(8),
	volumes: z.array(MovingVolume).max(16),
});

/** What the source wants to move. */
export const Offer = z.strictObject({
	domain: z.string().max(253),
	services: z.array(MovingService).min(1).max(16),
	/** The first account of every service. What is in here ends up in configurations and command lines. */
	owner: z.strictObject({ username: z.string().regex(/^[a-z0-9_]{1,30}$/), email: z.email().max(254) }),
	/** The epoch in which the source serves the domain. */
	epoch: z.int().positive(),
	/** Whether the source sets the domain's records itself. */
	managesZone: z.boolean(),
	/** So many days the source keeps its copy, at rest, once the target serves. */
	keepDays: z.int().min(0).max(3650),
	/** As people know them: whom the deployment belongs to there, and who runs the node. */
	customer: Text,
	provider: Text,
	/** Shows that the source has the token's secret, for this sid, source and domain; see `proofFor` in token.ts. */
	proof: Digest,
});

/** What the target promises, and what the source must know to work with it. */
export const Accept = z.strictObject({
	/** Until when the place is kept, ms since 1970. */
	until: z.int(),
	/** X25519 public key of this session, base64url: what moves is sealed to it. */
	sealTo: Digest,
	/** Where the target takes requests for the deployment's hosts, such as `https://south.example`. */
	front: z.url({ protocol: /^https?$/ }).max(300),
	records: z.array(WantedRecord).max(40),
	limits: z.strictObject({ bytes: Bytes, entries: z.int().positive() }),
	customer: Text,
	provider: Text,
});

/** The head of a listing: what a round is about. Its hash is what the target votes for. */
export const Manifest = z.strictObject({
	round: z.int().positive(),
	/** Nobody writes any more. */
	final: z.boolean(),
	volumes: z
		.array(
			z.strictObject({
				service: z.string().max(40),
				name: z.string().max(40),
				kind: MovingVolume.shape.kind,
				entries: z.int().nonnegative(),
				bytes: Bytes,
				/** SHA-256 of the listing's lines, and how long they are in all. */
				listing: Digest,
				length: Bytes,
			}),
		)
		.max(64),
});

/** Result of looking at something: in words, and whether it is as it should be. */
export const Check = z.strictObject({ what: Text, ok: z.boolean(), detail: z.string().max(1000) });

export const contents = {
	offer: Offer,
	accept: Accept,
	/** Never in this session. After `move` it means: will never serve, take it back. */
	reject: z.strictObject({
		code: z.string().max(60),
		params: z.record(z.string().max(40), Text),
		detail: z.string().max(1000),
	}),
	manifest: Manifest,
	/** The round is here. */
	announce: z.strictObject({
		round: z.int().positive(),
		/** SHA-256 of the manifest's canonical JSON. */
		manifest: Digest,
		/** What had to come over the wire, and how long it took. */
		bytes: Bytes,
		seconds: z.number().nonnegative(),
		/** Pieces that had changed before they could be fetched. */
		skipped: z.int().nonnegative(),
		/** What the services said when they were tried here with a copy; null: not tried. */
		rehearsal: z
			.strictObject({ ok: z.boolean(), checks: z.array(Check).max(64), seconds: z.number().nonnegative() })
			.nullable(),
		/** How long the target expects services to rest. */
		freezeSeconds: z.number().nonnegative(),
	}),
	/** The final manifest is void: services serve again at the source, and copying goes on. */
	thaw: z.strictObject({ manifest: Digest, reason: Text }),
	/** The final manifest is here, checked to the last byte. */
	vote: z.strictObject({ manifest: Digest, entries: z.int().nonnegative(), bytes: Bytes }),
	/** From here on the deployment is the target's. */
	move: z.strictObject({
		manifest: Digest,
		epoch: z.int().min(2),
		/** Secrets of all services by name, sealed to `sealTo`; base64url. */
		secrets: z.base64url().max(1_000_000),
	}),
	/** It serves. */
	active: z.strictObject({ manifest: Digest, epoch: z.int().min(2), at: z.int(), checks: z.array(Check).max(64) }),
	/** Called off by the source's side. */
	withdraw: z.strictObject({ code: z.string().max(60), detail: z.string().max(1000) }),
	/** The source's copy is no more. */
	erased: z.strictObject({ at: z.int(), entries: z.int().nonnegative(), bytes: Bytes }),
} as const;

export type Kind = keyof typeof contents;
export type Content<K extends Kind> = z.infer<(typeof contents)[K]>;

/** A message with its kind; what a session says and hears. */
export type Message = { [K in Kind]: { readonly kind: K; readonly content: Content<K> } }[Kind];

/** How each kind is written as an ActivityStreams activity; `of` is the type of what it is about. */
export const activityTypes = {
	offer: { type: "Offer", said: "source" },
	accept: { type: "TentativeAccept", said: "target" },
	reject: { type: "Reject", said: "target" },
	manifest: { type: "Add", said: "source" },
	announce: { type: "Announce", said: "target" },
	thaw: { type: "Remove", said: "source" },
	vote: { type: "Accept", said: "target" },
	move: { type: "Move", said: "source" },
	active: { type: "Arrive", said: "target" },
	withdraw: { type: "Undo", said: "source" },
	erased: { type: "Delete", said: "source" },
} as const satisfies Record<Kind, { type: string; said: Side }>;

/** Light signed calls besides the conversation: they change no state and are in no receipt. */
export const Enquiry = z.strictObject({
	offer: Offer,
});

/**
 * What the target's certificate authority wants to find in the zone that the source holds: TXT values at
 * `_acme-challenge.<host>` (RFC 8555 §8.4). These are all; none: those of before are not needed any more.
 */
export const Challenges = z.strictObject({
	values: z.array(z.strictObject({ host: z.string().min(1).max(253), value: z.string().regex(/^[\w-]{43}$/) })).max(32),
});

export type Challenges = z.infer<typeof Challenges>;

/** What the target would say to an offer, for the plan that the customer reads before anything happens. */
export const Terms = z.strictObject({
	/** Whether the offer would be accepted as it is. */
	ok: z.boolean(),
	/** What stands against it, in words a customer can act on. */
	problems: z
		.array(
			z.strictObject({
				code: z.string().max(60),
				params: z.record(z.string().max(40), Text),
				detail: z.string().max(1000),
			}),
		)
		.max(40),
	customer: Text,
	provider: Text,
	place: Text.nullable(),
	terms: z
		.url({ protocol: /^https?$/ })
		.max(300)
		.nullable(),
	versions: z.array(z.strictObject({ service: z.string().max(40), version: Text.nullable() })).max(16),
	limits: z.strictObject({ bytes: Bytes, entries: z.int().positive() }),
	/** Whether the target's customer must still agree in its panel. */
	asks: z.boolean(),
	managesZone: z.boolean(),
	/** From what the target has measured before; bytes per second. */
	rate: z.number().positive().nullable(),
});

export type Terms = z.infer<typeof Terms>;

/** How far one side is, for the other side's panel. */
export const Progress = z.strictObject({
	step: z.string().max(40),
	fraction: z.number().min(0).max(1).nullable(),
	bytes: Bytes.nullable(),
	of: Bytes.nullable(),
	note: Text.nullable(),
	/** Of the target's services while they start. */
	seconds: Seconds.nullable(),
});

export type Progress = z.infer<typeof Progress>;
