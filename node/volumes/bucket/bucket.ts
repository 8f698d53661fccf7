import type { Source, Target, VolumeOptions } from "../volume.ts";
import type { BucketPlace } from "./connection.ts";
import { BucketSource } from "./source.ts";
import { BucketTarget } from "./target.ts";

/** A bucket that a deployment moves away from. Opens nothing yet; the server is first spoken to when something is asked. */
export function openBucketSource(place: BucketPlace, options: VolumeOptions): Source {
	return new BucketSource(place, options);
}

/** A bucket that a deployment moves into; it must exist already, and be this deployment's alone. */
export function openBucketTarget(place: BucketPlace, options: VolumeOptions): Target {
	return new BucketTarget(place, options);
}
