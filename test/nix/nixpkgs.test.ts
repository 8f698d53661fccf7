/**
 * Against nixpkgs itself, where somebody has it: NIXPKGS=/path is the whole of it, NIXPKGS_LIB=/path its folder `lib` alone
 * (from github:nix-community/nixpkgs.lib). Neither is to be had wherever tests run.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluated, nix } from "./get-nix.ts";

const nixpkgs = process.env["NIXPKGS"];
const nixpkgsLib = process.env["NIXPKGS_LIB"] ?? (nixpkgs && join(nixpkgs, "lib"));
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

describe.skipIf(!nixpkgs || program === null)(
	"nixpkgs' own modules (needs NIXPKGS=/path)",
	{ timeout: 120_000 },
	() => {
		test.each(Object.entries(wholes))(
			"take ours, and have every unit that we name: %s",
			async (_name, services) => {
				const found = await evaluated<{ failed: string[]; missing: string[]; system: string }>(
					program ?? "",
					`let
				machine = import ${nixpkgs}/nixos/lib/eval-config.nix {
					system = "x86_64-linux";
					modules = [
						${root}/nix/machine.nix
						${deployment(services)}
						({ pkgs, ... }: {
							fediversity.package = pkgs.hello // { nodejs = pkgs.nodejs; };
							fediversity.certificates = { acceptTerms = true; email = "a@choir.example"; };
							boot.isContainer = true;
							system.stateVersion = "25.11";
						})
					];
				};
				m = machine.config;
				names = builtins.concatLists (builtins.attrValues (builtins.mapAttrs (_: one: one.units) m.fediversity.services));
				isThere = name: let service = m.systemd.services.\${machine.pkgs.lib.removeSuffix ".service" name} or { }; in
					machine.pkgs.lib.hasSuffix ".timer" name || (service.serviceConfig or { }) ? ExecStart || (service.script or "") != "";
			in {
				failed = builtins.concatMap (one: if one.assertion then [ ] else [ one.message ]) m.assertions;
				missing = builtins.filter (name: !(isThere name)) names;
				system = builtins.unsafeDiscardStringContext m.system.build.toplevel.drvPath;
			}`,
					store,
				);
				expect(found).toMatchObject({ failed: [], missing: [] });
				expect(found.system).toMatch(/\.drv$/);
			},
			300_000,
		);
	},
);

/** Lists are put together in another order, which means nothing to any of these options. */
function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
	if (typeof value === "string") return value.split("\n").sort().join("\n");
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inOrder(inner)]));
}
