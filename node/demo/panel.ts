import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Exit } from "../commands/terminal.ts";

/** What the panel is made of. */
const sources = ["ui", "protocol", "package-lock.json"];

/**
 * Builds the panel if it is missing or older than what it is made of, and says so before, since it takes some seconds.
 * It appears whole: a build that is killed, or another one at the same time, leaves no half of one.
 */
export async function buildPanel(
	tell: (message: string) => void,
	environment: NodeJS.ProcessEnv,
	root = join(import.meta.dirname, "../.."),
): Promise<void> {
	const built = join(root, "dist/ui");
	if (modified(join(built, "index.html")) > Math.max(...sources.map((source) => newest(join(root, source))))) return;
	tell("Building the panel …");
	const draft = join(root, `dist/ui-${process.pid}`);
	try {
		await build(root, draft, { ...environment, NODE_ENV: "production" });
		rmSync(built, { recursive: true, force: true });
		renameSync(draft, built);
	} finally {
		rmSync(draft, { recursive: true, force: true });
	}
}

async function build(root: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
	const vite = join(root, "node_modules/vite/bin/vite.js");
	const args = ["build", "ui", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"];
	const child = spawn(process.execPath, [vite, ...args], {
		cwd: root,
		stdio: ["ignore", "pipe", "pipe"],
		env,
	});
	const [out, err, [code]] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, "exit")]);
	if (code !== 0) throw new Exit("failure", `The panel could not be built:\n${Buffer.concat([...out, ...err])}`);
}

function newest(path: string): number {
	if (!statSync(path).isDirectory()) return modified(path);
	const files = readdirSync(path, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
		.map(({ parentPath, name }) => join(parentPath, name));
	return Math.max(0, ...files.map(modified));
}

function modified(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
