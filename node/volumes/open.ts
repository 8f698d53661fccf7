import type { Place, Source, Target, VolumeOptions } from "./volume.ts";

/** The end of a volume that gives it away. Nothing is touched or read before it is asked for something. */
export async function openSource(place: Place, options: VolumeOptions): Promise<Source> {
	switch (place.kind) {
		case "directory": {
			const { DirectorySource } = await import("./directory/source.ts");
			return new DirectorySource(place.path, options.scratch);
		}
		case "sqlite": {
			const { SqliteSource } = await import("./sqlite/source.ts");
			return new SqliteSource(place.path, options.scratch);
		}
		case "postgres": {
			const { openPostgresSource } = await import("./postgres/postgres.ts");
			return openPostgresSource(place, options);
		}
		case "bucket": {
			const { openBucketSource } = await import("./bucket/bucket.ts");
			return openBucketSource(place, options);
		}
		case "remote":
			return elsewhereOf(options).openSource(place, options.scratch);
	}
}

/** The end of a volume that takes it. Seeds of another kind are of no use and left aside. */
export async function openTarget(place: Place, options: VolumeOptions): Promise<Target> {
	const { scratch, seeds = [] } = options;
	switch (place.kind) {
		case "directory": {
			const { DirectoryTarget } = await import("./directory/target.ts");
			const { path, owner } = place;
			return new DirectoryTarget({ path, owner, scratch, seeds: placesOf("directory", seeds) });
		}
		case "sqlite": {
			const { SqliteTarget } = await import("./sqlite/target.ts");
			const { path, owner } = place;
			return new SqliteTarget({ path, owner, scratch, seeds: placesOf("sqlite", seeds) });
		}
		case "postgres": {
			const { openPostgresTarget } = await import("./postgres/postgres.ts");
			return openPostgresTarget(place, options);
		}
		case "bucket": {
			const { openBucketTarget } = await import("./bucket/bucket.ts");
			return openBucketTarget(place, options);
		}
		case "remote":
			return elsewhereOf(options).openTarget(place, scratch, seeds);
	}
}

function elsewhereOf({ elsewhere }: VolumeOptions) {
	if (!elsewhere) throw new Error("This place is on another machine, and nobody has said how to get there");
	return elsewhere;
}

function placesOf(kind: "directory" | "sqlite", seeds: readonly Place[]): string[] {
	return seeds.flatMap((seed) => (seed.kind === kind && "path" in seed ? [seed.path] : []));
}
