import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** Builds the panel as it stands, as it is shipped, into a folder of its own, which `remove` takes away. */
export function buildPanel(): { folder: string; remove: () => void } {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-panel-"));
	const vite = join(root, "node_modules/vite/bin/vite.js");
	const options = [
		"build",
		"--config",
		"ui/vite.config.ts",
		"--outDir",
		folder,
		"--emptyOutDir",
		"--logLevel",
		"error",
	];
	execFileSync(process.execPath, [vite, ...options], { cwd: root, env: { ...process.env, NODE_ENV: "production" } });
	return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
