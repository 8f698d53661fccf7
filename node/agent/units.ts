import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Problem } from "#protocol/problem.ts";
import type { Declaration } from "./declaration.ts";

/** Why a service is held back. */
export type Hold = "frozen" | "stopped";

/**
 * Ends a service's units and writes down that they stay ended: units look for that file before they start, so a restart of
 * the machine, or a switch to another system, wakes nobody up. Again is fine, also with another reason. A service that is
 * not here yet can be stopped before it comes.
 */
export async function hold(declaration: Declaration, service: string, why: Hold): Promise<void> {
	const units = why === "stopped" ? unitsOf(declaration, service) : declaration.service(service).units;
	const file = declaration.holdFile(service);
	mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
	writeFileSync(file, `${why}\n`, { flush: true });
	await systemctl(["stop", "--", ...units], units);
	const awake = (await Promise.all(units.map(async (unit) => ((await isActive(unit)) ? [unit] : [])))).flat();
	if (awake.length > 0) throw trouble(awake, "they still run");
}

/** Lets a service run again, with the secrets that are here now. Again is fine. */
export async function letGo(declaration: Declaration, service: string): Promise<void> {
	const units = unitsOf(declaration, service);
	rmSync(declaration.holdFile(service), { force: true });
	const { prepares = [], account } = declaration.services[service] ?? {};
	const asleep = (await Promise.all(units.map(isActive))).every((active) => !active);
	// What was made of its secrets before it was held may be of others.
	if (asleep) await systemctl(["restart", "--", ...prepares], prepares);
	await systemctl(["start", "--", ...units], units);
	// It waits for the service itself, and did not run while that was held.
	if (account) await systemctl(["start", "--no-block", "--", account], [account]);
}

/** None for a service that is not declared. */
function unitsOf(declaration: Declaration, service: string): readonly string[] {
	return Object.hasOwn(declaration.services, service) ? declaration.service(service).units : [];
}

/** Gives the first account the password that now lies among the secrets. */
export async function renewAccount(declaration: Declaration, service: string): Promise<void> {
	const { account } = declaration.service(service);
	if (account) await systemctl(["restart", "--", account], [account]);
}

/** Null: it may run. */
export function heldBy(declaration: Declaration, service: string): Hold | null {
	try {
		return readFileSync(declaration.holdFile(service), "utf8").trim() === "stopped" ? "stopped" : "frozen";
	} catch {
		return null;
	}
}

/** How systemd sees a unit: `active`, `inactive`, `failed`, `activating` and so on. */
export async function stateOf(unit: string): Promise<string> {
	const { output } = await called(["is-active", "--", unit]);
	return output.trim() || "unknown";
}

async function isActive(unit: string): Promise<boolean> {
	return !["inactive", "failed", "unknown"].includes(await stateOf(unit));
}

async function systemctl(words: readonly string[], units: readonly string[]): Promise<void> {
	if (units.length === 0) return;
	const { code, errors } = await called(words);
	if (code !== 0) throw trouble(units, errors.trim().split("\n").at(-1) || `systemctl ended with ${code}`);
}

const trouble = (units: readonly string[], reason: string) =>
	new Problem("machine-unit", { units: units.join(", "), machine: "the machine", reason });

function called(words: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
	return new Promise((resolve, reject) => {
		execFile("systemctl", words, { encoding: "utf8" }, (error, output, errors) => {
			if (error && typeof error.code !== "number")
				reject(
					new Problem("program-missing", { program: "systemctl", fix: "the agent needs systemd" }, { cause: error }),
				);
			else resolve({ code: Number(error?.code ?? 0), output, errors });
		});
	});
}
