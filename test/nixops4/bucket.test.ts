/** Buckets at a real Garage. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newSecret } from "../../node/engines/local/password.ts";
import { accessWith } from "../../node/engines/local/recipes/garage.ts";
import { Bucket, bucketName } from "../../node/engines/nixops4/resources/bucket.ts";
import type { Context, MachinePool } from "../../node/engines/nixops4/resources/resource.ts";
import { MemoryVault } from "../../node/secrets/memory-vault.ts";
import { Bucket as Objects } from "../../node/volumes/bucket/s3.ts";
import { Garage, garageProgram } from "../contracts/garage.ts";

const never = new AbortController().signal;
const context: Context = { deployment: "d1", domain: "choir.example", signal: never, heard: () => {} };
const media = {
	...{ service: "mastodon", name: "media", machine: "m1", public: true, generation: 0, after: [] },
	ensure: "present" as "present" | "absent",
};
const alias = bucketName("d1", "mastodon", "media");

describe.skipIf(!garageProgram)("A bucket of a deployment (needs Garage)", { timeout: 60_000 }, () => {
	let garage: Garage;
	const vault = new MemoryVault();
	const delivered = new Map<string, string>();
	const machines: Pick<MachinePool, "deliver" | "withdraw"> = {
		deliver: async (machine, { name }, value) => void delivered.set(`${machine}/${name}`, value),
		withdraw: async (machine, { name }) => void delivered.delete(`${machine}/${name}`),
	};
	const bucket = () => new Bucket(async () => garage.storage, vault, machines as MachinePool, newSecret);
	const call = (name: string) =>
		garage.storage.admin.call<{ id: string; keys: { accessKeyId: string }[]; objects: number }>(name);
	const info = () => call(`GetBucketInfo?globalAlias=${alias}`);
	const keyId = async () => accessWith((await vault.get("d1/mastodon/media-key")) ?? "").keyId;

	beforeAll(async () => {
		garage = await new Garage().start();
	});
	afterAll(() => garage?.stop());

	/** What its machine does with what it was given. */
	async function put(key: string): Promise<void> {
		const { endpoint, region } = garage.storage;
		const place = {
			kind: "bucket",
			endpoint,
			region,
			bucket: alias,
			accessKeyId: await keyId(),
			secretAccessKey: delivered.get("m1/media-key") ?? "",
		} as const;
		const objects = new Objects(place);
		try {
			await objects.put(key, Buffer.from("a picture"), {} as never, never);
		} finally {
			await objects.close();
		}
	}

	test("is made once, and its key opens it", async () => {
		const made = await bucket().apply(media, context);
		expect(made).toEqual({
			...{ bucket: alias, endpoint: garage.storage.endpoint, region: "garage", keyId: await keyId() },
			reference: "fediversity:d1/mastodon/media-key",
			path: "/var/lib/fediversity/secrets/d1/mastodon/media-key",
		});
		expect(JSON.stringify(made)).not.toContain(delivered.get("m1/media-key"));
		await put("one.txt");
		expect(await bucket().apply(media, context)).toEqual(made);
		expect(await info()).toMatchObject({ objects: 1, keys: [{ accessKeyId: made.keyId }], websiteAccess: true });
		await bucket().apply({ ...media, public: false }, context);
		expect(await info()).toMatchObject({ objects: 1, websiteAccess: false });
	});

	test("gets another key when its own was deleted, and goes also then", async () => {
		const { keyId: before } = await bucket().apply(media, context);
		await put("one.txt");
		const loseKey = async () => garage.storage.admin.call(`DeleteKey?id=${await keyId()}`, {});
		await loseKey();
		const { keyId: after } = await bucket().apply(media, context);
		expect(after).not.toBe(before);
		await put("two.txt");
		expect(await info()).toMatchObject({ objects: 2, keys: [{ accessKeyId: after }] });
		await loseKey();
		await bucket().apply({ ...media, ensure: "absent" }, context);
		expect(await info()).toBeUndefined();
	});

	test("goes with all that is in it, also when that was begun before", async () => {
		await bucket().apply(media, context);
		for (let n = 0; n < 5; n++) await put(`folder/${n}`);
		const stopped = { ...context, signal: AbortSignal.abort(new Error("cut off")) };
		await expect(bucket().apply({ ...media, ensure: "absent" }, stopped)).rejects.toThrow("cut off");
		expect(await info()).toMatchObject({ keys: [{ accessKeyId: await keyId() }] });
		const key = await keyId();
		await bucket().apply({ ...media, ensure: "absent" }, context);
		await bucket().apply({ ...media, ensure: "absent" }, context);
		expect([await info(), await call(`GetKeyInfo?id=${key}`)]).toEqual([undefined, undefined]);
		expect([await vault.names("d1/"), [...delivered.keys()]]).toEqual([[], []]);
	});
});
