/** The demo's own machinery, with two small programs in place of the nodes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Rfc2136Zone } from "../domains/rfc2136-zone.ts";
import { processTable } from "../engines/local/process-table.ts";
import { marker } from "../engines/local/unit.ts";
import { Database } from "../store/database.ts";
import { Demo } from "./demo.ts";
import { usualPort } from "./port.ts";
import { DemoState } from "./state.ts";

let folder: string;
let told: string[];
const opened: Demo[] = [];

/** Listens like a node, makes vouchers on its socket, ends when its supervisor does; `/die` makes it crash. */
const fakeNode = `
import { createServer } from "node:http";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
const folder = dirname(process.argv[2]);
const vouchers = [];
const json = (response, value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
rmSync(join(folder, "node.sock"), { force: true });
createServer(async (request, response) => {
	if (request.method === "GET") return json(response, { items: vouchers, next: null });
	const id = "v" + process.pid + vouchers.length;
	vouchers.push({ id, uses: 1, used: request.url.includes("use") ? 1 : 0, expiresAt: "2099-01-01T00:00:00Z" });
	json(response, { ...vouchers.at(-1), code: "code-" + id });
}).listen(join(folder, "node.sock"));
const door = createServer((request, response) => {
	if (request.url === "/die") process.exit(3);
	if (request.url === "/use") vouchers.at(-1).used = 1;
	response.end(folder.split("/").at(-1) + " for " + request.headers.host);
}).listen(0, "127.0.0.1", () => process.send({ ready: { port: door.address().port } }));
process.on("disconnect", () => process.exit());
`;

beforeEach(() => {
	folder = realpathSync(mkdtempSync(join(tmpdir(), "demo-")));
	writeFileSync(join(folder, "node.mjs"), fakeNode);
	told = [];
});
afterEach(async () => {
	await Promise.all(opened.splice(0).map((demo) => demo.close()));
	expect((await processTable()).filter(({ unit }) => unit?.startsWith(state().id))).toEqual([]);
	rmSync(folder, { recursive: true });
});

const state = () => new DemoState(join(folder, "state"));

interface Wishes {
	port?: number;
	fresh?: boolean;
	program?: string;
}

function demoWith({ port, fresh = false, program = join(folder, "node.mjs") }: Wishes = {}): Demo {
	const node = (file: string) => [process.execPath, program, file] as const;
	const tell = (message: string) => told.push(message);
	const environment = { PATH: process.env["PATH"], FEDIVERSITY_WEB_URL: "http://elsewhere.example" };
	const demo = new Demo({ state: state(), port, fresh, environment, node, tell });
	opened.push(demo);
	return demo;
}

async function open(wishes?: Wishes): Promise<Demo> {
	const demo = demoWith({ port: await freePort(), ...wishes });
	await demo.open();
	return demo;
}

async function close(demo: Demo) {
	opened.splice(opened.indexOf(demo), 1);
	await demo.close();
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	await new Promise((done) => server.close(done));
	return port;
}

async function visit(demo: Demo, host: string, path = "/", headers = {}) {
	const { port } = new URL(demo.address);
	const request = get({
		host: "127.0.0.1",
		port,
		path,
		headers: { host: `${host}:${port}`, ...headers },
		agent: false,
	});
	const [response] = (await once(request, "response")) as [IncomingMessage];
	const text = Buffer.concat(await response.toArray()).toString();
	return { status: response.statusCode, headers: response.headers, text };
}

