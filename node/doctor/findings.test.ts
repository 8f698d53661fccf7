import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Config, readConfig } from "../config.ts";
import { MemoryZone } from "../domains/memory-zone.ts";
import { Rfc2136Zone } from "../domains/rfc2136-zone.ts";
import type { Ability } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";
import { type Parts, findings as realFindings } from "./findings.ts";
import { nodeVersion } from "./machine.ts";

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "doctor-"));
	chmodSync(folder, 0o700);
});
afterEach(() => {
	for (const server of servers.splice(0)) server.close();
	rmSync(folder, { recursive: true });
});

function config(more: NodeJS.ProcessEnv = {}): Config {
	return readConfig(undefined, {
		FEDIVERSITY_PROVIDER_NAME: "North",
		FEDIVERSITY_WEB_URL: "http://127.0.0.1:8080",
		FEDIVERSITY_WEB_LISTEN: "127.0.0.1:0",
		FEDIVERSITY_STATE_FOLDER: folder,
		...more,
	});
}

const stopped: Parts = { running: false, now: Date.now };

/** The findings of one check. */
async function found(check: string, settings: NodeJS.ProcessEnv = {}, parts: Partial<Parts> = {}) {
	const all = await realFindings(config(settings), { ...stopped, ...parts });
	return all.filter((finding) => finding.check === check);
}

async function listening(onConnection: (socket: Socket) => void = () => {}): Promise<number> {
	const server = createServer(onConnection).listen(0, "127.0.0.1");
	servers.push(server);
	await once(server, "listening");
	return (server.address() as AddressInfo).port;
}

test("the worst comes first, and everything that is not good says what to do", async () => {
	const all = await realFindings(config({ FEDIVERSITY_VAULT_KEY_FILE: "/dev/null/key" }), stopped);
	const states = all.map(({ state }) => state);
	expect(states).toEqual([...states].sort((a, b) => order(a) - order(b)));
	expect(states[0]).toBe("bad");
	expect(all.filter(({ state, fix }) => (state === "good") !== (fix === null))).toEqual([]);
});
const order = (state: string) => ["bad", "warning", "good"].indexOf(state);

test("an old Node is told", () => {
	expect(nodeVersion("20.19.1")).toMatchObject({ state: "bad", fix: expect.stringContaining("Node 26") });
	expect(nodeVersion("26.0.0")).toMatchObject({ state: "good" });
});

test("a clock behind what was written already is told", async () => {
	writeFileSync(join(folder, "node.db"), "");
	utimesSync(join(folder, "node.db"), 2_000_000_000, 2_000_000_000);
	expect(await found("clock")).toMatchObject([{ state: "bad", detail: expect.stringContaining("node.db") }]);
	expect(await found("clock", {}, { now: () => 2_000_000_001_000 })).not.toMatchObject([{ state: "bad" }]);
});

describe("the state folder", () => {
	test("may be missing before the first start", async () => {
		expect(await found("state-folder", { FEDIVERSITY_STATE_FOLDER: join(folder, "a/b") })).toMatchObject([
			{ state: "good", detail: expect.stringContaining("will be made") },
		]);
	});

	test("is no file", async () => {
		writeFileSync(join(folder, "file"), "");
		expect(await found("state-folder", { FEDIVERSITY_STATE_FOLDER: join(folder, "file") })).toMatchObject([
			{ state: "bad" },
		]);
	});

	test("is not for others to write in", async () => {
		chmodSync(folder, 0o777);
		expect(await found("state-folder")).toMatchObject([{ state: "bad", fix: `chmod 700 ${folder}` }]);
	});

	test("has some space", async () => {
		expect(await found("disk-space")).toMatchObject([{ detail: expect.stringMatching(/^\d+ MiB are free/) }]);
	});
});

describe("key files", () => {
	test("the vault's may be missing before the first start, the others may not", async () => {
		const settings = { FEDIVERSITY_ZONE_NAME: "north.example", FEDIVERSITY_ZONE_KEY_FILE: "tsig.key" };
		expect(await found("vault.key_file", settings)).toMatchObject([{ state: "good" }]);
		expect(await found("zone.key_file", settings)).toMatchObject([
			{ state: "bad", fix: expect.stringContaining("Write") },
		]);
	});

	test("that others may read are told with their fix", async () => {
		const file = join(folder, "vault.key");
		writeFileSync(file, "x");
		chmodSync(file, 0o644);
		expect(await found("vault.key_file")).toMatchObject([
			{ state: "bad", fix: expect.stringContaining(`chmod 600 ${file}`) },
		]);
		chmodSync(file, 0o600);
		expect(await found("vault.key_file")).toMatchObject([{ state: "good" }]);
	});
});

