/**
 * plan.json: all that differs between two deployments on the NixOps4 engine. The node writes it, the unchanging root
 * (nix/nixops4/) reads it as data; nothing in it is ever evaluated as Nix.
 */
import * as z from "zod";
import { inputs } from "./resources.ts";

const word = inputs.progress.shape.step;
const text = z.string().max(1000);

const PlannedRecord = inputs.dns_record.pick({ name: true, type: true, ttl: true }).extend({
	/** None: the machine's public address. */
	values: inputs.dns_record.shape.values.nullable(),
});

/** As authorized_keys has it, without options and comment; nix/access.nix takes the same. */
const PublicKey = z
	.string()
	.max(8192)
	.regex(
		/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}$/,
	);

const PlannedProbe = inputs.probe.pick({ url: true, below: true, seconds: true });

const PlannedService = z.strictObject({
	/** Full host names, the main one first. */
	hosts: z.array(z.hostname()).min(1),
	origin: z.url({ protocol: /^https?$/ }),
	owner: z.strictObject({ username: text, email: text }),
	/** Which secrets lie on the machine before the service first starts. */
	secrets: z.array(word),
	buckets: z.record(word, z.strictObject({ public: z.boolean() })),
	/** By labels of the node's own, which stay the same while the record's name and type do. */
	records: z.record(word, PlannedRecord),
	probe: PlannedProbe.nullable(),
});

export const Plan = z.strictObject({
	version: z.literal(1),
	deployment: text,
	domain: z.hostname(),
	mode: z.enum(["serving", "frozen", "stopped", "absent"]),
	/** Raised by "repair": everything is looked at again. */
	generation: inputs.machine.shape.generation,
	/** How NixOps4 starts our provider. */
	provider: z.strictObject({ executable: text, args: z.array(text) }),
	/** What the deployment needs of a machine of its own; `absent`: it goes back, after a run in mode `absent` has emptied it. */
	machine: inputs.machine.pick({ memoryMiB: true, diskMiB: true, system: true, ensure: true }),
	/** How the deploying machine gets there: the key is a file's path, its public half goes on being let in. */
	ssh: z.strictObject({ identityFile: text.nullable(), publicKey: PublicKey.optional() }),
	/** With which the customer may sign in to the machine, as a user without power. */
	customerKeys: z.array(PublicKey),
	services: z.record(word, PlannedService),
});
export type Plan = z.infer<typeof Plan>;

/** The paths of all resources that the root makes of a plan, such as `services.mastodon.probe`, without those of the system. */
export function membersOf(plan: Plan): string[] {
	const services = Object.entries(plan.services).flatMap(([name, service]) => [
		...service.secrets.map((secret) => `services.${name}.secrets.${secret}`),
		...Object.keys(service.buckets).map((bucket) => `services.${name}.buckets.${bucket}`),
		...Object.keys(service.records).map((record) => `services.${name}.records.${record}`),
		...(service.probe && plan.mode === "serving" ? [`services.${name}.probe`] : []),
		`services.${name}.begun`,
		`services.${name}.done`,
	]);
	return ["state", "machine", ...services].sort();
}
