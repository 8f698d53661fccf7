/** The node's own NixOS module, its package and its flake, evaluated with stand-ins for nixpkgs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { describe, expect, test } from "vitest";
import { type Config, readConfig } from "../../node/config.ts";
import { evaluated, nix } from "./get-nix.ts";

const program = await nix();
const root = join(import.meta.dirname, "../..");
const store = join(root, ".cache/nix-store");
mkdirSync(store, { recursive: true });

interface Node {
	settings: Record<string, unknown>;
	unit: {
		path: string[];
		environment: Record<string, string>;
		serviceConfig: Record<string, unknown> & { LoadCredential?: string[] };
	};
	failed: string[];
	ports: number[];
}

const evaluate = <Value>(expression: string) => evaluated<Value>(program ?? "", expression, store);

function node(settings: string): Promise<Node> {
	return evaluate(`let n = (import ${root}/test/nix/evaluate.nix { }).node { services.fediversity = ${settings}; }; in {
		inherit (n.services.fediversity) settings;
		unit = n.systemd.services.fediversity;
		failed = builtins.concatMap (one: if one.assertion then [ ] else [ one.message ]) n.assertions;
		ports = n.networking.firewall.allowedTCPPorts;
	}`);
}

/** What the node reads of its file and of the unit's environment. */
function read({ settings, unit }: Node): Config {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-nix-"));
	try {
		writeFileSync(join(folder, "node.toml"), stringify(settings));
		const credentials = Object.entries(unit.environment).map(([name, value]) => [name, value.replace("%d", "/creds")]);
		return readConfig(join(folder, "node.toml"), Object.fromEntries(credentials));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

describe.skipIf(program === null)(
	"services.fediversity (needs Nix, which Debian's apt brings)",
	{ timeout: 120_000 },
	() => {
		test("writes settings that the node takes", async () => {
			const seen = await node(`{
			settings = { zone = { name = "north.example"; server = "192.0.2.53:53"; }; mail = { server = "smtps://n@m.example:465"; from = "n@m.example"; }; };
			secrets = { zoneKeyFile = "/s/zone"; mailPasswordFile = "/s/mail"; };
		}`);
			expect(seen.failed).toEqual([]);
			const config = read(seen);
			expect(config.web.url).toBe("https://panel.north.example");
			expect(config.state.folder).toBe("/var/lib/fediversity-node");
			expect([config.zone?.keyFile, config.mail?.passwordFile]).toEqual(["/creds/zone-key", "/creds/mail-password"]);
			expect(seen.unit.serviceConfig.LoadCredential?.sort()).toEqual(["mail-password:/s/mail", "zone-key:/s/zone"]);
		});

		test("runs it watched by systemd, as nobody in particular", async () => {
			const { unit, ports } = await node("{ }");
			expect(unit.serviceConfig).toMatchObject({
				Type: "notify",
				NotifyAccess: "all",
				WatchdogSec: 60,
				User: "fediversity",
				StateDirectory: "fediversity-node",
				ProtectSystem: "strict",
				NoNewPrivileges: true,
				CapabilityBoundingSet: [""],
			});
			expect(unit.path).toContain("/nix/store/systemd");
			expect(ports).toEqual([]);
		});

		test("opens the firewall and binds low ports only when asked to", async () => {
			const { unit, ports } = await node(
				`{ openFirewall = true; settings.web = { listen = "0.0.0.0:80"; listen_tls = "0.0.0.0:443"; }; }`,
			);
			expect([...ports].sort()).toEqual([443, 80]);
			expect(unit.serviceConfig["AmbientCapabilities"]).toEqual(["CAP_NET_BIND_SERVICE"]);
		});

		test("hands the engine its root, its key and flakes", async () => {
			const { unit } = await node(`{ settings.engine.kind = "nixops4"; secrets.sshKeyFile = "/s/key"; }`);
			expect(unit.environment).toMatchObject({
				FEDIVERSITY_ENGINE_ROOT: "/nix/store/fediversity-root",
				FEDIVERSITY_ENGINE_KEY_FILE: "%d/ssh-key",
				NIX_CONFIG: "experimental-features = nix-command flakes",
			});
			expect(unit.path).toEqual(expect.arrayContaining(["/nix/store/nixops4", "/nix/store/nix", "/nix/store/openssh"]));
		});

		test("is what a provider begins with: the template's settings are settings", async () => {
			const seen = await evaluate<Node & { empty: unknown }>(`let
			inherit (import ${root}/test/nix/evaluate.nix { }) template; n = template.panel; in {
				inherit (n.services.fediversity) settings;
				unit = n.systemd.services.fediversity; failed = [ ]; ports = [ ];
				empty = builtins.fromJSON template.common.environment.etc."fediversity/agent.json".text;
			}`);
			expect(seen.empty).toEqual({ services: {} });
			const local = { ...seen, settings: { ...seen.settings, engine: {} }, unit: { ...seen.unit, environment: {} } };
			expect(read(local).zone?.name).toBe("north.example");
		});

		test.each([
			["secrets among the settings", `{ settings.vault.key_file = "/s/vault"; }`, /by services\.fediversity\.secrets/],
			[
				"the token of the storage there too",
				`{ settings.storage.token_file = "/s/token"; }`,
				/by services\.fediversity\.secrets/,
			],
		])("refuses %s", async (_what, settings, message) => {
			expect((await node(settings)).failed.join()).toMatch(message);
		});

		test("refuses settings without a name or with an odd address", async () => {
			await expect(node(`{ settings.web.url = "panel.north.example"; }`)).rejects.toThrow(/is not of type|conflicting/);
		});
	},
);

describe.skipIf(program === null)("the package (needs Nix, which Debian's apt brings)", { timeout: 120_000 }, () => {
	const packages = (platform: string) =>
		evaluate<Record<string, string>>(`(import ${root}/nix/package.nix {
			lib = import ${root}/test/nix/lib.nix; makeWrapper = ""; openssh = ""; nodejs_26 = "";
			stdenv = { hostPlatform = { isDarwin = false; isMusl = false; isAarch64 = ${platform === "arm64"}; };
				mkDerivation = derivation: derivation // derivation.passthru or { }; };
		}).packages`);

	test("has every package that is installed here for running, at the same place", async () => {
		const found = await packages("x64");
		expect(Object.keys(found).length).toBeGreaterThan(50);
		for (const [path, name] of Object.entries(found)) {
			const about = join(root, path, "package.json");
			if (process.platform === "linux" && process.arch === "x64") expect(existsSync(about), path).toBe(true);
			if (existsSync(about)) expect(JSON.parse(readFileSync(about, "utf8")).name).toBe(name);
		}
		expect(Object.keys(found)).toContain("node_modules/better-sqlite3");
	});

	test("leaves out what is for tests, for other machines, and the Node that nixpkgs has", async () => {
		for (const platform of ["x64", "arm64"]) {
			const names = Object.values(await packages(platform));
			expect(names).not.toContain("vitest");
			expect(names.filter((name) => /^node-(linux|darwin|win|bin)|esbuild|-(win32|darwin)-/.test(name))).toEqual([]);
		}
	});

	test("takes nothing without a hash", () => {
		const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
			packages: Record<string, { integrity?: string }>;
		};
		const bare = Object.entries(lock.packages).filter(([path, { integrity }]) => path !== "" && !integrity);
		expect(bare).toEqual([]);
	});
});

describe.skipIf(program === null)("the flake (needs Nix, which Debian's apt brings)", { timeout: 120_000 }, () => {
	const flake = `let flake = import ${root}/nix/flake.nix; lib = import ${root}/test/nix/lib.nix;
		outputs = flake.outputs { self = outputs; nixops4 = { }; nixops4-nixos = { }; nixpkgs = { inherit lib;
			legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: { testers.runNixOSTest = test: test;
				callPackage = _: _: { outPath = "/nix/store/fediversity"; name = "fediversity"; }; }); }; };
		in`;

	test("offers what a provider's own flake takes", async () => {
		const offered = await evaluate<Record<string, unknown>>(`${flake} {
			outputs = builtins.attrNames outputs;
			modules = builtins.attrNames outputs.nixosModules;
			services = builtins.attrNames outputs.nixosModules.services;
			checks = builtins.attrNames outputs.checks.x86_64-linux;
			template = builtins.pathExists (outputs.templates.default.path + "/flake.nix");
			files = builtins.all builtins.pathExists (lib.mapAttrsToList (_: file: file) outputs.nixosModules.services
				++ builtins.concatMap (check: check.imports or [ ]) (lib.mapAttrsToList (_: check: check) outputs.checks.x86_64-linux));
		}`);
		const services = ["galene", "garage", "gotosocial", "mastodon", "peertube", "pixelfed"];
		expect(offered).toEqual({
			outputs: ["apps", "checks", "devShells", "formatter", "lib", "nixosModules", "packages", "templates"],
			modules: ["default", "machine", "services", "volumes"],
			services,
			checks: [...services, "package", "two-providers"].sort(),
			template: true,
			files: true,
		});
	});

	test("the test with two providers, which needs machines of its own, is at least written so that it can be read", async () => {
		const folder = mkdtempSync(join(tmpdir(), "two-providers-"));
		try {
			mkdirSync(join(folder, "nixos/tests"), { recursive: true });
			writeFileSync(
				join(folder, "nixos/tests/ssh-keys.nix"),
				`pkgs: { snakeOilEd25519PublicKey = "ssh-ed25519 ${"A".repeat(68)} snakeoil"; snakeOilEd25519PrivateKey = "private"; }`,
			);
			const told = await evaluate<{ script: string; machines: string; nodes: string[] }>(`let
				lib = import ${root}/test/nix/lib.nix;
				pkgs = { writeText = _: text: text; gotosocial = "gotosocial"; nodejs_26 = "node"; };
				test = import ${root}/nix/tests/two-providers.nix { machine = { }; node = { }; inputs = { nixpkgs = ${folder}; nixops4 = ""; nixops4-nixos = ""; }; };
				nodes = builtins.mapAttrs (_: node: { networking.primaryIPAddress = "192.0.2.1"; services.fediversity.package = "/package"; }) test.nodes;
			in {
				nodes = builtins.attrNames (builtins.mapAttrs (_: node: builtins.deepSeq (node { inherit pkgs lib nodes; }) 1) test.nodes);
				inherit ((test.nodes.north { inherit pkgs lib; }).services.fediversity) machines;
				script = test.testScript { inherit nodes; };
			}`);
			expect(told.nodes).toEqual(["customer", "m1", "m2", "north", "south", "zone"]);
			expect(told.script).toContain('subtest("Story 2');
			writeFileSync(join(folder, "machines.nix"), told.machines);
			const hardware = `(import ${folder}/machines.nix).north-1 { modulesPath = "/modules"; }`;
			expect(await evaluate(hardware)).toMatchObject({
				imports: ["/modules/virtualisation/qemu-vm.nix", "/modules/testing/test-instrumentation.nix"],
			});
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});
