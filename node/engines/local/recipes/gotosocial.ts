import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { nodeinfo, page, webfinger } from "../probes.ts";
import { beside, installed } from "../program.ts";
import type { Hands, Home, Probe, Recipe } from "../recipe.ts";

/** Where archives of its releases and distributions have its pages. */
const web = ["web", "../share/gotosocial/web", "/usr/share/gotosocial/web", "/usr/share/webapps/gotosocial/web"];
const alone = "By plain HTTP it finds no accounts on other servers, since it looks them up by HTTPS only";
const passwords = join(import.meta.dirname, "gotosocial/set-password.mjs");

/** GoToSocial from 0.17 on with SQLite, see https://docs.gotosocial.org/en/latest/configuration/. */
export const gotosocial: Recipe = {
	service: "gotosocial",
	ports: ["http"],
	volumes: [
		{ name: "database", kind: "sqlite", path: "data/database.sqlite" },
		{ name: "storage", kind: "directory", path: "data/storage" },
	],
	lasting: ["compiled"],
	// The first time it compiles what it treats pictures with, which takes far longer than everything else.
	ready: { usually: 40, atMost: 300 },
	stop: { signal: "SIGTERM", seconds: 30 },
	...installed({ title: "GoToSocial", program: "gotosocial", folder: { name: "web", places: web } }),

	versionCommand: ({ path }) => [path, "--version"],

	async configure(home, hands) {
		await hands.run(["mkdir", "-p", "--", "data/storage", "compiled"]);
		await hands.write("config.json", JSON.stringify(settings(home), null, "\t"));
		if (home.origin.startsWith("http:")) hands.report.log(alone);
	},

	command: (home) => ({
		argv: [...program(home), "server", "start"],
		env: { GTS_WAZERO_COMPILATION_CACHE: join(home.state, "compiled") },
		limits: { files: 8192 },
		reads: [webOf(home), dirname(process.execPath), dirname(passwords)],
	}),

	probes: (home) => [api(home), page("/", "GoToSocial"), webfinger(home)],

	account: {
		// It remembers accounts, so that it would not see a change.
		while: "stopped",
		async create(home, password, hands) {
			const { username, email } = home.owner;
			if (!(await give(home, password, hands))) {
				// Anybody can read arguments. This password opens nothing: there is another one before the server starts.
				const anything = randomBytes(24).toString("base64url");
				const whose = ["--username", username, "--email", email, "--password", anything];
				await administer(home, hands, "create", ...whose);
				if (!(await give(home, password, hands))) throw new Error("the account that was just made is not there");
			}
			await administer(home, hands, "promote", "--username", username);
		},
		async setPassword(home, password, hands) {
			if (!(await give(home, password, hands))) throw new Error(`there is no account called ${home.owner.username}`);
		},
	},
};

function settings(home: Home): Record<string, unknown> {
	const { host, protocol } = new URL(home.origin);
	return {
		host,
		protocol: protocol.slice(0, -1),
		"bind-address": "127.0.0.1",
		port: home.port(),
		"trusted-proxies": ["127.0.0.1/32", "::1/128"],
		"db-type": "sqlite",
		"db-address": join(home.state, "data/database.sqlite"),
		"storage-backend": "local",
		"storage-local-base-path": join(home.state, "data/storage"),
		"web-template-base-dir": join(webOf(home), "template/"),
		"web-asset-base-dir": join(webOf(home), "assets/"),
		"letsencrypt-enabled": false,
		// In the demo all visitors have one address, and would share what one of them may ask for.
		...(home.host.endsWith(".localhost") && { "advanced-rate-limit-exceptions": ["127.0.0.1/32", "::1/128"] }),
	};
}

function webOf({ program }: Home): string {
	const found = beside(program, web);
	if (!found) throw new Error("GoToSocial's folder web is gone");
	return found;
}

function program(home: Home): [string, ...string[]] {
	return [home.program.path, "--config-path", join(home.state, "config.json")];
}

async function administer(home: Home, hands: Hands, verb: string, ...flags: string[]): Promise<void> {
	const env = { GTS_LOG_LEVEL: "warn" };
	await hands.run([...program(home), "admin", "account", verb, ...flags], { env });
}

/** Its own command takes passwords only as arguments, so its database is told. Answers whether there is such an account. */
async function give(home: Home, password: string, hands: Hands): Promise<boolean> {
	const { hash } = await import("bcryptjs");
	const command = [process.execPath, passwords, join(home.state, "data/database.sqlite"), home.owner.username] as const;
	const changed = await hands.run([...command], { input: await hash(password, 10), quiet: true });
	return Number(changed) > 0;
}

/** For other servers and for apps, both under the name that it can never change again. */
function api({ origin }: Home): Probe {
	const software = nodeinfo("/nodeinfo/2.0", "gotosocial");
	return {
		what: "api",
		async look(ask) {
			const seen = await software.look(ask);
			const { status, body } = await ask("/api/v1/instance");
			if (status !== 200) throw new Error(`answered apps ${status}`);
			const { uri } = JSON.parse(body) as { uri?: string };
			if (uri !== new URL(origin).host) throw new Error(`says it is ${uri}`);
			return seen;
		},
	};
}
