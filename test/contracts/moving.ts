import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import type { Engine, PlacedVolume, Plan } from "../../node/engines/engine.ts";

/** Copies what lies in the places of one engine to those of another, as a finished transfer leaves it. */
export async function copyState(from: Engine, fromPlan: Plan, to: Engine, toPlan: Plan): Promise<void> {
	const there = await to.places(toPlan);
	for (const volume of await from.places(fromPlan)) copyVolume(volume, there);
}

/** Puts the volume into the one of these that has its name. */
export function copyVolume({ service, name, place }: PlacedVolume, into: readonly PlacedVolume[]): void {
	const target = into.find((one) => one.service === service && one.name === name)?.place;
	if (place.kind !== "directory" && place.kind !== "sqlite") throw new Error(`${place.kind} is not files`);
	if (target?.kind !== place.kind) throw new Error(`there is no place for ${service} ${name}`);
	rmSync(target.path, { recursive: true, force: true });
	// With hard links, which services count.
	execFileSync("cp", ["-a", "--", place.path, target.path]);
	if (target.owner !== null) execFileSync("chown", ["-hR", `${target.owner}:${target.owner}`, "--", target.path]);
}

/** What a node's vault holds of a deployment, under the name that the deployment has elsewhere. */
export function copySecrets(
	from: ReadonlyMap<string, string>,
	to: Map<string, string>,
	[before, after]: readonly [string, string],
): void {
	for (const [name, value] of from) if (name.startsWith(`${before}/`)) to.set(after + name.slice(before.length), value);
}