describe("the front door", () => {
	test("leads to both panels, and knows nobody else", async () => {
		const demo = await open();
		const port = new URL(demo.address).port;
		expect((await visit(demo, "north.localhost")).text).toBe(`north for north.localhost:${port}`);
		expect((await visit(demo, "south.localhost")).text).toBe(`south for south.localhost:${port}`);
		expect(await visit(demo, "nobody.localhost")).toMatchObject({ status: 421 });
	});

	test("follows the zone, which each node changes with its own key", async () => {
		const demo = await open();
		const toml = readFileSync(state().configOf({ key: "south" }), "utf8");
		const server = /^server = "(127\.0\.0\.1:\d+)"/m.exec(toml)?.[1] ?? "";
		const key = { name: "south", secret: state().tsigKeyOf({ key: "south" }) };
		const zone = new Rfc2136Zone({ name: "localhost", server, key, now: Date.now });
		await zone.set([{ type: "CNAME", name: "social.band.localhost", value: "south.localhost", ttl: 60 }]);
		expect((await visit(demo, "social.band.localhost")).text).toContain("south for social.band.localhost");
		expect((await visit(demo, "localhost")).text).toContain("social.band.localhost</a> → South");
		await close(demo);
		const again = demoWith();
		await again.open();
		expect((await visit(again, "social.band.localhost")).text).toContain("south for");
	});

	test("has a page of its own that nothing else can script, frame or load from", async () => {
		const demo = await open();
		const { headers, text } = await visit(demo, "localhost");
		expect(headers["content-security-policy"]).toMatch(/^default-src 'none'/);
		expect(text).not.toMatch(/<script>|<style|style=|onclick/);
		const [north = "", south = ""] = await demo.vouchers();
		for (const shown of [north, south, ...demo.panels, demo.mailbox, state().folder]) expect(text).toContain(shown);
		expect((await visit(demo, "localhost", "/", { "accept-language": "de" })).text).toContain("Zwei Anbieter");
		expect((await visit(demo, "localhost", "/?lang=en", { "accept-language": "de" })).text).toContain("Two providers");
		for (const file of ["page.css", "page.js", "tokens.css", "mark.svg", "typeface.woff2"])
			expect(await visit(demo, "localhost", `/${file}`)).toMatchObject({ status: 200 });
		expect(await visit(demo, "localhost", "/../package.json")).toMatchObject({ status: 404 });
	});
});

describe("vouchers", () => {
	test("are shown again until somebody uses them", async () => {
		const demo = await open();
		const before = await demo.vouchers();
		expect(await demo.vouchers()).toEqual(before);
		await visit(demo, "north.localhost", "/use");
		const [north, south] = await demo.vouchers();
		expect(north).not.toBe(before[0]);
		expect(south).toBe(before[1]);
	});
});

describe("a node that dies", () => {
	test("is started again, and meanwhile visitors are asked to wait", async () => {
		const demo = await open();
		await visit(demo, "north.localhost", "/die").catch(() => {});
		await vi.waitFor(async () => expect((await visit(demo, "north.localhost")).status).toBe(503));
		expect((await visit(demo, "localhost")).text).toContain("A voucher will be here as soon as North runs");
		await vi.waitFor(async () => expect((await visit(demo, "north.localhost")).status).toBe(200), 10_000);
		expect(told).toEqual([expect.stringMatching(/^North ended unexpectedly \(exit code 3\)/), "North is back."]);
	});

	test("or cannot be started at all is told", async () => {
		const tell = (message: string) => told.push(message);
		const node = () => ["/nowhere/node"] as const;
		const demo = new Demo({ state: state(), port: await freePort(), fresh: false, environment: {}, node, tell });
		opened.push(demo);
		await expect(demo.open()).rejects.toThrow("could not be started (spawn /nowhere/node ENOENT)");
	});

	test("before it is ready is told with the end of its log", async () => {
		writeFileSync(join(folder, "broken.mjs"), `console.error("no such luck"); process.exit(78);`);
		const demo = demoWith({ port: await freePort(), program: join(folder, "broken.mjs") });
		await expect(demo.open()).rejects.toThrow(/could not be started \(exit code 78\)[\s\S]*no such luck/);
	});
});

describe("its port", () => {
	test("is the same at the next start", async () => {
		const demo = await open();
		const { address } = demo;
		await close(demo);
		const again = demoWith();
		await again.open();
		expect(again.address).toBe(address);
	});

	test("is the next free one when the wanted one is taken at the first start", async () => {
		const other = createServer().listen(0, "127.0.0.1");
		await once(other, "listening");
		const taken = (other.address() as AddressInfo).port;
		const demo = await open({ port: taken });
		expect(Number(new URL(demo.address).port)).toBeGreaterThan(taken);
		expect(told[0]).toContain(`Port ${taken} is in use`);
		other.close();
	});

	test("taken by another program later is told by number, with what to do", async () => {
		const demo = await open();
		const port = Number(new URL(demo.address).port);
		await close(demo);
		const other = createServer((socket) => socket.end("?")).listen(port, "127.0.0.1");
		await once(other, "listening");
		await expect(demoWith().open()).rejects.toThrow(new RegExp(`Port ${port}.*another program[\\s\\S]*--fresh`));
		other.close();
	});

	test("cannot be changed while addresses depend on it", async () => {
		const demo = await open();
		await close(demo);
		await expect(demoWith({ port: usualPort }).open()).rejects.toMatchObject({ code: 2 });
	});

	test("tells a second start of the same demo that the first is running, and where", async () => {
		const demo = await open();
		await expect(demoWith().open()).rejects.toThrow(`running already: ${demo.address}`);
	});
});

