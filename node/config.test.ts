import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, knobs, reachable, readConfig } from "./config.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const least = `provider.name = "North"\nweb.url = "https://north.example"\nstate.folder = "state"\n`;

function read(toml: string, environment: NodeJS.ProcessEnv = {}) {
	const file = join(folder, "node.toml");
	writeFileSync(file, toml);
	return readConfig(file, environment);
}

function mistakes(toml: string, environment: NodeJS.ProcessEnv = {}): readonly string[] {
	try {
		read(toml, environment);
	} catch (error) {
		if (error instanceof ConfigError) return error.mistakes;
		throw error;
	}
	return [];
}

test("three settings are enough; the rest has defaults", () => {
	expect(read(least)).toMatchObject({
		provider: { name: "North", accent: null },
		web: { url: "https://north.example", listen: { host: "127.0.0.1", port: 8080 }, trustProxy: false },
		operator: { metrics: null },
		services: { origin: "https://{host}", addresses: [], keepDays: 30 },
		zone: null,
		mail: null,
		demo: null,
	});
});

test("paths start at the state folder, which starts at the file", () => {
	expect(read(`${least}vault.key_file = "/etc/vault.key"\nzone.name = "north.example"`)).toMatchObject({
		state: { folder: join(folder, "state"), cache: join(folder, "state/cache") },
		vault: { keyFile: "/etc/vault.key" },
		zone: { keyFile: join(folder, "state/tsig.key") },
		operator: { socket: join(folder, "state/node.sock") },
	});
});

test("the environment is enough, and wins over the file", () => {
	const environment = {
		FEDIVERSITY_PROVIDER_NAME: "South",
		FEDIVERSITY_WEB_URL: "https://south.example",
		FEDIVERSITY_STATE_FOLDER: "/srv/south",
		FEDIVERSITY_WEB_TRUST_PROXY: "true",
		FEDIVERSITY_WEB_LISTEN: "[::1]:9000",
		FEDIVERSITY_SERVICES_KEEP_DAYS: "7",
		FEDIVERSITY_SERVICES_ADDRESSES: "192.0.2.1, 2001:db8::1",
		FEDIVERSITY_DNS_RESOLVERS: "",
	};
	const expected = {
		provider: { name: "South" },
		web: { url: "https://south.example", trustProxy: true, listen: { host: "::1", port: 9000 } },
		state: { folder: "/srv/south" },
		services: { keepDays: 7, addresses: ["192.0.2.1", "2001:db8::1"] },
		dns: { resolvers: [] },
	};
	expect(readConfig(undefined, environment)).toMatchObject(expected);
	expect(read(`${least}services.keep_days = 9`, environment)).toMatchObject(expected);
});

test("all mistakes are told at once, each by its name", () => {
	expect(
		mistakes(
			`web.url = "https://north.example/panel"\nweb.trust_proxy = "perhaps"\nengine.kind = "magic"\nengine.first_port = 4000
			engine.last_port = 3000\nservices.keep_days = 0\nprovider.accent = "red"\nmail.server = "smtp://mail.example"
			services.origin = "https://x"\nservices.addresses = ["here"]\nzone.server = "53"`,
			{ FEDIVERSITY_LOG_LEVEL: "loud" },
		),
	).toEqual([
		"provider.name: is missing",
		"provider.accent: must be a colour such as #0a6e5c",
		"web.url: must be an origin such as https://north.example, without a path",
		"web.trust_proxy: must be true or false",
		"state.folder: is missing",
		"services.origin: must have {host} in it, such as https://{host}",
		'services.addresses: "here" is not an IP address',
		"services.keep_days: must be a whole number above 0",
		"zone.server: must be an address and a port such as 127.0.0.1:8080",
		"engine.kind: must be one of local, nixops4",
		"FEDIVERSITY_LOG_LEVEL: must be one of debug, info, warning, error",
		"engine.first_port: is above engine.last_port",
		"mail.from: is missing, since mail.server is set",
	]);
});

test("the sentence counts them", () => {
	expect(() => read("")).toThrow(/has 3 mistakes:\n {2}provider\.name: is missing\n/);
	expect(() => read(`${least}log.level = "loud"`)).toThrow(/has 1 mistake:/);
});

describe("a setting that does not exist", () => {
	test("is told, with the one that was probably meant", () => {
		expect(mistakes(`${least}web.trustproxy = true\nlog.levle = "info"\nshoe.size = 44`)).toEqual([
			"web.trustproxy: there is no such setting; did you mean web.trust_proxy?",
			"log.levle: there is no such setting; did you mean log.level?",
			"shoe.size: there is no such setting",
		]);
	});

	test("also in the environment, but only where the name begins like one of ours", () => {
		expect(
			mistakes(least, {
				FEDIVERSITY_LOG_LEVLE: "info",
				FEDIVERSITY_UNIT: "x",
				FEDIVERSITY_CONFIG: "y",
				LOG_LEVEL: "z",
			}),
		).toEqual(["FEDIVERSITY_LOG_LEVLE: there is no such setting; did you mean FEDIVERSITY_LOG_LEVEL?"]);
	});

	test("a section written as a setting is told how", () => {
		expect(mistakes(`provider = "North"`)).toContain("provider: is a section; write [provider] and its settings below");
	});
});

test("a file that cannot be read or is no TOML is the only mistake", () => {
	expect(mistakes("provider = [")).toEqual([expect.stringContaining("node.toml: ")]);
	expect(() => readConfig(join(folder, "none.toml"), {})).toThrow("no such file");
});

test("a password in the configuration is refused, without repeating it", () => {
	const told = mistakes(`${least}mail.from = "a@b.example"\nmail.server = "smtp://me:hunter2@mail.example"`);
	expect(told).toEqual([expect.stringContaining("mail.password_file")]);
	expect(told.join()).not.toContain("hunter2");
});

test("TLS needs somebody to get certificates from", () => {
	expect(mistakes(`${least}web.listen_tls = "[::]:443"`)).toEqual([
		"certificates.directory: is missing, since web.listen_tls is set",
	]);
});

test.each([
	["web.listen", "8080"],
	["web.listen", "127.0.0.1:70000"],
	["provider.terms", "terms.html"],
	["provider.name", "  "],
	["state.folder", ""],
	["services.origin", "https://{host}/x"],
	["mail.server", "mail.example"],
	["mail.server", "https://mail.example"],
	["certificates.directory", "http://ca.example/directory"],
])("%s = %j is refused", (path, value) => {
	const others = least.split("\n").filter((line) => !line.startsWith(path));
	const from = path === "mail.server" ? `mail.from = "a@b.example"\n` : "";
	expect(mistakes(`${others.join("\n")}\n${from}${path} = ${JSON.stringify(value)}`)).toEqual([
		expect.stringMatching(`^${path}: must`),
	]);
});

test("every knob says what it means", () => {
	expect(knobs.filter(([, , , help]) => help.length < 10)).toEqual([]);
	expect(new Set(knobs.map(([path]) => path)).size).toBe(knobs.length);
});

test("a socket's path that is too long for the kernel becomes a short one, always the same", () => {
	const long = `/srv/${"x".repeat(120)}/node.sock`;
	expect(reachable("/run/node.sock")).toBe("/run/node.sock");
	expect(reachable(long)).toMatch(/^\/tmp\/fediversity-[0-9a-f]{20}\.sock$/);
	expect(reachable(long)).toBe(reachable(long));
	expect(reachable(long)).not.toBe(reachable(`${long}2`));
	expect(read(least.replace('"state"', JSON.stringify(`/srv/${"é".repeat(60)}`))).operator.socket).toMatch(/^\/tmp\//);
});
