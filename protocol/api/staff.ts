import { z } from "zod";
import { Id, Moment } from "./page.ts";

export const VoucherRequest = z.strictObject({
	/** Empty: every service this node can run. */
	services: z.array(z.string().max(40)).default([]),
	days: z.number().int().min(1).max(3650).default(30),
	uses: z.number().int().min(1).max(10_000).default(1),
	diskMiB: z.number().int().min(1).default(10_240),
	note: z.string().max(200).default(""),
});

export const VoucherView = z
	.object({
		id: Id,
		/** The first characters, to recognise it by. */
		hint: z.string(),
		services: z.array(z.string()),
		diskMiB: z.number().int(),
		uses: z.number().int(),
		used: z.number().int(),
		createdAt: Moment,
		expiresAt: Moment,
		note: z.string(),
	})
	.meta({ id: "Voucher" });

/** The only time the code itself is told. */
export const VoucherMade = VoucherView.extend({ code: z.string() }).meta({ id: "VoucherMade" });

export const CustomerView = z
	.object({
		id: Id,
		name: z.string(),
		email: z.string(),
		createdAt: Moment,
		/** Whether this account may do what provider staff does. */
		staff: z.boolean(),
		deployments: z.number().int(),
		lastSeenAt: Moment.nullable(),
	})
	.meta({ id: "Customer" });

export const CustomerChange = z.strictObject({ staff: z.boolean() });

export const PasswordReset = z.object({ password: z.string() }).meta({ id: "PasswordReset" });

export const standings = ["usual", "allowed", "blocked"] as const;

const PeerKey = z.object({ key: z.string(), fingerprint: z.string() });

/** A node that this one knows of. */
export const PeerView = z
	.object({
		id: Id,
		origin: z.string(),
		/** As its offer sheet says; null: none was seen yet. */
		name: z.string().nullable(),
		/** `config`, `staff`, `customer`, or the origin of the node that named it. */
		toldBy: z.string(),
		standing: z.enum(standings),
		/** Not named to other nodes. */
		hidden: z.boolean(),
		/** Moves from there at a time, and bytes from there in a day; null: as the configuration says for all. */
		mostMoves: z.number().int().nullable(),
		mostBytes: z.number().int().nullable(),
		/** By which it is known, and another one that it shows since; that is not used before it is confirmed. */
		key: PeerKey.nullable(),
		newKey: PeerKey.nullable(),
		/** Whether what is known of it is older than a day. */
		stale: z.boolean(),
		addedAt: Moment,
		seenAt: Moment.nullable(),
		sheetUntil: Moment.nullable(),
		/** Why it could not be asked the last time. */
		problem: z.string().nullable(),
	})
	.meta({ id: "Peer" });

/** A node to know; one that is to be blocked is not looked at. */
export const PeerRequest = z.strictObject({
	origin: z.string().min(1).max(300),
	standing: z.enum(standings).optional(),
});

const Limit = z.number().int().min(0).nullable();

/** What is left out stays. `key` confirms the other key that the node shows. */
export const PeerChange = z.strictObject({
	standing: z.enum(standings).optional(),
	hidden: z.boolean().optional(),
	mostMoves: Limit.optional(),
	mostBytes: Limit.optional(),
	key: z.string().max(200).optional(),
});

/** An offer that waits for staff. */
export const OfferedMove = z
	.object({
		id: Id,
		domain: z.string(),
		services: z.array(z.string()),
		bytes: z.number(),
		from: z.object({ origin: z.string(), provider: z.string(), customer: z.string() }),
		/** Who asked for it here. */
		customer: z.string(),
		/** Whether that customer has agreed. */
		agreed: z.boolean(),
		createdAt: Moment,
	})
	.meta({ id: "OfferedMove" });

export const systems = ["x86_64-linux", "aarch64-linux"] as const;

const Port = z.number().int().min(1).max(65_535);

/** Where everybody but this node reaches a machine; null: where the node does. */
const PublicAddress = z.string().min(1).max(253).nullable();

/** A machine to take into the pool. */
export const MachineRequest = z.strictObject({
	/** What staff calls it. */
	id: z.string().min(1).max(40),
	address: z.string().min(1).max(253),
	publicAddress: PublicAddress.default(null),
	port: Port.default(22),
	user: z.string().min(1).max(32).default("root"),
	/** As known_hosts has it, such as `ssh-ed25519 AAAA…`. */
	hostKey: z.string().min(1).max(4000),
	system: z.enum(systems).default("x86_64-linux"),
	/** What it has for services. */
	memoryMiB: z.number().int().min(1),
	diskGiB: z.number().int().min(1),
});

/** Draining: it keeps what it carries and takes nothing more. What is left out stays. */
export const MachineChange = z.strictObject({
	state: z.enum(["open", "draining"]).optional(),
	publicAddress: PublicAddress.optional(),
});

export const MachineView = z
	.object({
		id: Id,
		address: z.string(),
		publicAddress: z.string().nullable(),
		port: Port,
		user: z.string(),
		hostKey: z.string(),
		fingerprint: z.string(),
		system: z.string(),
		memoryMiB: z.number().int(),
		diskGiB: z.number().int(),
		state: z.enum(["open", "draining"]),
		/** Whose it is for now; null: nobody's. */
		deployment: z.string().nullable(),
		/** Of that deployment; null: none, or it is not known any more. */
		domain: z.string().nullable(),
		createdAt: Moment,
	})
	.meta({ id: "Machine" });

/** Where to look for a host key, and what was shown there. */
export const HostKeyQuery = z.strictObject({
	address: z.string().min(1).max(253),
	port: z.coerce.number().int().min(1).max(65_535).default(22),
});
export const HostKey = z.object({ hostKey: z.string(), fingerprint: z.string() }).meta({ id: "HostKey" });

/** By what this node is known to its machines: a line for authorized_keys. */
export const NodeKey = z.object({ publicKey: z.string() }).meta({ id: "NodeKey" });

/** One thing `doctor` looked at. */
export const FindingView = z
	.object({
		check: z.string(),
		state: z.enum(["good", "warning", "bad"]),
		detail: z.string(),
		fix: z.string().nullable(),
	})
	.meta({ id: "Finding" });