describe("ports", () => {
	test("that another program has are told, with how to find it", async () => {
		const port = await listening();
		const settings = { FEDIVERSITY_WEB_LISTEN: `127.0.0.1:${port}`, FEDIVERSITY_OPERATOR_METRICS: "127.0.0.1:0" };
		expect(await found("web.listen", settings)).toMatchObject([
			{ state: "bad", fix: expect.stringContaining(`:${port}`) },
		]);
		expect(await found("operator.metrics", settings)).toMatchObject([{ state: "good" }]);
	});

	test("of a node that runs are its own", async () => {
		const port = await listening();
		const settings = { FEDIVERSITY_WEB_LISTEN: `127.0.0.1:${port}` };
		expect(await found("web.listen", settings, { running: true })).toMatchObject([{ state: "good" }]);
	});

	test("of services must not include the front door's", async () => {
		expect(await found("engine.first_port", { FEDIVERSITY_WEB_LISTEN: "127.0.0.1:20001" })).toMatchObject([
			{ state: "bad" },
		]);
		expect(await found("engine.first_port")).toMatchObject([{ state: "good" }]);
	});
});

describe("names", () => {
	test("the panel's is looked up", async () => {
		expect(await found("names")).toMatchObject([{ state: "good", detail: "127.0.0.1 is 127.0.0.1" }]);
		expect(await found("names", { FEDIVERSITY_WEB_URL: "http://nobody.invalid" })).toMatchObject([
			{ state: "warning", fix: expect.stringContaining("A and AAAA") },
		]);
	});
});

describe("the zone", () => {
	test("that answers and takes updates is good, and nothing in it changes", async () => {
		const zone = new MemoryZone("north.example");
		expect(await found("zone", {}, { zone })).toMatchObject([{ state: "good" }]);
		expect(await zone.look("_fediversity-doctor.north.example", "TXT")).toEqual([]);
	});

	test("whose server is silent is told", async () => {
		const options = { name: "north.example", key: { name: "k", secret: "c2VjcmV0" }, now: Date.now, milliseconds: 300 };
		const zone = new Rfc2136Zone({ ...options, server: "127.0.0.1:9" });
		expect(await found("zone", {}, { zone })).toMatchObject([
			{ state: "bad", detail: expect.stringContaining("127.0.0.1:9") },
		]);
	});
});

describe("the mail server", () => {
	const at = (port: number) => ({
		FEDIVERSITY_MAIL_SERVER: `smtp://127.0.0.1:${port}`,
		FEDIVERSITY_MAIL_FROM: "a@b.example",
	});

	test("that greets is good", async () => {
		const port = await listening((socket) => socket.end("220 mail.example ESMTP\r\n"));
		expect(await found("mail", at(port))).toMatchObject([{ state: "good" }]);
	});

	test("that refuses, hangs up or is not there is told", async () => {
		const refusing = await listening((socket) => socket.end("554 go away\r\n"));
		expect(await found("mail", at(refusing))).toMatchObject([
			{ state: "bad", detail: expect.stringContaining("554 go away") },
		]);
		const hanging = await listening((socket) => socket.destroy());
		expect(await found("mail", at(hanging))).toMatchObject([{ state: "bad" }]);
		expect(await found("mail", at(9))).toMatchObject([
			{ state: "bad", detail: expect.stringContaining("ECONNREFUSED") },
		]);
	});

	test("that is not set is worth a word", async () => {
		expect(await found("mail")).toMatchObject([{ state: "warning" }]);
	});
});

test("services that lack a program are told; those of another engine are not", async () => {
	const abilities: Record<string, Ability> = {
		wiki: { can: true, version: "0.40.2" },
		galene: { can: false, code: "needs-program", missing: "galene", why: "galene is not installed" },
		mastodon: { can: false, code: "needs-engine", missing: "nixops4", why: "needs the NixOps4 engine" },
	};
	const services = Object.keys(abilities).map((name) => ({ name, title: name }) as Service);
	const engine = { name: "local", can: async ({ name }: Service) => abilities[name] as Ability };
	const all = await realFindings(config(), { ...stopped, engine, services });
	expect(all.filter(({ check }) => check.startsWith("service:"))).toMatchObject([
		{ check: "service:galene", state: "warning", fix: expect.stringContaining("galene") },
		{ check: "service:wiki", state: "good", detail: expect.stringContaining("0.40.2") },
	]);
});

test("a check that fails by surprise is a finding and not the end", async () => {
	mkdirSync(join(folder, "x"));
	const engine = {
		name: "local",
		can: async () => {
			throw new Error("surprise");
		},
	};
	const all = await realFindings(config(), { ...stopped, engine, services: [{ name: "wiki" } as Service] });
	expect(all.find(({ check }) => check === "programs")).toMatchObject({
		state: "bad",
		detail: expect.stringContaining("surprise"),
	});
	expect(all.length).toBeGreaterThan(5);
});
