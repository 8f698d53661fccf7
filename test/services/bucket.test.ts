import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { each } from "../../node/volumes/bucket/ahead.ts";
import { openBucketSource, openBucketTarget } from "../../node/volumes/bucket/bucket.ts";
import { bucketsAt, inBucket } from "../contracts/bucket-yard.ts";
import { Garage, garageProgram } from "../contracts/garage.ts";
import { remotely } from "../contracts/remote-yard.ts";
import { listed, never, round } from "../contracts/round.ts";
import { describeVolume } from "../contracts/volume.ts";
import { hasSshd, SshMachine } from "../machine.ts";

let started: Promise<Garage> | undefined;
const garage = () => (started ??= new Garage().start());
const skip = garageProgram ? null : "needs Garage on the search path, or Cargo to build it";
const machine = hasSshd && garageProgram ? new SshMachine() : undefined;
beforeAll(() => machine?.start());
afterAll(async () => {
	await machine?.stop();
	await (await started)?.stop();
});

describeVolume("bucket, at Garage", bucketsAt(garage, skip));

describeVolume(
	"bucket, at Garage, over ssh",
	remotely(() => machine as SshMachine, bucketsAt(garage, skip ?? (hasSshd ? null : "sshd is not installed")), [
		"arrives as it was",
		"costs a second round",
	]),
);

describe.skipIf(skip !== null)("a bucket of 100,000 objects", () => {
	test("moves, and costs a second round next to nothing", async () => {
		const folder = mkdtempSync(join(tmpdir(), "bucket-"));
		const server = await garage();
		const [from, to] = [await server.open("from-many"), await server.open("to-many")];
		const keys = Array.from({ length: 100_000 }, (_, n) => `media/${n % 256}/${n}.jpg`);
		await inBucket(from, (bucket) =>
			each(keys, { count: 32 }, never, (key) => bucket.put(key, Buffer.from(`photo ${key}`), {}, never)),
		);
		const source = openBucketSource(from, { scratch: join(folder, "s") });
		const target = openBucketTarget(to, { scratch: join(folder, "t") });
		try {
			const first = await round(source, target);
			expect([first.entries.length, first.asked.length, first.left]).toEqual([100_000, 100_000, []]);
			const second = await round(source, target, { frozen: true });
			expect([second.entries, second.asked, second.left]).toEqual([first.entries, [], []]);
			await target.swap(never);
			expect(await listed(openBucketSource(to, { scratch: join(folder, "check") }), true)).toEqual(first.entries);
		} finally {
			await source.forget();
			await target.discard();
			rmSync(folder, { recursive: true });
		}
	}, 3_600_000);
});
