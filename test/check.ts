/** `npm run check`: formatting, lint and types of everything, node, panel and protocol alike. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const checks: [name: string, mend: string, command: [string, ...string[]]][] = [
	[
		"biome",
		"npx biome check --write repairs most of it",
		["@biomejs/biome/bin/biome", "check", "node", "ui", "protocol", "test", "nix"],
	],
	["tsc", "the types do not fit", ["typescript/bin/tsc", "--pretty"]],
];

for (const [name, mend, [script, ...args]] of checks) {
	const { status } = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
		cwd: root,
		stdio: "inherit",
	});
	if (status !== 0) process.exitCode = 1;
	console.log(status === 0 ? `${name}: fine` : `${name}: not fine; ${mend}`);
}