test("ending it at once ends its nodes and their services, and nothing else", async () => {
	const demo = await open();
	const database = new Database(join(state().folderOf({ key: "north" }), "node.sqlite"));
	database.run("INSERT INTO node (one, id) VALUES (1, 'north-node')");
	database.close();
	const sleeper = (unit: string) =>
		spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, env: { [marker]: unit } });
	const service = sleeper("north-node/d1/snac");
	const other = sleeper("north-node-2/d1/snac");
	const ended = once(service, "exit");
	await demo.kill();
	await ended;
	expect(other.exitCode).toBe(null);
	other.kill("SIGKILL");
	await once(other, "exit");
});

describe("beginning anew", () => {
	test("ends what an earlier, killed demo left running, and erases what it kept", async () => {
		const before = await open();
		const voucher = (await before.vouchers())[0];
		await before.kill();
		await close(before);
		const database = new Database(join(state().folderOf({ key: "south" }), "node.sqlite"));
		database.run("INSERT INTO node (one, id) VALUES (1, 'south-node')");
		database.close();
		const service = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
			detached: true,
			env: { [marker]: "south-node/d1/snac" },
		});
		const node = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
			detached: true,
			env: { [marker]: `${state().id}/north` },
		});
		const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
			env: { [marker]: `${state().id}x/north` },
		});
		const ended = Promise.all([once(service, "exit"), once(node, "exit")]);
		const demo = await open({ fresh: true });
		await ended;
		expect((await demo.vouchers())[0]).not.toBe(voucher);
		expect(other.exitCode).toBe(null);
		other.kill("SIGKILL");
		await once(other, "exit");
	});

	test("does not erase a folder that is no demo's", async () => {
		writeFileSync(join(state().folder, "thesis.txt"), "");
		await expect(demoWith({ fresh: true }).open()).rejects.toThrow("no demo's folder");
		expect(existsSync(join(state().folder, "thesis.txt"))).toBe(true);
	});
});

test("closing while it opens stops everything all the same", async () => {
	const demo = demoWith({ port: await freePort() });
	const opening = demo.open().catch((error: Error) => error);
	await vi.waitFor(() => expect(existsSync(state().configOf({ key: "south" }))).toBe(true));
	await close(demo);
	await opening;
	expect((await processTable()).filter(({ unit }) => unit?.startsWith(state().id))).toEqual([]);
});

test("nodes notice a kill -9 of their supervisor, and the next start goes on", async () => {
	const program = join(folder, "supervisor.ts");
	writeFileSync(
		program,
		`import { Demo } from ${JSON.stringify(join(import.meta.dirname, "demo.ts"))};
		import { DemoState } from ${JSON.stringify(join(import.meta.dirname, "state.ts"))};
		const node = (file: string) => [process.execPath, ${JSON.stringify(join(folder, "node.mjs"))}, file] as const;
		const state = new DemoState(${JSON.stringify(join(folder, "state"))});
		const demo = new Demo({ state, port: ${await freePort()}, fresh: false, environment: {}, node, tell() {} });
		await demo.open();
		console.log("open");`,
	);
	const supervisor = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
	await once(supervisor.stdout, "data");
	supervisor.kill("SIGKILL");
	await once(supervisor, "exit");
	const ours = async () => (await processTable()).filter(({ unit }) => unit?.startsWith(state().id));
	await vi.waitFor(async () => expect(await ours()).toEqual([]), 10_000);
	const demo = demoWith();
	await demo.open();
	expect((await visit(demo, "north.localhost")).status).toBe(200);
});
