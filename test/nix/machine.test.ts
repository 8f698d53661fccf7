/** A machine's configuration for each service, evaluated with stand-ins for nixpkgs, held against the node's own catalogue. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Declaration, type Declared } from "../../node/agent/declaration.ts";
import { catalogue, serviceNamed } from "../../node/services/catalogue.ts";
import { evaluated, nix } from "./get-nix.ts";

const program = await nix();
const here = import.meta.dirname;
const onNixos = ["mastodon", "peertube", "pixelfed", "garage", "galene", "gotosocial"];

interface Unit {
	after: string[];
	before: string[];
	requires: string[];
	requiredBy: string[];
	restartTriggers: string[];
	preStop: string;
	script: string;
	path: string[];
	environment: Record<string, string>;
	unitConfig: { ConditionPathExists?: string[] };
	serviceConfig: { ExecStart?: string; LoadCredential?: string[]; EnvironmentFile?: string[] };
}

interface Host {
	enableACME: boolean;
	forceSSL: boolean;
	onlySSL: boolean;
	default: boolean;
	sslCertificate: string | null;
	extraConfig: string;
	listen: { addr: string; port: number; ssl: boolean }[];
	locations: Record<string, { proxyPass: string | null }>;
}

interface Machine {
	backup: string;
	http: string;
	names: number;
	acme: { acceptTerms: boolean; defaults: { email: string | null } };
	services: Record<
		string,
		{ volumes: Record<string, { kind: string; secrets: string[] }>; units: string[]; prepared: string[] }
	>;
	agent: Declared;
	secrets: Record<string, { names: string[]; before: string[]; folder: string }>;
	units: Record<string, Unit>;
	timers: Record<string, Unit>;
	hosts: Record<string, Host>;
	failed: string[];
	settings: Record<string, Record<string, unknown>>;
	databases: { ensureUsers: object[]; identMap: string };
	keys: string[];
	customers: string[];
	ports: number[];
}

const seen = `m: {
	backup = (builtins.head (builtins.filter (one: one.name == "fediversity-volume") m.environment.systemPackages)).text;
	inherit (m.fediversity) services secrets;
	agent = builtins.fromJSON m.environment.etc."fediversity/agent.json".text;
	units = m.systemd.services; timers = m.systemd.timers;
	hosts = m.services.nginx.virtualHosts; http = m.services.nginx.commonHttpConfig; names = m.services.nginx.serverNamesHashBucketSize; acme = m.security.acme;
	failed = builtins.concatMap (one: if one.assertion then [ ] else [ one.message ]) m.assertions;
	settings = { garage = m.services.garage.settings; gotosocial = m.services.gotosocial.settings; pixelfed = m.services.pixelfed.settings;
		peertube = m.services.peertube.settings; galene = { inherit (m.services.galene) turnAddress; }; mastodon = m.services.mastodon.extraConfig; };
	databases = { inherit (m.services.postgresql) ensureUsers identMap; };
	keys = m.users.users.root.openssh.authorizedKeys.keys;
	customers = (m.users.users.customer or { openssh.authorizedKeys.keys = [ ]; }).openssh.authorizedKeys.keys;
	ports = m.networking.firewall.allowedTCPPorts;
}`;

async function machine(services: readonly string[], more: object = {}, deployment: object = {}): Promise<Machine> {
	const plan = { deployment: "d1", domain: "choir.example", services: Object.fromEntries(services.map(planned)) };
	const settings = JSON.stringify({ "fediversity.deployment": { ...plan, ...deployment }, ...more });
	const expression = `(${seen}) ((import ${here}/evaluate.nix { }).given (builtins.fromJSON ${nixText(settings)}))`;
	return evaluated<Machine>(program ?? "", expression, store());
}

const planned = (name: string) =>
	[
		name,
		{
			hosts: [`${serviceNamed(name)?.hosts[0] ?? name}.choir.example`],
			origin: `https://${serviceNamed(name)?.hosts[0] ?? name}.choir.example`,
			owner: { username: "alice", email: "alice@choir.example" },
		},
	] as const;

/** Modules name files beside them, which evaluation puts into a store: one of the tests' own. */
function store(): string {
	const folder = join(here, "../../.cache/nix-store");
	mkdirSync(folder, { recursive: true });
	return folder;
}

const nixText = (text: string) => `"${text.replaceAll(/[\\"]|\$\{/g, (found) => `\\${found}`)}"`;

