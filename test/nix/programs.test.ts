/** The small programs that machines run for a service: before its first start, and for its first account. */
import { execFileSync, spawn } from "node:child_process";
import { createECDH, createHash, pbkdf2Sync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessWith } from "../../node/engines/local/recipes/garage.ts";

const services = join(import.meta.dirname, "../../nix/services");
let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-programs-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | object): string {
	const path = join(folder, name);
	mkdirSync(join(path, ".."), { recursive: true });
	writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
	return path;
}

/** Runs one as systemd does, with its credentials in a folder; resolves with what it said when it went wrong. */
async function run(file: string, words: string[], env: Record<string, string> = {}): Promise<string> {
	const environment = { ...process.env, CREDENTIALS_DIRECTORY: join(folder, "credentials"), ...env };
	const child = spawn(process.execPath, [join(services, file), ...words], { env: environment });
	let said = "";
	child.stderr.on("data", (chunk) => {
		said += chunk;
	});
	const [code] = await once(child, "close");
	return code === 0 ? "" : said || `ended with ${code}`;
}

describe("Mastodon's keys", () => {
	const made = (secret: string) => {
		for (const name of ["secret-key-base", "vapid", "active-record"]) put(`from/${name}`, `${secret} ${name}`);
		rmSync(join(folder, "to"), { recursive: true, force: true });
		execFileSync("sh", [join(services, "mastodon/keys.sh"), join(folder, "from"), join(folder, "to")]);
		const names = readdirSync(join(folder, "to")).sort();
		return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, "to", name), "utf8").trim()]));
	};

	test("are the same from the same secrets, and others from others", () => {
		const keys = made("one");
		expect(made("one")).toEqual(keys);
		const others = made("two");
		for (const [name, key] of Object.entries(keys)) expect(others[name], name).not.toBe(key);
		expect(new Set(Object.values(keys)).size).toBe(6);
	});

	test("are a pair on P-256 for web push, and of the length that Rails wants", () => {
		for (const secret of ["one", "two", "three"]) {
			const keys = made(secret);
			const pair = createECDH("prime256v1");
			pair.setPrivateKey(Buffer.from(keys["vapid-private-key"] ?? "", "base64url"));
			expect(pair.getPublicKey("base64url")).toBe(keys["vapid-public-key"]);
			for (const purpose of ["deterministic-key", "key-derivation-salt", "primary-key"])
				expect(keys[`active-record-encryption-${purpose}`]).toMatch(/^[0-9a-f]{32}$/);
			expect(keys["secret-key-base"]).toBe(`${secret} secret-key-base`);
		}
	});
});

test("Galene's room lets its owner lead, and nobody else in", async () => {
	put("credentials/password", "a long password");
	const description = { domain: "choir.example", origin: "https://meet.choir.example", username: "ada" };
	expect(await run("galene/room.mjs", [put("room.json", description), folder])).toBe("");
	expect(JSON.parse(readFileSync(join(folder, "data/config.json"), "utf8"))).toEqual({
		proxyURL: "https://meet.choir.example/",
	});
	const room = JSON.parse(readFileSync(join(folder, "groups/meeting.json"), "utf8"));
	expect(room).toMatchObject({ displayName: "choir.example", users: { ada: { permissions: "op" } } });
	expect(Object.keys(room).sort()).toEqual(["displayName", "public", "users"]);
	const { key, salt, iterations } = room.users.ada.password;
	const expected = pbkdf2Sync("a long password", Buffer.from(salt, "hex"), iterations, 32, "sha256").toString("hex");
	expect(key).toBe(expected);
});

interface Asked {
	what: string;
	body: string;
	authorization: string | undefined;
}

