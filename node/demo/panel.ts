import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Exit } from "../commands/terminal.ts";

const root = join(import.meta.dirname, "../..");
const built = join(root, "dist/ui/index.html");
/** What the panel is made of. */
const sources = ["ui", "protocol", "package-lock.json"];

/** Builds the panel if it is missing or older than what it is made of; says so before, since it takes some seconds. */
export async function buildPanel(tell: (message: string) => void): Promise<void> {
	if (modified(built) > Math.max(...sources.map((source) => newest(join(root, source))))) return;
	tell("Building the panel …");
	const vite = join(root, "node_modules/vite/bin/vite.js");
	const child = spawn(process.execPath, [vite, "build", "ui", "--logLevel", "warn"], {
		cwd: root,
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [out, err, [code]] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, "exit")]);
	if (code !== 0) throw new Exit("failure", `The panel could not be built:\n${Buffer.concat([...out, ...err])}`);
}

function newest(path: string): number {
	if (!statSync(path).isDirectory()) return modified(path);
	const names = readdirSync(path, { recursive: true, encoding: "utf8" });
	return Math.max(...names.filter((name) => !/\.test\.ts$/.test(name)).map((name) => modified(join(path, name))));
}

function modified(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
