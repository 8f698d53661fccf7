/**
 * Against nixpkgs itself, where somebody has it: NIXPKGS=/path is the whole of it, NIXPKGS_LIB=/path its folder `lib` alone
 * (from github:nix-community/nixpkgs.lib), NIXOS_MODULES=/path its folder `nixos/modules`, of which those that are named in
 * nixos-modules.nix are enough. None is to be had wherever tests run.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluated, nix } from "./get-nix.ts";

const nixpkgs = process.env["NIXPKGS"];
const nixpkgsLib = process.env["NIXPKGS_LIB"] ?? (nixpkgs && join(nixpkgs, "lib"));
const nixosModules = process.env["NIXOS_MODULES"] ?? (nixpkgs && join(nixpkgs, "nixos/modules"));
const program = await nix();
const root = join(import.meta.dirname, "../..");
const store = join(root, ".cache/nix-store");
mkdirSync(store, { recursive: true });

const service = (label: string) =>
	`{ hosts = [ "${label}.choir.example" ]; origin = "https://${label}.choir.example"; owner = { username = "alice"; email = "a@choir.example"; }; }`;
const wholes = {
	all: `{ mastodon = ${service("social")}; peertube = ${service("videos")}; pixelfed = ${service("photos")};
		garage = ${service("media")}; galene = ${service("meet")}; }`,
	gotosocial: `{ gotosocial = ${service("social")}; }`,
};
const deployment = (services: string) =>
	`{ fediversity.deployment = { deployment = "d1"; domain = "choir.example"; services = ${services}; }; }`;

describe.skipIf(!nixpkgsLib || program === null)("nixpkgs' lib (needs NIXPKGS_LIB=/path)", { timeout: 120_000 }, () => {
	test.each(Object.entries(wholes))("makes of our modules what the stand-in makes: %s", async (_name, services) => {
		const seen = (lib: string) =>
			evaluated<Record<string, unknown>>(
				program ?? "",
				`let m = (import ${root}/test/nix/evaluate.nix { nixpkgsLib = ${lib}; }).machine ${deployment(services)}; in {
					inherit (m.fediversity) services buckets secrets planned;
					inherit (m) assertions users systemd networking;
					settings = { inherit (m.services) gotosocial galene nginx postgresql; }
						// (if m.fediversity.planned ? mastodon then { inherit (m.services) mastodon peertube pixelfed garage; } else { });
				}`,
				store,
			);
		expect(inOrder(await seen("null"))).toEqual(inOrder(await seen(nixpkgsLib ?? "")));
	});

	test.each([
		["a name that nobody declares", "{ fediversity.depoyment = { }; }", /does not exist/],
		[
			"a value of another type",
			`{ fediversity.deployment = { deployment = "a b"; domain = "c.example"; }; }`,
			/is not of type/,
		],
		[
			"two values for one thing",
			`{ imports = [ { fediversity.mail.port = 1; } { fediversity.mail.port = 2; } ]; }`,
			/conflicting/,
		],
	])("refuses %s, as the stand-in does", async (_what, settings, message) => {
		for (const lib of ["null", nixpkgsLib ?? ""]) {
			const expression = `let m = (import ${root}/test/nix/evaluate.nix { nixpkgsLib = ${lib}; }).machine ${settings};
				in [ m.fediversity.deployment m.fediversity.mail ]`;
			await expect(evaluated(program ?? "", expression, store)).rejects.toThrow(message);
		}
	});
});

/** What nixpkgs' modules refuse of a machine, and which units we name that nobody makes. */
const report = `lib: m: let
	unitsOf = one: builtins.filter (lib.hasSuffix ".service") (one.units ++ one.prepared);
	isThere = name: let unit = m.systemd.services.\${lib.removeSuffix ".service" name} or { }; in
		(unit.serviceConfig or { }) ? ExecStart || (unit.script or "") != "";
in {
	failed = builtins.concatMap (one: if one.assertion then [ ] else [ one.message ]) m.assertions;
	missing = builtins.filter (name: !(isThere name)) (builtins.concatMap unitsOf (builtins.attrValues m.fediversity.services));
}`;
const direct = `{ fediversity.certificates = { acceptTerms = true; email = "a@choir.example"; }; }`;

describe.skipIf(!nixosModules || !nixpkgsLib || program === null)(
	"nixpkgs' modules of the services, of nginx and of PostgreSQL (needs NIXOS_MODULES=/path and NIXPKGS_LIB=/path)",
	{ timeout: 120_000 },
	() => {
		const ways = { directly: direct, "through the gateway": `{ fediversity.gateway.addresses = [ "10.0.0.1" ]; }` };
		const cases = Object.entries(wholes).flatMap(([name, services]) =>
			Object.entries(ways).map(([way, settings]) => [name, way, services, settings] as const),
		);
		test.each(cases)("take ours: %s, reached %s", async (_name, _way, services, settings) => {
			const found = await evaluated<{ failed: string[]; missing: string[]; hosts: string[]; nginx: string }>(
				program ?? "",
				`let
					evaluate = import ${root}/test/nix/evaluate.nix { nixpkgsLib = ${nixpkgsLib}; nixosModules = ${nixosModules}; };
					m = evaluate.machine { imports = [ ${deployment(services)} ${settings} ]; };
					settings = if m.services.gotosocial.enable then [ m.services.gotosocial.settings ]
						else [ m.services.garage.settings m.services.peertube.settings m.services.pixelfed.settings m.services.postgresql.settings ];
				in builtins.deepSeq [ m.systemd.services m.systemd.timers m.users settings ]
				((${report}) evaluate.lib m // {
					hosts = map (one: builtins.head one.hosts) (builtins.attrValues m.fediversity.deployment.services);
					nginx = m.environment.etc."nginx/nginx.conf".source.text;
				})`,
				store,
			);
			expect(found).toMatchObject({ failed: [], missing: [] });
			for (const host of found.hosts) expect(found.nginx).toMatch(new RegExp(`server_name ${host} *;`));
		});
	},
);

describe.skipIf(!nixpkgs || program === null)("whole systems (needs NIXPKGS=/path)", { timeout: 300_000 }, () => {
	test.each(Object.entries(wholes))("are built of ours: %s", async (_name, services) => {
		const found = await evaluated<{ failed: string[]; missing: string[]; system: string }>(
			program ?? "",
			`let
				machine = import ${nixpkgs}/nixos/lib/eval-config.nix {
					system = "x86_64-linux";
					modules = [
						${root}/nix/machine.nix
						${deployment(services)}
						${direct}
						({ pkgs, ... }: {
							fediversity.package = pkgs.hello // { nodejs = pkgs.nodejs; };
							boot.isContainer = true;
							system.stateVersion = "25.11";
						})
					];
				};
			in (${report}) machine.pkgs.lib machine.config // {
				system = builtins.unsafeDiscardStringContext machine.config.system.build.toplevel.drvPath;
			}`,
			store,
		);
		expect(found).toMatchObject({ failed: [], missing: [] });
		expect(found.system).toMatch(/\.drv$/);
	});
});

/** Lists are put together in another order, which means nothing to any of these options. */
function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
	if (typeof value === "string") return value.split("\n").sort().join("\n");
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inOrder(inner)]));
}