/** A server that answers by a table, and remembers what it was asked. */
async function serving(answers: (asked: Asked) => unknown) {
	const asked: Asked[] = [];
	const bodyOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString();
	const server = createServer(async (request, response) => {
		const one = {
			what: `${request.method} ${decodeURIComponent(request.url ?? "")}`,
			body: await bodyOf(request),
			authorization: request.headers.authorization,
		};
		asked.push(one);
		const answer = answers(one);
		response.statusCode = answer === undefined ? 404 : 200;
		response.end(answer === undefined ? "" : JSON.stringify(answer));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return { asked, address, [Symbol.asyncDispose]: async () => void server.close() };
}

describe("the storage", () => {
	const key = "a".repeat(64);
	const furnish = (admin: string, wanted: object) => {
		put("credentials/admin", "the token");
		put("credentials/key", key);
		return run("garage/furnish.mjs", [put("wanted.json", { admin, buckets: [], nodes: 1, ...wanted })]);
	};

	test("is laid out, with the key that follows from the secret and with open buckets; again changes nothing", async () => {
		const { keyId } = accessWith(key);
		const has = { roles: [] as unknown[], keys: [] as string[], buckets: [] as string[] };
		await using garage = await serving(({ what, body }) => {
			const given = body === "" ? {} : JSON.parse(body);
			if (what === "GET /v2/GetClusterLayout") return { version: 0, roles: has.roles };
			if (what === "GET /v2/GetClusterStatus") return { nodes: [{ id: "n1", isUp: true }] };
			if (what === "POST /v2/UpdateClusterLayout") has.roles = given.roles;
			if (what === "POST /v2/ImportKey") has.keys.push(given.accessKeyId);
			if (what.startsWith("GET /v2/GetKeyInfo")) return has.keys.includes(what.split("id=")[1] ?? "") ? {} : undefined;
			if (what === "POST /v2/CreateBucket") has.buckets.push(given.globalAlias);
			if (what.startsWith("GET /v2/GetBucketInfo")) {
				const name = what.split("globalAlias=")[1] ?? "";
				return has.buckets.includes(name) ? { id: name } : undefined;
			}
			return { id: given.globalAlias };
		});
		const wanted = { buckets: ["media.choir.example", "mastodon"], key: "d1" };
		expect(await furnish(garage.address, wanted)).toBe("");
		const first = structuredClone(has);
		expect(first).toMatchObject({ keys: [keyId], buckets: ["media.choir.example", "mastodon"], roles: [{ id: "n1" }] });
		expect(await furnish(garage.address, wanted)).toBe("");
		expect(has).toEqual(first);
		expect(new Set(garage.asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer the token"]));
		expect(garage.asked.filter(({ body }) => body.includes("websiteAccess"))).toHaveLength(4);
	});

	test("of three machines waits until all are there, each in a zone of its own", async () => {
		let up = 2;
		const roles: { id: string; zone: string; capacity: number }[] = [];
		await using garage = await serving(({ what, body }) => {
			if (what === "GET /v2/GetClusterLayout") return { version: 4, roles };
			if (what === "POST /v2/UpdateClusterLayout") roles.push(...JSON.parse(body).roles);
			if (what === "POST /v2/ApplyClusterLayout") expect(JSON.parse(body)).toEqual({ version: 5 });
			const ids = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"];
			return { nodes: ids.map((id, index) => ({ id, isUp: index < up })) };
		});
		expect(await furnish(garage.address, { nodes: 3, capacityGiB: 2 })).toContain("2 of 3 nodes are there");
		up = 3;
		expect(await furnish(garage.address, { nodes: 3, capacityGiB: 2, zones: { aaaaaaaaaa: "attic" } })).toBe("");
		expect(roles.map(({ zone }) => zone)).toEqual(["attic", "bbbbbbbb", "cccccccc"]);
		expect(roles.every(({ capacity }) => capacity === 2 * 2 ** 30)).toBe(true);
	});
});

describe("PeerTube's first account", () => {
	/** Who has an account, with which password. */
	async function peertube(users: Record<string, string>) {
		return serving(({ what, body, authorization }) => {
			if (what === "GET /api/v1/oauth-clients/local") return { client_id: "c", client_secret: "s" };
			if (what === "POST /api/v1/users/token") {
				const form = new URLSearchParams(body);
				const isRoot = form.get("username") === "root" && form.get("password") === "of root";
				return isRoot && form.get("client_id") === "c" ? { access_token: "token" } : undefined;
			}
			if (authorization !== "Bearer token") return undefined;
			if (what.startsWith("GET /api/v1/users?search=")) {
				// Finds names in which the words appear, too.
				return { data: ["adam", ...Object.keys(users)].map((username) => ({ id: username, username })) };
			}
			const { username, password, role } = JSON.parse(body);
			if (what === "POST /api/v1/users" && role === 0) users[username] = password;
			else if (what.startsWith("PUT ")) users[what.split("/").at(-1) ?? ""] = password;
			else return undefined;
			return {};
		});
	}
	const give = (server: string, known: string) => {
		put("credentials/password", "a secret");
		const file = put("owner.json", { server, username: "ada", email: "ada@choir.example" });
		return run("peertube/owner.mjs", [file], { PT_INITIAL_ROOT_PASSWORD: "of root", KNOWN: known });
	};

	test.each([
		["is made when it is missing", {}, "", { ada: "a secret" }],
		["stays as it is when it came from another provider", { ada: "old" }, "", { ada: "old" }],
		["gets its password anew when that has changed", { ada: "old" }, "changed", { ada: "a secret" }],
	])("%s", async (_what, before, known, after) => {
		const users: Record<string, string> = { ...before };
		await using server = await peertube(users);
		expect(await give(server.address, known)).toBe("");
		expect(users).toEqual(after);
	});

	test("says what PeerTube said when it cannot be made, and never the password", async () => {
		await using server = await serving(() => undefined);
		const said = await give(server.address, "");
		expect(said).toContain("answered 404");
		expect(said).not.toMatch(/of root|a secret/);
	});
});

test("a shell makes the same key of the storage's secret as the node does", () => {
	const secret = "0123456789abcdef";
	const line = `GK$(printf 'id of %s' "$secret" | sha256sum | cut -c 1-24)`;
	expect(readFileSync(join(services, "../storage.nix"), "utf8")).toContain(line);
	const made = execFileSync("sh", ["-c", `printf %s "${line}"`], { env: { ...process.env, secret }, encoding: "utf8" });
	expect(made).toBe(accessWith(secret).keyId);
	expect(made).toBe(`GK${createHash("sha256").update(`id of ${secret}`).digest("hex").slice(0, 24)}`);
});

describe("an ssh key for the agent alone", () => {
	const call = (asked?: string) => {
		const agent = put("agent", "#!/bin/sh\nprintf '%s|' \"$@\"\n");
		execFileSync("chmod", ["+x", agent]);
		const env = { PATH: process.env["PATH"] ?? "", ...(asked !== undefined && { SSH_ORIGINAL_COMMAND: asked }) };
		try {
			return execFileSync("bash", [join(services, "../agent-only.sh"), agent], {
				env,
				encoding: "utf8",
				stdio: "pipe",
			});
		} catch (error) {
			return (error as { status: number }).status;
		}
	};

	test("calls it with its words, quoted or not", () => {
		expect(call("fediversity-agent freeze d1/mastodon")).toBe("freeze|d1/mastodon|");
		expect(call("'fediversity-agent' 'secret' 'put' 'd1/mastodon' 'secret-key-base'")).toBe(
			"secret|put|d1/mastodon|secret-key-base|",
		);
	});

	test.each([
		undefined,
		"",
		"sh",
		"rm -rf /",
		"fediversity-agent-2 freeze",
		"fediversity-agent freeze; id",
		"fediversity-agent $(id)",
		"fediversity-agent `id`",
		"fediversity-agent freeze\nid",
		"fediversity-agent freeze > /etc/passwd",
		"fediversity-agent *",
		"fediversity-agent \\' id",
		"scp -t /etc",
		"internal-sftp",
	])("refuses %j", (asked) => {
		expect(call(asked)).toBe(126);
	});
});
