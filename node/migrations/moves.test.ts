import { expect, test } from "vitest";
import { sizeOf } from "./moves.ts";

test("a plan tells a service's size only where its folders are all that moves", () => {
	const files = { name: "files", kind: "directory" as const, bytes: 3 };
	expect(sizeOf({ volumes: [files, { name: "posts", kind: "sqlite", bytes: null }] })).toBe(3);
	expect(sizeOf({ volumes: [files, { name: "posts", kind: "postgres", bytes: null }] })).toBeNull();
	expect(sizeOf({ volumes: [files, { name: "media", kind: "bucket", bytes: null }] })).toBeNull();
	expect(sizeOf({ volumes: [{ ...files, bytes: null }] })).toBeNull();
});
