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
		const { endpoint, region } = storage;
		const given = { bucket: alias, endpoint, region, reference: referenceTo(secret), path: pathOf(secret) };
		if (ensure === "absent") {
			if (machine !== null) await this.#machines.withdraw(machine, secret, context.signal);
			await this.#remove(storage, alias, keptAs(secret), context.signal);
			return { ...given, keyId: "" };
		}
		const access = await this.#access(storage.admin, alias, keptAs(secret));
		await open(storage.admin, alias, access, inputs.public);
		if (machine !== null) await this.#machines.deliver(machine, secret, access.secret, context.signal);
		return { ...given, keyId: access.keyId };
	}

	/** With all that is in it. The key goes last, since it is what empties the bucket when this begins again. */
	async #remove(storage: Storage, alias: string, kept: string, signal: AbortSignal): Promise<void> {
		const { admin } = storage;
		const found = await bucketCalled(admin, alias);
		if (found) {
			const access = await this.#access(admin, alias, kept);
			await open(admin, alias, access, false);
			await emptied(storage, alias, access, signal);
			await admin.call(`DeleteBucket?id=${found.id}`, {});
		}
		const secret = await this.#vault.get(kept);
		const key = secret && accessWith(secret).keyId;
		if (key && (await admin.call(`GetKeyInfo?id=${key}`))) await admin.call(`DeleteKey?id=${key}`, {});
		await this.#vault.remove(kept);
	}

	/** The key is at the storage when this resolves. One that was deleted there never comes back, so it gets another one. */
	async #access(admin: GarageAdmin, alias: string, kept: string): Promise<Access> {
		const access = accessWith(await this.#vault.obtain(kept, this.#makeKey));
		try {
			await admin.importKey(access.keyId, access.secret, alias);
			return access;
		} catch (error) {
			if (!(error as Error).message.includes("KeyAlreadyExists")) throw error;
			await this.#vault.put(kept, this.#makeKey());
			return this.#access(admin, alias, kept);
		}
	}
}

/** One deployment's name of a bucket says nothing of the customer, and is nobody else's. */
export function bucketName(deployment: string, service: string, name: string): string {
	const own = createHash("sha256").update(`${deployment}/${service}/${name}`).digest("hex").slice(0, 20);
	return `${service.slice(0, 20)}-${name.slice(0, 20)}-${own}`;
}

function keptAs({ deployment, service, name }: SecretName): string {
	return `${deployment}/${service}/${name}`;
}

async function open(admin: GarageAdmin, alias: string, { keyId }: Access, isPublic: boolean): Promise<void> {
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
