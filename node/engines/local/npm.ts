import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Workshop } from "./recipe.ts";

/** Where npm lies on systems whose search path does not say, or says it only to people who log in. */
const usualPlaces = [
	"/usr/lib/node_modules/npm/bin/npm-cli.js",
	"/usr/local/lib/node_modules/npm/bin/npm-cli.js",
	"/usr/share/nodejs/npm/bin/npm-cli.js",
	"/opt/homebrew/lib/node_modules/npm/bin/npm-cli.js",
];

/**
 * The beginning of a command line that runs npm, or undefined. The Node that runs us may have no npm of its own, and a
 * service manager may start us with hardly a search path; npm is a script, so any Node can run one found anywhere.
 */
export async function npmHere(shop: Workshop): Promise<[string, ...string[]] | undefined> {
	const beside = join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
	const onPath = await shop.which("npm");
	const linked = onPath && realpathSync(onPath);
	const scripts = [beside, linked, ...usualPlaces].filter((file) => file?.endsWith("npm-cli.js"));
	const script = scripts.find((file) => file && existsSync(file));
	if (script) return [process.execPath, script];
	// A wrapper, as version managers and some distributions have it.
	return onPath ? [onPath] : undefined;
}
