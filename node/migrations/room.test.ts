import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { roomIn } from "./room.ts";

const free = () => {
	const { bavail, bsize } = statfsSync(tmpdir());
	return bavail * bsize;
};

test("what fits is let in, and what would take the last of the disk is not", () => {
	const look = roomIn(tmpdir());
	expect(() => look({ bytes: 0, bytesOf: 1000 })).not.toThrow();
	expect(() => look({ bytes: 0, bytesOf: free() - 1_000_000 })).toThrow(
		expect.objectContaining({ code: "disk-full", status: 507 }),
	);
});

test("what has arrived needs no room any more", () => {
	const all = free();
	expect(() => roomIn(tmpdir())({ bytes: all - 1000, bytesOf: all })).not.toThrow();
});