describe.skipIf(program === null)("a machine (needs Nix, which Debian's apt brings)", { timeout: 120_000 }, () => {
	let whole: Machine;
	beforeAll(async () => {
		// Two services that want the same host name cannot be in one deployment; GoToSocial has a test of its own.
		whole = await machine(onNixos.filter((name) => name !== "gotosocial"));
		const alone = await machine(["gotosocial"]);
		for (const part of ["services", "secrets", "units", "timers"] as const)
			Object.assign(whole[part], { ...alone[part], ...whole[part] });
		Object.assign(whole.agent.services, alone.agent.services);
	});

	test("nothing that nixpkgs would assert fails", () => {
		expect(whole.failed).toEqual([]);
	});

	describe.each(onNixos)("%s", (name) => {
		const service = catalogue.find((one) => one.name === name);

		test("keeps the volumes of the catalogue, of the same kinds", () => {
			const declared = Object.entries(whole.services[`d1/${name}`]?.volumes ?? {});
			const expected = service?.volumes.map((volume) => [volume.name, volume.kind]) ?? [];
			expect(declared.map(([volume, { kind }]) => [volume, kind]).sort()).toEqual([...expected].sort());
		});

		test("waits for the secrets of the catalogue before it starts", () => {
			const { names, before, folder } = whole.secrets[name] ?? { names: [], before: [], folder: "" };
			expect([...names].sort()).toEqual([...(service?.secrets ?? [])].sort());
			expect(folder).toBe(`/var/lib/fediversity/secrets/d1/${name}`);
			expect(before.length).toBeGreaterThan(0);
			expect(whole.units[`fediversity-secrets-${name}`]?.requiredBy).toEqual(before);
		});

		test("stays frozen through a restart and a system switch", () => {
			const { units = [] } = whole.services[`d1/${name}`] ?? {};
			expect(units.length).toBeGreaterThan(0);
			for (const unit of units) {
				const [, plain = "", kind] = /^(.*)\.(\w+)$/.exec(unit) ?? [];
				const found = (kind === "timer" ? whole.timers : whole.units)[plain];
				expect(found?.unitConfig.ConditionPathExists, unit).toEqual([`!/var/lib/fediversity/frozen/d1/${name}`]);
			}
		});

		test("nothing that prepares it runs while it rests", () => {
			const prepared = whole.services[`d1/${name}`]?.prepared ?? [];
			for (const unit of [...prepared.map((one) => one.replace(".service", "")), `fediversity-owner-${name}`]) {
				const found = whole.units[unit];
				if (!unit.startsWith("fediversity-") || found)
					expect(found?.unitConfig.ConditionPathExists, unit).toEqual([`!/var/lib/fediversity/frozen/d1/${name}`]);
			}
		});

		test("makes the first account if the catalogue says that there is one", () => {
			const owner = whole.units[`fediversity-owner-${name}`];
			expect(owner !== undefined).toBe(service?.account !== "none");
			if (owner)
				expect(owner.serviceConfig.LoadCredential).toEqual([`password:${whole.secrets[name]?.folder}/password`]);
		});

		test("says where each volume is in the words that the agent reads", () => {
			const declaration = new Declaration(whole.agent);
			const declared = declaration.service(`d1/${name}`);
			const kinds = Object.entries(declared.volumes).map(([volume, { kind }]) => [volume, kind]);
			const moving = service?.volumes.filter(({ kind }) => kind !== "secret") ?? [];
			expect(kinds.sort()).toEqual(moving.map((volume) => [volume.name, volume.kind]).sort());
			expect(declared.health?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
			expect(declaration.holdFile(`d1/${name}`)).toBe(`/var/lib/fediversity/frozen/d1/${name}`);
		});
	});

	test("every unit that is waited for or stopped is one that somebody makes", () => {
		const ours = Object.entries(whole.units).filter(([unit]) => unit.startsWith("fediversity-"));
		const ordered = ours.flatMap(([, { after, before, requires, requiredBy }]) => [
			after,
			before,
			requires,
			requiredBy,
		]);
		const rested = Object.values(whole.services).flatMap(({ units, prepared }) => [units, prepared]);
		const named = [...ordered, ...rested]
			.flat()
			.filter((unit) => unit.endsWith(".service") && unit !== "nginx.service");
		const made = Object.entries(whole.units).filter(
			([, { script, serviceConfig }]) => script || serviceConfig.ExecStart,
		);
		expect(made.map(([unit]) => `${unit}.service`)).toEqual(expect.arrayContaining(named));
		expect(new Set(named).size).toBeGreaterThan(15);
	});

	test("no secret is in the configuration: every file of one lies outside the store", () => {
		const text = JSON.stringify(whole);
		for (const [name, { names }] of Object.entries(whole.secrets))
			for (const secret of names) expect(text).not.toContain(`/nix/store/${name}-${secret}`);
		const files = Object.values(whole.units).flatMap(({ serviceConfig }) => serviceConfig.EnvironmentFile ?? []);
		expect(files.length).toBeGreaterThan(0);
		for (const file of files) expect(file).toMatch(/^\/(run\/fediversity|var\/lib\/mastodon)\//);
	});

	test("scripts are ones that a shell can read", () => {
		const scripts = Object.entries(whole.units).filter(([, { script }]) => script !== "");
		expect(scripts.length).toBeGreaterThan(10);
		for (const [unit, { script }] of scripts) {
			expect(() => execFileSync("bash", ["-n"], { input: script, stdio: "pipe" }), unit).not.toThrow();
		}
	});

	test("the first account is given its password once, and again when that has changed, but not after it failed", () => {
		const folder = mkdtempSync(join(tmpdir(), "fediversity-owner-"));
		try {
			const script = (whole.units["fediversity-owner-galene"]?.script ?? "")
				.replaceAll("/var/lib/fediversity-owner-galene", folder)
				.replace(/^.*room\.mjs.*$/m, 'echo "given $KNOWN"; if [ "$FAILS" = 1 ]; then exit 1; fi');
			const start = (password: string, fails = "0") => {
				writeFileSync(join(folder, "password"), password);
				const env = { PATH: process.env["PATH"], CREDENTIALS_DIRECTORY: folder, FAILS: fails };
				return spawnSync("bash", ["-e"], { input: script, env, encoding: "utf8" }).stdout.trim();
			};
			expect([start("one", "1"), start("one"), start("one")]).toEqual(["given", "given", ""]);
			expect([start("two", "1"), start("two"), start("two")]).toEqual(["given changed", "given changed", ""]);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test("a provider's backups are copies of what is declared, and of nothing else", async () => {
		const { backup } = await machine(["gotosocial"]);
		const call = (...words: string[]) =>
			spawnSync("bash", ["-euo", "pipefail", "-s", "--", ...words], { input: backup, encoding: "utf8" });
		expect(backup).toContain('"dump d1/gotosocial database") sqlite3 /var/lib/gotosocial/database.sqlite .dump ;;');
		for (const words of [[], ["dump"], ["dump", "d1/gotosocial", "../../etc"], ["erase", "d1/gotosocial", "storage"]])
			expect(call(...words).status).toBe(2);
		expect(call("dump", "d1/gotosocial", "storage").stderr).toMatch(/gotosocial.storage/);
	});

	test("roles of databases may do what a move needs, and the agent may be any of them", () => {
		const allowed = { createdb: true, login: true, replication: true };
		for (const name of ["mastodon", "peertube", "pixelfed"]) {
			// nixpkgs' modules name some of them, too, and allow them nothing.
			expect(whole.databases.ensureUsers).toContainEqual({ name, ensureDBOwnership: true, ensureClauses: allowed });
			expect(whole.databases.identMap).toContain(`fediversity root ${name}\n`);
		}
	});

	test("media lies in the storage of the same machine, and is read at its host name", () => {
		expect(whole.settings["mastodon"]).toMatchObject({
			S3_BUCKET: "mastodon",
			S3_ENDPOINT: "http://127.0.0.1:3900",
			S3_ALIAS_HOST: "media.choir.example/mastodon",
		});
		expect(whole.settings["pixelfed"]).toMatchObject({ AWS_URL: "https://media.choir.example/pixelfed" });
		expect(whole.settings["peertube"]).toMatchObject({
			object_storage: { web_videos: { base_url: "https://media.choir.example/peertube", prefix: "web-videos/" } },
		});
	});

	test("or in one that the root has made elsewhere", async () => {
		const bucket = { bucket: "d1-mastodon", endpoint: "http://10.0.0.5:3900", region: "garage", keyId: "GK12" };
		const made = { mastodon: { buckets: { media: { ...bucket, path: "/var/lib/key" } } } };
		const { settings, agent } = await machine(["mastodon"], {
			"_module.args.resources": made,
			"fediversity.storage.publicUrl": "https://media.north.example",
		});
		expect(settings["mastodon"]).toMatchObject({
			S3_BUCKET: "d1-mastodon",
			S3_ENDPOINT: "http://10.0.0.5:3900",
			S3_ALIAS_HOST: "media.north.example/d1-mastodon",
		});
		expect(agent.services["d1/mastodon"]?.volumes["media"]).toMatchObject({ bucket: "d1-mastodon" });
	});

	test("without a deployment it is empty and waits, with a shell for nobody but the node", async () => {
		const key = `ssh-ed25519 ${"A".repeat(68)} node`;
		const both = `{ fediversity.access = { agentKeys = [ "${key}" ]; deployKeys = [ "${key}" ]; }; }`;
		const expression = `(${seen}) ((import ${here}/evaluate.nix { }).machine ${both})`;
		const empty = await evaluated<Machine>(program ?? "", expression, store());
		expect(empty.agent).toEqual({ services: {} });
		expect(Object.keys(empty.units)).toEqual([]);
		expect(empty.ports).toEqual([]);
		// The first one counts.
		expect(empty.keys[0]).toBe(`restrict ${key}`);
		expect(empty.keys[1]).toMatch(
			/^restrict,command="\S+sh \S+-agent-only\.sh \S+\/bin\/fediversity-agent" ssh-ed25519 A+ node$/,
		);
	});

	test("is reached through the node's gateway, and services behind nginx see HTTPS all the same", async () => {
		const addresses = { "fediversity.gateway.addresses": ["192.0.2.1", "2001:db8::1"] };
		const { hosts, http, names, ports, acme } = await machine(["mastodon", "garage"], addresses);
		expect(names).toBeGreaterThanOrEqual(253 + 2 + 2 * 8); // as nginx counts it: length, end, and two pointers
		expect(ports).toEqual([80]);
		expect(acme.acceptTerms).toBe(false);
		for (const host of ["social.choir.example", "media.choir.example"]) {
			expect(hosts[host]).toMatchObject({ onlySSL: true, enableACME: false, forceSSL: false });
			expect(hosts[host]?.listen).toEqual([{ addr: "127.0.0.1", port: 443, ssl: true }]);
		}
		expect(hosts["front"]?.locations["/"]?.proxyPass).toBe("https://127.0.0.1:443");
		expect(hosts["front"]?.listen.map(({ port }) => port)).toEqual([80, 80]);
		expect(hosts["social.choir.example"]?.extraConfig).toContain("client_max_body_size 99m;");
		expect(http).toContain("set_real_ip_from 2001:db8::1;");
		expect(http).toMatch(/default 0;[^}]*192\.0\.2\.1 1;/);
	});

	test("or reached directly, with certificates of its own", async () => {
		const certificates = { "fediversity.certificates": { email: "a@north.example", acceptTerms: true } };
		const { hosts, ports, acme, failed } = await machine(["pixelfed", "garage"], certificates);
		expect(failed).toEqual([]);
		expect([...ports].sort()).toEqual([443, 80]);
		expect(acme).toMatchObject({ acceptTerms: true, defaults: { email: "a@north.example" } });
		expect(hosts["photos.choir.example"]).toMatchObject({ enableACME: true, forceSSL: true, listen: [] });
		expect(Object.keys(hosts)).not.toContain("front");
		const unread = { "fediversity.certificates": { email: "a@north.example" } };
		expect((await machine(["galene"], unread)).failed.join()).toContain("acceptTerms");
	});

	test("may be one of three that store for many, laid out by the first", async () => {
		const id = "0123456789abcdef".repeat(4);
		const cluster = `{ fediversity.cluster = { enable = true; address = "10.0.0.11"; first = true;
			peers = [ "${id}@10.0.0.12:3901" "${id}@10.0.0.13:3901" ]; }; }`;
		const expression = `(${seen}) ((import ${here}/evaluate.nix { }).machine ${cluster})`;
		const { settings, units, secrets, ports } = await evaluated<Machine>(program ?? "", expression, store());
		expect(settings["garage"]).toMatchObject({ replication_factor: 3, rpc_public_addr: "10.0.0.11:3901" });
		expect(settings["garage"]?.["bootstrap_peers"]).toHaveLength(2);
		expect(Object.keys(units).sort()).toEqual(["fediversity-cluster", "fediversity-secrets-cluster", "garage"]);
		expect(secrets["cluster"]?.names).toEqual(["rpc", "admin", "metrics"]);
		expect(units["garage"]?.environment).toMatchObject({ GARAGE_RPC_SECRET_FILE: "%d/rpc" });
		expect(ports).toEqual([3901]);
	});

	test("sends mail by the provider's server, whose password stays in a file", async () => {
		const mail = { host: "mail.north.example", user: "services", passwordFile: "/var/lib/secrets/mail" };
		const { settings, units } = await machine(["mastodon", "peertube", "pixelfed", "garage"], {
			"fediversity.mail": mail,
		});
		expect(settings["mastodon"]).toMatchObject({ SMTP_TLS: "true" });
		expect(settings["peertube"]).toMatchObject({ smtp: { hostname: "mail.north.example", port: 465, tls: true } });
		expect(settings["pixelfed"]).toMatchObject({ MAIL_HOST: "mail.north.example", ENFORCE_EMAIL_VERIFICATION: true });
		for (const name of ["mastodon", "peertube", "pixelfed"])
			expect(units[`fediversity-secrets-${name}`]?.script, name).toContain("/var/lib/secrets/mail");
	});

	test("tells browsers where a meeting is reached, where that is not the machine's own address", async () => {
		const turnAt = async (publicAddress: string | null) =>
			(await machine(["galene"], { "fediversity.publicAddress": publicAddress })).settings["galene"]?.["turnAddress"];
		expect(await turnAt(null)).toBe("auto");
		expect(await turnAt("203.0.113.7")).toBe("203.0.113.7:1194");
		expect(await turnAt("2001:db8::7")).toBe("auto");
		await expect(turnAt("203.0.113.7 -x")).rejects.toThrow(/is not of type/);
	});

	test("lets a customer in only where the provider says so, and without power", async () => {
		const key = `ssh-ed25519 ${"A".repeat(68)} ada`;
		const { customers, units } = await machine(["galene"], { "fediversity.access.customerKeys": [key] });
		expect(customers).toEqual([`restrict,pty ${key}`]);
		// Whoever is there already is shown out when the keys change.
		expect(units["fediversity-customer"]).toMatchObject({
			restartTriggers: [key],
			preStop: expect.stringContaining("terminate-user customer"),
		});
		const without = await machine(["galene"]);
		expect(without.customers).toEqual([]);
		expect(without.units["fediversity-customer"]).toBeUndefined();
		for (const evil of [`command="id" ${key}`, `${key}\n${key}`, `${key} $(id)`, key.replace("ed25519", "dss")])
			await expect(machine(["galene"], { "fediversity.access.customerKeys": [evil] })).rejects.toThrow(
				/is not of type/,
			);
	});

	test("in mode absent nothing of a service is left in the system; frozen changes nothing", async () => {
		const absent = await machine(["galene"], {}, { mode: "absent" });
		expect(absent.units).toEqual({});
		expect(await machine(["galene"], {}, { mode: "frozen" })).toEqual(await machine(["galene"]));
	});

	const hostile: [what: string, deployment: object][] = [
		[
			"a host name with more in it",
			{ services: { gotosocial: { ...planned("gotosocial")[1], hosts: ["a.example; rm -rf /"] } } },
		],
		[
			"a host name with a line's end",
			{ services: { gotosocial: { ...planned("gotosocial")[1], hosts: ["a.example\n}"] } } },
		],
		[
			"an origin with a path",
			{ services: { gotosocial: { ...planned("gotosocial")[1], origin: "https://a.example/$(id)" } } },
		],
		[
			"a user name for a shell",
			{ services: { gotosocial: { ...planned("gotosocial")[1], owner: { username: "$(id)", email: "a@b.example" } } } },
		],
		["a deployment that leads out of its folder", { deployment: "../../etc" }],
		["a mode that there is not", { mode: "root" }],
		["a setting that nobody declares", { boot: {} }],
	];
	test.each(hostile)("refuses %s", async (_what, deployment) => {
		await expect(machine(["gotosocial"], {}, deployment)).rejects.toThrow(/is not of type|does not exist/);
	});

	test("what a customer has written is only ever a text", async () => {
		const owner = { username: "alice", email: "a`$HOME`@b.example" };
		const services = (email: string) => ({
			services: { gotosocial: { ...planned("gotosocial")[1], owner: { ...owner, email } } },
		});
		await expect(machine(["gotosocial"], {}, services(owner.email))).rejects.toThrow(/is not of type/);
		const { units } = await machine(["gotosocial"], {}, services("a{x}$HOME@b.example"));
		expect(units["fediversity-owner-gotosocial"]?.script).toContain("--email 'a{x}$HOME@b.example'");
	});
});
