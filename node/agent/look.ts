import { execFile } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { get } from "node:http";
import { cpus, freemem, totalmem } from "node:os";
import type { Place } from "../volumes/volume.ts";
import type { Declaration, DeclaredService } from "./declaration.ts";
import { type Hold, heldBy, stateOf } from "./units.ts";

/** What a machine says of itself. */
export interface Description {
	readonly version: string;
	readonly system: string;
	readonly memoryMiB: number;
	readonly freeMemoryMiB: number;
	readonly diskGiB: number;
	readonly freeDiskGiB: number;
	readonly processors: number;
	readonly services: Readonly<
		Record<string, { volumes: Readonly<Record<string, Place["kind"]>>; held: Hold | null; units: readonly string[] }>
	>;
}

const systems: Readonly<Record<string, string>> = { x64: "x86_64-linux", arm64: "aarch64-linux" };
const MiB = 2 ** 20;

export function describe(declaration: Declaration, version: string): Description {
	const disk = statfsSync(nearest(declaration.state));
	const gib = (blocks: number) => Math.floor((blocks * disk.bsize) / 2 ** 30);
	return {
		version,
		system: systems[process.arch] ?? process.arch,
		memoryMiB: Math.floor(totalmem() / MiB),
		freeMemoryMiB: Math.floor(availableMemory() / MiB),
		diskGiB: gib(disk.blocks),
		freeDiskGiB: gib(disk.bavail),
		processors: cpus().length,
		services: Object.fromEntries(
			Object.entries(declaration.services).map(([name, service]) => [
				name,
				{ volumes: kindsOf(service), held: heldBy(declaration, name), units: service.units },
			]),
		),
	};
}

const kindsOf = ({ volumes }: DeclaredService) =>
	Object.fromEntries(Object.entries(volumes).map(([name, { kind }]) => [name, kind]));

/** What programs can still have: more than what is not used for anything at the moment. */
function availableMemory(): number {
	try {
		return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024;
	} catch {
		return freemem();
	}
}

/** The folder itself may not be there yet. */
function nearest(folder: string): string {
	try {
		statfsSync(folder);
		return folder;
	} catch {
		return "/";
	}
}

/** Bytes that a service's files take; null: cannot be told. Databases of a server and buckets are not counted. */
export async function sizeOf(declaration: Declaration, service: string): Promise<number | null> {
	const { volumes } = declaration.service(service);
	const paths = Object.values(volumes).flatMap((volume) => ("path" in volume ? [volume.path] : []));
	const sizes = await Promise.all(paths.map(used));
	return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

function used(path: string): Promise<number | null> {
	return new Promise((done) =>
		execFile("du", ["-sk", "--", path], { timeout: 60_000 }, (_error, output) => {
			const kibibytes = /^(\d+)/.exec(output)?.[1];
			done(kibibytes === undefined ? null : Number(kibibytes) * 1024);
		}),
	);
}

export interface Health {
	readonly held: Hold | null;
	readonly units: Readonly<Record<string, string>>;
	/** What its own address answered; null: there is none to ask, or it is held back. */
	readonly answer: { readonly ok: boolean; readonly detail: string; readonly milliseconds: number } | null;
}

/** Asks systemd, and the service itself. */
export async function probe(declaration: Declaration, service: string): Promise<Health> {
	const { units, health } = declaration.service(service);
	const held = heldBy(declaration, service);
	const states = await Promise.all(units.map(async (unit) => [unit, await stateOf(unit)] as const));
	return { held, units: Object.fromEntries(states), answer: health && !held ? await asked(health) : null };
}

function asked({ url, status, host }: NonNullable<DeclaredService["health"]>): Promise<Health["answer"]> {
	const start = performance.now();
	return new Promise((done) => {
		const say = (ok: boolean, detail: string) =>
			done({ ok, detail, milliseconds: Math.round(performance.now() - start) });
		const request = get(url, { timeout: 10_000, ...(host && { headers: { host } }) }, (response) => {
			const code = response.statusCode ?? 0;
			response.resume();
			say(status === undefined ? code < 400 : code === status, `It answers ${code}`);
		});
		request.on("timeout", () => request.destroy(new Error("It does not answer within 10 seconds")));
		request.on("error", (error) => say(false, error.message));
	});
}
