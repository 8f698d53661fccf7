/** The command line as a person or a script meets it: the real program, against a real socket. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { problems } from "#protocol/problem.ts";

const main = join(import.meta.dirname, "../main.ts");
const at = "2026-11-22T12:00:00.000Z";

let folder: string;
let config: string;
let server: Server;
let asked: { what: string; body: unknown }[];
let answers: Record<string, unknown>;

const voucher = {
	...{ id: "v1", hint: "ABCD", services: ["snac"], diskMiB: 10, uses: 1, used: 0, note: "for Anna" },
	...{ createdAt: at, expiresAt: at },
};
const customer = {
	id: "c1",
	name: "Anna",
	email: "anna@choir.example",
	createdAt: at,
	deployments: 2,
	staff: false,
	lastSeenAt: null,
};
const peer = {
	...{ id: "p1", origin: "https://south.example", name: "So\u001b\u202euth", toldBy: "config", standing: "usual" },
	...{ hidden: false, mostMoves: null, mostBytes: null, key: { key: "zold", fingerprint: "abcd ef01" }, newKey: null },
	...{ stale: false, addedAt: at, seenAt: at, sheetUntil: at, problem: null },
};
const move = {
	...{ id: "m1", domain: "choir.example", services: ["snac"], bytes: 3_000_000, customer: "anna@choir.example" },
	...{ from: { origin: "https://south.example", provider: "South", customer: "Ada" }, agreed: true, createdAt: at },
};
const machine = {
	...{
		id: "one",
		address: "192.0.2.7",
		publicAddress: null,
		port: 22,
		user: "root",
		hostKey: "ssh-ed25519 AAAA",
		fingerprint: "SHA256:abc",
	},
	...{
		system: "x86_64-linux",
		memoryMiB: 4096,
		diskGiB: 100,
		state: "open",
		deployment: null,
		domain: null,
		createdAt: at,
	},
};
const step = { step: "start:snac", title: "Start snac", state: "stuck", startedAt: at, note: null };
const job = {
	...{ id: "j1", kind: "deploy", domain: "choir.example", state: "stuck", createdAt: at, startedAt: at },
	...{ endedAt: null, canRetry: true, steps: [{ ...step, problem: { code: "x", detail: "snac ended", params: {} } }] },
};

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "commands-"));
	config = join(folder, "node.toml");
	writeFileSync(
		config,
		`provider.name = "North"\nweb.url = "http://127.0.0.1:1"\nweb.listen = "127.0.0.1:0"\nstate.folder = "."\n`,
	);
	server = createServer(async (request, response) => {
		const text = Buffer.concat(await request.toArray()).toString();
		const what = `${request.method} ${request.url}`;
		asked.push({ what, body: text && JSON.parse(text) });
		const answer = answers[what];
		const isProblem = answer === undefined;
		response.writeHead(isProblem ? 404 : answer === null ? 204 : 200, {
			"content-type": isProblem ? "application/problem+json" : "application/json",
		});
		response.end(answer === null ? undefined : JSON.stringify(answer ?? { code: "not-found", status: 404 }));
	}).listen(join(folder, "node.sock"));
	await once(server, "listening");
});
afterAll(() => {
	server.close();
	rmSync(folder, { recursive: true });
});
beforeEach(() => {
	asked = [];
	answers = {
		"GET /api/v1/provider": {},
		"GET /api/v1/staff/vouchers?limit=200": { items: [voucher], next: "2" },
		"GET /api/v1/staff/vouchers?limit=200&after=2": { items: [{ ...voucher, id: "v2", hint: "EFGH" }], next: null },
		"POST /api/v1/staff/vouchers": { ...voucher, code: "ABCD-1234" },
		"DELETE /api/v1/staff/vouchers/v1": null,
		"GET /api/v1/staff/peers?limit=200": { items: [peer], next: null },
		"POST /api/v1/staff/peers": peer,
		"PATCH /api/v1/staff/peers/p1": peer,
		"DELETE /api/v1/staff/peers/p1": null,
		"GET /api/v1/staff/machines": { items: [machine] },
		"POST /api/v1/staff/machines": machine,
		"PATCH /api/v1/staff/machines/one": { ...machine, state: "draining", deployment: "d1" },
		"DELETE /api/v1/staff/machines/one": null,
		"GET /api/v1/staff/machines/one/findings": { items: [{ check: "disk", state: "good", detail: "fine", fix: null }] },
		"GET /api/v1/staff/machine-key": { publicKey: "ssh-ed25519 AAAA fediversity" },
		"GET /api/v1/staff/host-key?address=192.0.2.7": { hostKey: "ssh-ed25519 AAAA", fingerprint: "SHA256:abc" },
		"GET /api/v1/staff/moves": { items: [move] },
		"POST /api/v1/staff/moves/m1/accept": null,
		"POST /api/v1/staff/moves/m1/refuse": null,
		"GET /api/v1/staff/customers?limit=200": { items: [customer], next: null },
		"PATCH /api/v1/staff/customers/c1": { ...customer, staff: true },
		"POST /api/v1/staff/domains/choir.example/thaw": null,
		"POST /api/v1/staff/customers/c1/reset-password": { password: "new one" },
		"GET /api/v1/staff/jobs?limit=50": { items: [job], next: null },
		"GET /api/v1/staff/jobs/j1": job,
		"POST /api/v1/staff/jobs/j1/cancel": { ...job, state: "cancelling" },
		"POST /api/v1/staff/jobs/j1/retry": { ...job, state: "waiting" },
		"POST /api/v1/staff/deployments/choir.example/repair": { deployment: "d1", job: "j1" },
		"GET /api/v1/staff/findings": { items: [{ check: "mail", state: "bad", detail: "silent", fix: "start it" }] },
	};
});

async function run(args: string, environment: Record<string, string> = { FEDIVERSITY_CONFIG: config }) {
	const child = spawn(process.execPath, [main, ...args.split(" ").filter(Boolean)], {
		stdio: ["ignore", "pipe", "pipe"],
		env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...environment },
	});
	let out = "";
	let err = "";
	child.stdout.on("data", (chunk) => (out += chunk));
	child.stderr.on("data", (chunk) => (err += chunk));
	const [code] = await once(child, "close");
	return { code: code as number, out, err };
}

describe("voucher", () => {
	test("create prints the code alone on the side of the data", async () => {
		const { code, out, err } = await run("voucher create --services snac,wiki --days 3 --disk-mib 5 --note x");
		expect({ code, out }).toEqual({ code: 0, out: "ABCD-1234\n" });
		expect(err).toContain("Good for snac, once, until 2026-11-22 12:00");
		expect(asked[0]?.body).toEqual({ services: ["snac", "wiki"], days: 3, diskMiB: 5, note: "x" });
	});

	test("list shows every page, in columns that line up, without colours in a pipe", async () => {
		const { out } = await run("voucher list");
		expect(out.split("\n")).toEqual([
			"ID  CODE   SERVICES  USED    UNTIL             NOTE",
			"v1  ABCD…  snac      0 of 1  2026-11-22 12:00  for Anna",
			"v2  EFGH…  snac      0 of 1  2026-11-22 12:00  for Anna",
			"",
		]);
		expect(JSON.parse((await run("voucher list --json")).out)).toHaveLength(2);
	});

	test("withdraw asks first, and without a person needs --yes", async () => {
		expect(await run("voucher withdraw ABCD")).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
		expect(asked.map(({ what }) => what)).not.toContain("DELETE /api/v1/staff/vouchers/v1");
		expect(await run("voucher withdraw ABCD --yes")).toMatchObject({ code: 0 });
		expect(asked.map(({ what }) => what)).toContain("DELETE /api/v1/staff/vouchers/v1");
		expect(await run("voucher withdraw zzz --yes")).toMatchObject({
			code: 1,
			err: expect.stringContaining("voucher list"),
		});
	});
});

describe("peer", () => {
	test("list shows what others wrote without what would move the cursor", async () => {
		const { out } = await run("peer list");
		expect(out).toContain("https://south.example  So uth  usual     config");
		expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
	});

	test("add shows the fingerprint, for people to compare", async () => {
		expect(await run("peer add south.example")).toMatchObject({ code: 0, out: "abcd ef01\n" });
		expect(asked).toEqual([{ what: "POST /api/v1/staff/peers", body: { origin: "south.example" } }]);
	});

	test.each([
		["allow https://south.example", { standing: "allowed" }],
		["block south.example", { standing: "blocked" }],
		["unblock south.example", { standing: "usual" }],
		["hide south.example", { hidden: true }],
		["show south.example", { hidden: false }],
		["limit south.example --moves 2 --gib-a-day 3", { mostMoves: 2, mostBytes: 3 * 1024 ** 3 }],
		["limit south.example", { mostMoves: null, mostBytes: null }],
	])("%s", async (args, body) => {
		expect(await run(`peer ${args}`)).toMatchObject({ code: 0 });
		expect(asked.at(-1)).toEqual({ what: "PATCH /api/v1/staff/peers/p1", body });
	});

	test("a node that is not known can be blocked all the same", async () => {
		await run("peer block https://east.example");
		expect(asked.map(({ body }) => body)).toContainEqual({ origin: "https://east.example", standing: "blocked" });
	});

	test("confirm asks first, showing both keys, and remove says so", async () => {
		expect(await run("peer confirm south.example")).toMatchObject({ code: 1 });
		answers["GET /api/v1/staff/peers?limit=200"] = {
			...{ items: [{ ...peer, newKey: { key: "znew", fingerprint: "9999" } }], next: null },
		};
		expect(await run("peer confirm south.example")).toMatchObject({ code: 2, err: expect.stringContaining("9999") });
		expect(await run("peer confirm south.example -y")).toMatchObject({ code: 0 });
		expect(asked.at(-1)?.body).toEqual({ key: "znew" });
		expect(await run("peer remove south.example")).toMatchObject({ code: 0 });
		expect(asked.at(-1)?.what).toBe("DELETE /api/v1/staff/peers/p1");
		expect(await run("peer remove west.example")).toMatchObject({ code: 1 });
	});
});

describe("move", () => {
	test("list, accept and refuse", async () => {
		expect((await run("move list")).out).toContain("m1  choir.example  snac      3    South (https://south.example)");
		expect(await run("move accept m1")).toMatchObject({ code: 0 });
		expect(await run("move refuse m1")).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
		expect(await run("move refuse m1 -y")).toMatchObject({ code: 0 });
		expect(asked.map(({ what }) => what).filter((what) => what.startsWith("POST"))).toEqual([
			"POST /api/v1/staff/moves/m1/accept",
			"POST /api/v1/staff/moves/m1/refuse",
		]);
		expect(await run("move refuse m2 -y")).toMatchObject({ code: 1 });
		expect(await run("move thaw choir.example")).toMatchObject({
			code: 0,
			err: expect.stringContaining("serve again"),
		});
	});
});

describe("customer", () => {
	test("list", async () => {
		expect((await run("customer list")).out).toContain(
			"c1  Anna  anna@choir.example  –      2            2026-11-22 12:00  –",
		);
	});

	test("reset-password takes the id or the e-mail address, and says who has to confirm", async () => {
		expect(await run("customer reset-password ANNA@choir.example -y")).toMatchObject({ code: 0, out: "new one\n" });
		expect(await run("customer reset-password c1 -y --json")).toMatchObject({
			out: expect.stringContaining('"password"'),
		});
		expect(await run("customer reset-password c1")).toMatchObject({ code: 2, err: expect.stringContaining("Anna") });
	});
});

describe("customer staff", () => {
	test("on asks first, off does not, and one of them must be said", async () => {
		expect(await run("customer staff anna@choir.example --on")).toMatchObject({
			code: 2,
			err: expect.stringContaining("--yes"),
		});
		expect(await run("customer staff anna@choir.example --on -y")).toMatchObject({ code: 0 });
		expect(asked.at(-1)).toEqual({ what: "PATCH /api/v1/staff/customers/c1", body: { staff: true } });
		expect(await run("customer staff c1 --off")).toMatchObject({ code: 0 });
		expect(asked.at(-1)?.body).toEqual({ staff: false });
		expect(await run("customer staff c1")).toMatchObject({ code: 2, err: expect.stringContaining("--on or --off") });
	});
});

describe("job", () => {
	test("list and show", async () => {
		expect((await run("job list")).out).toContain("j1  deploy  choir.example  stuck  2026-11-22 12:00  –");
		const { out, err } = await run("job show j1");
		expect(out).toMatch(/^deploy choir\.example: stuck\n\n.*\n! {2}Start snac {2}stuck {2}.* {2}snac ended\n$/);
		expect(err).toContain("job retry j1");
		expect(JSON.parse((await run("job show j1 --json")).out)).toMatchObject({ id: "j1" });
	});

	test("setting a deployment up again is one, and is told how to follow it", async () => {
		expect((await run("deployment repair choir.example")).err).toContain("job show j1");
		expect((await run("deployment repair nobody.example")).code).toBe(1);
	});

	test("cancel and retry", async () => {
		expect(await run("job cancel j1")).toMatchObject({ code: 2 });
		expect(await run("job cancel j1 --yes")).toMatchObject({ code: 0, err: expect.stringContaining("cancelling") });
		expect(await run("job retry j1 --json")).toMatchObject({ code: 0, out: expect.stringContaining("waiting") });
	});

	test("a problem of the node is told in its sentence, for programs as JSON", async () => {
		expect(await run("job show nope")).toEqual({ code: 1, out: "", err: `${problems["not-found"][1]}\n` });
		expect(JSON.parse((await run("job show nope --json")).err)).toMatchObject({ code: 1, problem: "not-found" });
	});
});

describe("machine", () => {
	const wishes = "machine add one 192.0.2.7 --memory-mib 4096 --disk-gib 100";

	test("add shows the host key to be compared, and without anybody to say yes adds nothing", async () => {
		const { code, err } = await run(wishes);
		expect(code).toBe(2);
		expect(err).toContain("SHA256:abc");
		expect(asked.map(({ what }) => what)).toEqual(["GET /api/v1/staff/host-key?address=192.0.2.7"]);
		expect(await run(`${wishes} --yes`)).toMatchObject({ code: 0, err: expect.stringContaining("machine check one") });
		const body = { id: "one", address: "192.0.2.7", memoryMiB: 4096, diskGiB: 100, hostKey: "ssh-ed25519 AAAA" };
		expect(asked.at(-1)).toEqual({ what: "POST /api/v1/staff/machines", body });
	});

	test("add asks nothing of a machine whose key is given", async () => {
		expect((await run(`${wishes} --port 2222 --public-address m1.example --user deploy --host-key AAAA`)).code).toBe(0);
		expect(asked.map(({ what }) => what)).toEqual(["POST /api/v1/staff/machines"]);
		expect(asked[0]?.body).toMatchObject({ publicAddress: "m1.example", port: 2222, user: "deploy", hostKey: "AAAA" });
	});

	test("list, key and check print data; check's exit code tells scripts", async () => {
		expect((await run("machine list")).out).toMatch(/^NAME +ADDRESS.*\none +root@192\.0\.2\.7:22 .* open +–\n$/);
		expect((await run("machine key")).out).toBe("ssh-ed25519 AAAA fediversity\n");
		expect(await run("machine check one")).toMatchObject({ code: 0, out: expect.stringContaining("✓ disk  fine") });
		answers["GET /api/v1/staff/machines/one/findings"] = {
			items: [{ check: "reached", state: "bad", detail: "silent", fix: "start it" }],
		};
		expect(await run("machine check one --json")).toMatchObject({ code: 1, out: expect.stringContaining("start it") });
		expect(await run("machine check two")).toMatchObject({ code: 1, err: expect.stringContaining("machine list") });
	});

	test("drain and remove say what comes of it", async () => {
		expect((await run("machine drain one")).err).toBe("one keeps d1 and takes nothing more.\n");
		expect(asked.at(-1)?.body).toEqual({ state: "draining" });
		expect((await run("machine public one 192.0.2.9")).err).toContain("told when it is set up again");
		expect(asked.at(-1)?.body).toEqual({ publicAddress: "192.0.2.9" });
		await run("machine public one");
		expect(asked.at(-1)?.body).toEqual({ publicAddress: null });
		expect(await run("machine remove one")).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
		expect(await run("machine remove one --yes")).toMatchObject({ code: 0, err: expect.stringContaining("forgotten") });
	});
});

describe("doctor", () => {
	test("asks the running node, and its exit code tells scripts", async () => {
		const { code, out } = await run("doctor");
		expect(code).toBe(1);
		expect(out).toContain("✗ mail  silent\n    → start it\n");
		answers["GET /api/v1/staff/findings"] = { items: [{ check: "mail", state: "good", detail: "fine", fix: null }] };
		expect(await run("doctor --json")).toMatchObject({ code: 0, out: expect.stringContaining('"check": "mail"') });
	});

	test("looks for itself when the node is not running", async () => {
		const { out } = await run("doctor", { FEDIVERSITY_CONFIG: config, FEDIVERSITY_OPERATOR_SOCKET: "none.sock" });
		expect(out).toContain("! running  The node is not running");
		expect(out).toContain("node-version");
	});

	test("names every mistake of the configuration", async () => {
		const { code, out } = await run("doctor --json", { FEDIVERSITY_WEB_URL: "x", FEDIVERSITY_WEB_LITSEN: "y" });
		expect(code).toBe(78);
		expect(JSON.parse(out).items.map(({ detail }: { detail: string }) => detail)).toEqual([
			"FEDIVERSITY_WEB_LITSEN: there is no such setting; did you mean FEDIVERSITY_WEB_LISTEN?",
			"provider.name: is missing",
			expect.stringContaining("FEDIVERSITY_WEB_URL: must be an origin"),
			"state.folder: is missing",
		]);
	});
});

describe("mistakes", () => {
	test.each([
		["vouchr list", 2, "Did you mean voucher?"],
		["voucher creat", 2, "Did you mean create?"],
		["voucher create --day 3", 2, "Did you mean --days?"],
		["voucher create --days soon", 2, "whole number above 0"],
		["voucher list --config /nowhere.toml", 78, "no such file"],
		["serve --config /nowhere.toml", 78, "no such file"],
		["serve --port 3", 2, "unknown option"],
		["voucher", 2, "withdraw"],
	])("%s", async (args, code, told) => {
		expect(await run(args)).toMatchObject({ code, out: "", err: expect.stringContaining(told) });
	});

	test("a node that is not running has an exit code of its own and says how to start it", async () => {
		const environment = { FEDIVERSITY_CONFIG: config, FEDIVERSITY_OPERATOR_SOCKET: "none.sock" };
		expect(await run("job list", environment)).toMatchObject({
			code: 3,
			err: expect.stringContaining("fediversity serve"),
		});
	});

	test("no configuration at all says where it could be", async () => {
		expect(await run("job list", {})).toMatchObject({ code: 78, err: expect.stringContaining("--config FILE") });
	});
});

test("help begins with what it is and shows examples and exit codes", async () => {
	const { code, out } = await run("--help", {});
	expect(code).toBe(0);
	expect(out).toContain("Examples:");
	expect(out).toContain("3 the node is not running");
	expect(await run("--version", {})).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
