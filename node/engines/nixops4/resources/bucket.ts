import { createHash } from "node:crypto";
import type { InputsOf } from "#protocol/nixops4/resources.ts";
import type { Vault } from "../../../secrets/vault.ts";
import type { GarageAdmin } from "../../local/recipes/garage/admin.ts";
import { accessWith } from "../../local/recipes/garage.ts";
import { type Context, type MachinePool, pathOf, type Resource, referenceTo, type SecretName } from "./resource.ts";

/** The provider's Garage: its administration, and where machines reach it by S3. */
export interface Storage {
	readonly admin: GarageAdmin;
	readonly endpoint: string;
	readonly region: string;
}

interface Access {
	readonly keyId: string;
	readonly secret: string;
}

/**
 * A bucket of the provider's Garage (administration API v2) and a key to it alone. The key's secret comes from the vault
 * and its id follows from that, so both are the same however often this is cut off and begun again.
 */
export class Bucket implements Resource<"bucket"> {
	readonly #storage: () => Promise<Storage>;
	readonly #vault: Vault;
	readonly #machines: MachinePool;
	readonly #makeKey: () => string;

	constructor(storage: () => Promise<Storage>, vault: Vault, machines: MachinePool, makeKey: () => string) {
		this.#storage = storage;
		this.#vault = vault;
		this.#machines = machines;
		this.#makeKey = makeKey;
	}

	nameOf({ service, name }: InputsOf<"bucket">): string {
		return `${service}/${name}`;
	}

	async apply(inputs: InputsOf<"bucket">, context: Context) {
		const { service, name, machine, ensure } = inputs;
		const secret = { deployment: context.deployment, service, name: `${name}-key` };
		const alias = bucketName(context.deployment, service, name);
		const storage = await this.#storage();
		const kept = `${secret.deployment}/${service}/${secret.name}`;
		const access = accessWith(await this.#vault.obtain(kept, this.#makeKey));
		if (ensure === "present") {
			await open(storage.admin, alias, access, inputs.public);
			if (machine !== null) await this.#machines.deliver(machine, secret, access.secret, context.signal);
		} else await this.#remove(storage, alias, access, { secret, machine, kept, signal: context.signal });
		const { endpoint, region } = storage;
		return {
			bucket: alias,
			endpoint,
			region,
			keyId: access.keyId,
			reference: referenceTo(secret),
			path: pathOf(secret),
		};
	}

	/** With all that is in it. The key goes last, since it is what empties the bucket when this begins again. */
	async #remove(storage: Storage, alias: string, access: Access, rest: Removal): Promise<void> {
		const { secret, machine, kept, signal } = rest;
		if (machine !== null) await this.#machines.withdraw(machine, secret, signal);
		const found = await bucketCalled(storage.admin, alias);
		if (found) {
			await open(storage.admin, alias, access, false);
			await emptied(storage, alias, access, signal);
			await storage.admin.call(`DeleteBucket?id=${found.id}`, {});
		}
		if (await storage.admin.call(`GetKeyInfo?id=${access.keyId}`))
			await storage.admin.call(`DeleteKey?id=${access.keyId}`, {});
		await this.#vault.remove(kept);
	}
}

interface Removal {
	readonly secret: SecretName;
	readonly machine: string | null;
	readonly kept: string;
	readonly signal: AbortSignal;
}

/** One deployment's name of a bucket says nothing of the customer, and is nobody else's. */
export function bucketName(deployment: string, service: string, name: string): string {
	const own = createHash("sha256").update(`${deployment}/${service}/${name}`).digest("hex").slice(0, 20);
	return `${service.slice(0, 20)}-${name.slice(0, 20)}-${own}`;
}

async function open(admin: GarageAdmin, alias: string, { keyId, secret }: Access, isPublic: boolean): Promise<void> {
	await admin.importKey(keyId, secret, alias);
	const bucket =
		(await bucketCalled(admin, alias)) ?? (await admin.call<{ id: string }>("CreateBucket", { globalAlias: alias }));
	if (!bucket) throw new Error(`there is no bucket ${alias}`);
	const permissions = { read: true, write: true, owner: true };
	await admin.call("AllowBucketKey", { bucketId: bucket.id, accessKeyId: keyId, permissions });
	const websiteAccess = isPublic
		? { enabled: true, indexDocument: "index.html", errorDocument: null }
		: { enabled: false, indexDocument: null, errorDocument: null };
	await admin.call(`UpdateBucket?id=${bucket.id}`, { websiteAccess });
}

function bucketCalled(admin: GarageAdmin, alias: string): Promise<{ id: string } | undefined> {
	return admin.call<{ id: string }>(`GetBucketInfo?globalAlias=${encodeURIComponent(alias)}`);
}

async function emptied(
	{ endpoint, region }: Storage,
	bucket: string,
	access: Access,
	signal: AbortSignal,
): Promise<void> {
	const s3 = await import("../../../volumes/bucket/s3.ts");
	const { keyId: accessKeyId, secret: secretAccessKey } = access;
	const place = { kind: "bucket", endpoint, region, bucket, accessKeyId, secretAccessKey } as const;
	const objects = new s3.Bucket(place);
	try {
		for await (const { key, id } of objects.uploads(signal)) await objects.abort(key, id, signal);
		for await (const listed of objects.objects(signal))
			await Promise.all(listed.map(({ key }) => objects.remove(key, signal)));
	} finally {
		await objects.close();
	}
}
