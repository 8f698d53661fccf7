/** `npm run bench` measures everything in this folder, `npm run bench -- gateway start` only what is named; `--size=2` is for the bench. */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { type Bench, isReached, type Measure } from "./bench.ts";

const folder = import.meta.dirname;
const known = readdirSync(folder)
	.filter((file) => file.endsWith(".ts") && !["run.ts", "bench.ts"].includes(file) && !file.endsWith(".test.ts"))
	.map((file) => file.slice(0, -".ts".length));
const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const unknown = asked.filter((name) => !known.includes(name));

if (unknown.length > 0) {
	console.error(`There is no bench called ${unknown.join(", ")}; there are ${known.join(", ")}`);
	process.exitCode = 2;
} else {
	console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}`);
	for (const name of asked.length > 0 ? asked : known) await measure(name);
}

/** A bench that fails does not keep the others from running. */
async function measure(name: string): Promise<void> {
	try {
		const { bench } = (await import(join(folder, `${name}.ts`))) as { bench: Bench };
		console.log(`\n${bench.name}: ${bench.goals}`);
		const before = stolen();
		const measures = await bench.run((line) => console.error(`  ${line}`));
		console.log(table(measures));
		console.log(
			`load ${loadavg()[0]?.toFixed(2)}, ${lost(before, stolen())} of the processors' time taken by the machine's host`,
		);
		if (measures.some((measure) => isReached(measure) === false)) process.exitCode = 1;
	} catch (error) {
		console.error(`${name} could not be measured: ${error instanceof Error ? error.message : error}`);
		process.exitCode = 1;
	}
}

function table(measures: readonly Measure[]): string {
	const rows = measures.map((measure) => [
		measure.what,
		measure.unit,
		short(measure.measured),
		measure.peer ? `${short(measure.peer.value)} ${measure.peer.name}` : "",
		measure.peer ? (measure.measured / measure.peer.value).toFixed(2) : "",
		measure.goal ? ("atMost" in measure.goal ? `≤ ${measure.goal.atMost}` : `≥ ${measure.goal.atLeast}`) : "",
		{ true: "reached", false: "MISSED", undefined: "" }[`${isReached(measure)}`],
	]);
	const lines = [["", "unit", "measured", "peer", "ratio", "goal", ""], ...rows];
	const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
	return lines
		.map((line) =>
			line
				.map((cell, at) => (cell ?? "").padEnd(widths[at] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

function short(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Ticks taken away by the host of a virtual machine, and all ticks; elsewhere than on Linux nobody counts them. */
function stolen(): { taken: number; all: number } | undefined {
	try {
		const ticks = readFileSync("/proc/stat", "utf8").split("\n")[0]?.split(/\s+/).slice(1, 9).map(Number) ?? [];
		return { taken: ticks[7] ?? 0, all: ticks.reduce((sum, value) => sum + value, 0) };
	} catch {
		return undefined;
	}
}

function lost(before: ReturnType<typeof stolen>, after: ReturnType<typeof stolen>): string {
	if (!before || !after || after.all === before.all) return "an unknown share";
	return `${((100 * (after.taken - before.taken)) / (after.all - before.all)).toFixed(0)} %`;
}
