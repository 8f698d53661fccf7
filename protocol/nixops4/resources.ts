/**
 * The resource types of our provider: what goes in and what comes out of each. The same names stand in
 * nix/nixops4/provider.nix; a test compares the two.
 */
import * as z from "zod";

const word = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be small letters, digits and hyphens");
const text = z.string().max(1000);
const ensure = z.enum(["present", "absent"]);
/** Only so that NixOps4 knows what comes first; the names of what it follows, for people. */
const after = z.array(text);
/** A higher number makes NixOps4 look at the resource again although nothing else has changed. */
const generation = z.int().min(0);

/** What our resources take; an input that is not named here is an error. */
export const inputs = {
	state: z.strictObject({ deployment: text }),
	progress: z.strictObject({ step: word, service: word.nullable(), event: z.enum(["begun", "done"]), after }),
	secret: z.strictObject({ service: word, name: word, machine: word.nullable(), ensure, generation, after }),
	machine: z.strictObject({
		memoryMiB: z.int().min(1),
		diskMiB: z.int().min(1),
		system: text,
		ensure,
		generation,
		after,
	}),
	bucket: z.strictObject({
		service: word,
		name: word,
		machine: word.nullable(),
		/** Whether everybody may read it. */
		public: z.boolean(),
		ensure,
		generation,
		after,
	}),
	dns_record: z.strictObject({
		name: z.hostname().or(z.string().regex(/^_[a-z0-9-]+\.[a-z0-9.-]+$/)),
		type: z.enum(["A", "AAAA", "CNAME", "TXT"]),
		values: z.array(text).min(1).max(20),
		ttl: z.int().min(1).max(86_400),
		ensure,
		generation,
		after,
	}),
	probe: z.strictObject({
		service: word,
		url: z.url({ protocol: /^https?$/ }),
		/** The answer counts below this status. */
		below: z.int().min(200).max(600),
		seconds: z.int().min(1).max(3600),
		after,
	}),
} as const;

/** What our resources give. Never a secret: a reference to it, and the path where its machine has it. */
export const outputs = {
	state: z.strictObject({}),
	progress: z.strictObject({ step: word }),
	secret: z.strictObject({ reference: text, path: text }),
	machine: z.strictObject({
		name: word,
		address: text,
		/** Where everybody but the node reaches it; the same one where nothing else is known. */
		publicAddress: text,
		port: z.int(),
		user: text,
		/** As in a known_hosts file, without the name: `ssh-ed25519 AAAA…`. */
		hostKey: text,
		system: text,
	}),
	bucket: z.strictObject({
		bucket: text,
		endpoint: text,
		region: text,
		/** Empty: there is no key any more. */
		keyId: text,
		reference: text,
		path: text,
	}),
	dns_record: z.strictObject({ name: text }),
	probe: z.strictObject({ status: z.int() }),
} as const;

export type ResourceType = keyof typeof inputs;
export type InputsOf<Type extends ResourceType> = z.infer<(typeof inputs)[Type]>;
export type OutputsOf<Type extends ResourceType> = z.infer<(typeof outputs)[Type]>;

/** Those that NixOps4 must keep in its state, so that it can tell what has changed; the others run every time. */
export const stateful: readonly ResourceType[] = ["secret", "machine", "bucket", "dns_record"];
