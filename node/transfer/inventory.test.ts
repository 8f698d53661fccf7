import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Source, VolumeKind } from "../volumes/volume.ts";
import { type Giving, takeInventory } from "./inventory.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "inventory-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A photograph and the row that names it, as a service writes them: first the one, then the other. */
class Service {
	readonly objects = new Set<string>();
	readonly rows = new Set<string>();
	readonly begun: string[] = [];

	post(name: string): void {
		this.objects.add(name);
		this.rows.add(name);
	}

	source(kind: VolumeKind, work: (how: { fixed?(): void }) => AsyncIterable<string>): Giving {
		const begun = () => this.begun.push(kind);
		const source = {
			async *list(how: { fixed?(): void }) {
				begun();
				for await (const path of work(how)) yield [{ path, type: "file" as const, size: 0, pieces: [] }];
			},
		};
		return { service: "snac", name: kind, kind, source: source as unknown as Source };
	}
}

/** So long that everybody who waits for nothing has begun. */
const turns = async () => {
	for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const take = (sources: readonly Giving[], final = false) =>
	takeInventory({ sources, round: 1, final, folder, signal: new AbortController().signal });

test("what a row refers to is listed too, though a service writes all the time", async () => {
	const service = new Service();
	const listed: Record<string, string[]> = { bucket: [], directory: [], postgres: [] };
	const keeper = (kind: "bucket" | "directory" | "postgres", from: Set<string>) =>
		service.source(kind, async function* () {
			if (kind === "postgres") await turns();
			service.post(`while ${kind} is listed`);
			for (const one of [...from]) {
				listed[kind]?.push(one);
				yield one;
			}
		});
	const sources = [
		keeper("directory", service.objects),
		keeper("postgres", service.rows),
		keeper("bucket", service.objects),
	];
	const { volumes } = await take(sources);
	expect(service.begun[0]).toBe("postgres");
	expect(listed.directory).toEqual(expect.arrayContaining(listed.postgres ?? []));
	expect(listed.bucket).toEqual(expect.arrayContaining(listed.postgres ?? []));
	expect(volumes.map(({ kind }) => kind)).toEqual(["directory", "postgres", "bucket"]);
});

test("folders wait for a database's moment, not until all of it is listed", async () => {
	const service = new Service();
	const folderBegins = Promise.withResolvers<void>();
	const database = service.source("postgres", async function* ({ fixed }) {
		await turns();
		expect(service.begun).toEqual(["postgres"]);
		fixed?.();
		await folderBegins.promise;
		yield "base";
	});
	const files = service.source("directory", async function* () {
		folderBegins.resolve();
		yield "a";
	});
	const { volumes } = await take([files, database]);
	expect(volumes.map(({ entries }) => entries)).toEqual([1, 1]);
});

test("when nobody writes any more, nobody waits for anybody", async () => {
	const service = new Service();
	const folderBegins = Promise.withResolvers<void>();
	const database = service.source("postgres", async function* () {
		await folderBegins.promise;
		yield "base";
	});
	const files = service.source("directory", async function* () {
		folderBegins.resolve();
		yield "a";
	});
	expect((await take([files, database], true)).volumes).toHaveLength(2);
});

test("a database that cannot be listed keeps nobody waiting", async () => {
	const service = new Service();
	// biome-ignore lint/correctness/useYield: it fails before it has anything.
	const database = service.source("sqlite", async function* () {
		throw new Error("no such database");
	});
	const files = service.source("directory", async function* () {
		yield "a";
	});
	await expect(take([files, database])).rejects.toThrow("no such database");
});
