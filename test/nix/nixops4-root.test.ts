/** The root beside the real NixOps4, and the provider's declaration beside what the node takes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { membersOf, type Plan } from "#protocol/nixops4/plan.ts";
import { inputs, outputs, stateful } from "#protocol/nixops4/resources.ts";
import { choir } from "../nixops4/yard.ts";
import { evaluated, nix } from "./get-nix.ts";

const program = await nix();
const nixops4 = process.env["NIXOPS4_SRC"];
const nixops4Nixos = process.env["NIXOPS4_NIXOS_SRC"];
const lib = process.env["NIXPKGS_LIB"] ?? (process.env["NIXPKGS"] && join(process.env["NIXPKGS"], "lib"));
const root = join(import.meta.dirname, "../../nix/nixops4");
const standIn = join(import.meta.dirname, "mk-root.nix");
/** What becomes part of a derivation lies there. */
const store = join(import.meta.dirname, "../../.cache/nix-store");
mkdirSync(store, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "fediversity-root-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a root exports when all these outputs are known. */
function exported(plan: Plan, how: string, outputs = known): Promise<Exported> {
	const file = join(folder, "plan.json");
	writeFileSync(file, JSON.stringify(plan));
	return evaluated(
		program ?? "",
		`(import ${root} { plan = ${file}; ${how} }).rootFunction { resourceProviderSystem = "x86_64-linux"; outputValues = ${outputs}; }`,
	);
}

interface Exported {
	readonly members?: Readonly<Record<string, Exported>>;
	readonly resource?: {
		readonly provider: object;
		readonly type: string;
		readonly inputs: Readonly<Record<string, unknown>>;
		readonly state: readonly string[] | null;
	};
}

const secret = `{ path = "/p"; reference = "r"; }`;
const known = `{
	machine = { name = "m1"; address = "10.0.0.21"; publicAddress = "192.0.2.7"; port = 22; user = "root"; hostKey = "k"; system = "x86_64-linux"; };
	services.mastodon = {
		begun.step = "mastodon"; done.step = "mastodon"; probe.status = 200; records.social.name = "n";
		secrets = { password = ${secret}; vapid = ${secret}; };
		buckets.media = ${secret} // { bucket = "b"; endpoint = "e"; region = "r"; keyId = "k"; };
	};
}`;
const withStandIn = `inherit (import ${standIn}) lib mkRoot;`;

const probed = (more: Partial<Plan> = {}): Plan => {
	const plan = choir(more);
	const probe = { url: "https://social.choir.example/health", below: 400, seconds: 600 };
	return { ...plan, services: { mastodon: { ...(plan.services["mastodon"] as Plan["services"][string]), probe } } };
};
const plans: [string, Plan][] = [
	["serving", probed()],
	["frozen", probed({ mode: "frozen" })],
	["stopped", probed({ mode: "stopped", generation: 4 })],
	["absent", probed({ mode: "absent" })],
	["absent, without its machine", probed({ mode: "absent", machine: { ...choir().machine, ensure: "absent" } })],
];

function leaves(tree: Exported, path: readonly string[] = []): string[] {
	if (tree.resource) return [path.join(".")];
	return Object.entries(tree.members ?? {}).flatMap(([name, member]) => leaves(member, [...path, name]));
}

describe.skipIf(program === null)("The root of all deployments (needs Nix)", { timeout: 60_000 }, () => {
	test.each(plans)("%s: has the members that the node expects, with inputs that the node takes", async (_, plan) => {
		const tree = await exported(plan, withStandIn);
		const expected = plan.machine.ensure === "absent" ? ["machine", "state"] : membersOf(plan);
		expect(leaves(tree).sort()).toEqual(expected);
		const check = (one: Exported): void => {
			for (const member of Object.values(one.members ?? {})) check(member);
			if (!one.resource) return;
			const { type, state } = one.resource;
			expect(inputs[type as keyof typeof inputs].safeParse(one.resource.inputs).error, type).toBeUndefined();
			expect(state, type).toEqual(stateful.some((kind) => kind === type) ? ["state"] : null);
		};
		check(tree);
	});

	test("what is in a plan is data, whatever it says", async () => {
		const words = `"; $${"{builtins.abort 'evaluated'}"} '' $${"{../x}"} in {}`;
		const plan = probed();
		const owner = { username: words, email: words };
		const mastodon = {
			...(plan.services["mastodon"] as Plan["services"][string]),
			owner,
			origin: "https://social.choir.example",
		};
		const tree = await exported({ ...plan, deployment: words, services: { mastodon } }, withStandIn);
		expect(tree.members?.["state"]?.resource?.inputs).toEqual({ deployment: words });
	});

	test("a machine's system lets in the keys that the plan has, the node's too, and no other text", async () => {
		const key = `ssh-ed25519 ${"A".repeat(68)}`;
		const system = async (
			customerKeys: string[],
			more = "",
			{ machines = "{ m1 = { }; }", ssh = {}, user = "root" } = {},
		) => {
			const file = join(folder, "plan.json");
			writeFileSync(
				file,
				JSON.stringify({ ...choir(), services: {}, customerKeys, ssh: { identityFile: null, ...ssh } }),
			);
			return evaluated<{ keys: string[]; failed: string[]; at: string }>(
				program ?? "",
				`let
				data = builtins.fromJSON (builtins.readFile ${file});
				inherit (import ${import.meta.dirname}/evaluate.nix { }) evaluated;
				outputs = { step = ""; stdout = ""; address = ""; publicAddress = "203.0.113.7"; user = "${user}"; hostKey = ""; port = 22; name = "m1"; };
				system = import ${root}/system.nix {
					inherit data;
					nixpkgs = { };
					nixops4.modules.nixops4Provider.local = { };
					nixops4-nixos.modules.nixops4Component.nixos = { };
					machines = ${machines};
				};
				members = { machine = { inherit outputs; }; services.members = { };
					system.members = builtins.mapAttrs (_: _: { inherit outputs; }) { begun = 1; switch = 1; done = 1; }; };
				made = system.member { inherit members; providers.local.exec = { }; progress = _: _: _: _: { }; behind = _: _: [ ]; };
				package = { name = "fediversity"; outPath = "/nix/store/fediversity"; type = "derivation"; };
				m = evaluated [ made.members.switch.nixos.module { fediversity = { inherit package; }; } ${more} ];
			in {
				keys = (m.users.users.customer or { openssh.authorizedKeys.keys = [ ]; }).openssh.authorizedKeys.keys;
				at = m.fediversity.publicAddress;
				failed = builtins.concatMap (one: if one.assertion then [ ] else [ one.message ]) m.assertions;
			}`,
			);
		};
		const lets = `{ fediversity.access.deployKeys = [ "${key}" ]; }`;
		expect(await system([key], lets)).toEqual({ keys: [`restrict,pty ${key}`], failed: [], at: "203.0.113.7" });
		await expect(system([`${key} "; }`])).rejects.toThrow("is not of type");
		// It would be the node's last switch, were it up to its copy of what its machines are.
		const out = async (...asked: Parameters<typeof system>) => (await system(...asked)).failed;
		const ours = { ssh: { publicKey: key } };
		const locked = [expect.stringContaining("lock the node out")];
		expect(await out([])).toEqual(locked);
		expect(await out([], "", ours)).toEqual([]);
		expect(await out([], lets.replace("AAA", "BBB"), ours)).toEqual([]);
		for (const more of [
			"users.users.root.openssh.authorizedKeys.keys = lib.mkForce [ ]",
			`users.users.root.openssh.authorizedKeys.keys = lib.mkForce [ "${key.replace("AAA", "BBB")}" ]`,
			'services.openssh.settings.PermitRootLogin = lib.mkForce "no"',
			"services.openssh.enable = lib.mkForce false",
		])
			expect(await out([], `({ lib, ... }: { ${more}; })`, ours), more).toEqual(locked);
		expect(await out([], "", { ...ours, user: "deploy" })).toEqual([expect.stringContaining("as deploy")]);
		const deploy = `{ users.users.deploy = { isNormalUser = true; openssh.authorizedKeys.keys = [ "${key} node" ]; }; }`;
		expect(await out([], deploy, { ...ours, user: "deploy" })).toEqual([]);
		expect(await out([], deploy.replace(key, `command=\\"id\\" ${key}`), { ...ours, user: "deploy" })).toEqual([
			expect.stringContaining("as deploy"),
		]);
		expect(await out([], "", { ...ours, machines: "{ m2 = { }; }" })).toEqual([expect.stringContaining("has no m1")]);
	});

	test("another version of plans is refused", async () => {
		await expect(exported({ ...choir(), version: 2 as 1 }, withStandIn)).rejects.toThrow("version");
	});

	test("declares the resource types that the node has", async () => {
		const expression = `builtins.mapAttrs (_: type: { inherit (type) requireState; inputs = builtins.attrNames type.inputs.options; outputs = builtins.attrNames type.outputs.options; })
			(import ${root}/provider.nix { inherit (import ${standIn}) lib; executable = "x"; args = [ ]; }).resourceTypes`;
		const declared = await evaluated(program ?? "", expression);
		const types = Object.keys(inputs) as (keyof typeof inputs)[];
		const ours = types.map((type) => [
			type,
			{
				requireState: stateful.includes(type),
				inputs: Object.keys(inputs[type].shape).sort(),
				outputs: Object.keys(outputs[type].shape).sort(),
			},
		]);
		expect(declared).toEqual(Object.fromEntries(ours));
	});
});

describe.skipIf(program === null || !nixops4 || !lib)(
	"The root with the real NixOps4 (needs NIXOPS4_SRC and NIXPKGS_LIB)",
	() => {
		const real = `lib = import ${lib}; nixops4 = ${nixops4};`;
		beforeAll(() => expect(lib).toBeTruthy());

		test.each(plans)("%s: exports the same as with the stand-in", async (_, plan) => {
			expect(await exported(plan, real)).toEqual(await exported(plan, withStandIn));
		});

		test("puts the system between what it needs and what needs it", async () => {
			const flakes = `
			lib = import ${lib};
			nixpkgs.lib = import ${lib};
			nixops4 = { outPath = ${nixops4}; modules.nixops4Provider.local = { lib, ... }: {
				executable = "local";
				resourceTypes.exec = {
					requireState = false;
					inputs.options.args = lib.mkOption { type = lib.types.listOf lib.types.str; };
					outputs.options.stdout = lib.mkOption { type = lib.types.str; };
				};
			}; };
			nixops4-nixos.modules.nixops4Component.nixos = { config, lib, ... }: {
				options = {
					nixpkgs = lib.mkOption { type = lib.types.raw; };
					ssh = lib.genAttrs [ "host" "user" "hostPublicKey" "opts" ] (_: lib.mkOption { type = lib.types.str; });
					nixos.module = lib.mkOption { type = lib.types.raw; };
					nixos.specialArgs = lib.mkOption { type = lib.types.raw; };
				};
				config.inputs.args = [ config.ssh.host config.ssh.opts (builtins.toJSON {
					inherit (config.nixos) specialArgs;
					inherit (config.nixos.module.fediversity) deployment;
				}) ];
			};`;
			const plan = { ...probed(), ssh: { identityFile: "/run/key" } };
			const outputs = (more: string) => known.replace(/}$/, `${more} }`);
			const system = async (mode: Plan["mode"], more: string) => {
				const tree = await exported({ ...plan, mode }, flakes, outputs(more));
				return tree.members?.["system"]?.members ?? {};
			};
			const { switch: done, begun } = await system(
				"serving",
				'system = { begun.step = "system"; switch.stdout = ""; done.step = "system"; };',
			);
			expect(begun?.resource?.inputs).toMatchObject({ step: "system", event: "begun" });
			const [host, options, given] = (done?.resource?.inputs["args"] ?? []) as string[];
			expect([host, options]).toEqual(["10.0.0.21", "-o Port=22 -o IdentityFile=/run/key"]);
			expect(JSON.parse(given as string)).toMatchObject({
				specialArgs: {
					resources: { mastodon: { secrets: { password: { path: "/p" } }, buckets: { media: { bucket: "b" } } } },
				},
				deployment: { deployment: "d1", mode: "serving", services: { mastodon: { hosts: ["social.choir.example"] } } },
			});
			const emptied = await system(
				"absent",
				'system = { begun.step = "system"; switch.stdout = ""; done.step = "system"; };',
			);
			expect(JSON.parse(((emptied["switch"]?.resource?.inputs["args"] ?? []) as string[])[2] ?? "")).toMatchObject({
				specialArgs: { resources: {} },
				deployment: { mode: "absent" },
			});
			// What nobody has said yet: it waits.
			await expect(system("serving", "")).rejects.toThrow("begun");
		});
	},
);

describe.skipIf(program === null || !nixops4 || !nixops4Nixos || !lib)(
	"The root with the real NixOps4 and nixops4-nixos (needs NIXOPS4_SRC, NIXOPS4_NIXOS_SRC and NIXPKGS_LIB)",
	() => {
		test("says to nixops4's local provider how a machine is switched", async () => {
			const flakes = `
			lib = import ${lib};
			nixpkgs.lib = import ${lib} // { nixosSystem = { modules, specialArgs }:
				let
					inherit (import ${import.meta.dirname}/evaluate.nix { nixpkgsLib = ${lib}; }) evaluated lib;
					package = { name = "fediversity"; outPath = "/nix/store/fediversity"; type = "derivation"; };
					system = evaluated (lib.init modules ++ [ { fediversity = { inherit package; }; } ]);
					failed = builtins.filter (one: !one.assertion) system.assertions;
				in
				assert failed == [ ];
				assert specialArgs.resources == { };
				{ config.system.build.toplevel = { type = "derivation"; outPath = "/nix/store/\${system.fediversity.deployment.domain}"; }; };
			};
			machines.m1.imports = [ ];
			nixops4 = { outPath = ${nixops4}; modules.nixops4Provider.local = import ${nixops4}/nix/providers/local.nix { inherit withSystem; }; };
			nixops4-nixos.modules.nixops4Component.nixos = import ${nixops4Nixos}/modules/nixops4Resource/nixos.nix {
				inherit withSystem;
				self.modules.nixos.apply = ${nixops4Nixos}/modules/nixos/apply/nixos-apply.nix;
			};`;
			const given = `withSystem = system: f: f {
				pkgs.bash = { type = "derivation"; outPath = "/nix/store/bash"; name = "bash"; meta.mainProgram = "bash"; };
				config.packages.nixops4-resources-local-release = "/nix/store/local";
			}`;
			const file = join(folder, "plan.json");
			const publicKey = `ssh-ed25519 ${"A".repeat(68)}`;
			writeFileSync(
				file,
				JSON.stringify({ ...choir(), services: {}, ssh: { identityFile: "/run/key", publicKey } } satisfies Plan),
			);
			const outputs = known.replace(/}$/, 'system = { begun.step = "s"; switch.stdout = ""; done.step = "s"; }; }');
			const tree = await evaluated<Exported>(
				program ?? "",
				`let ${given}; in (import ${root} { plan = ${file}; ${flakes} }).rootFunction { resourceProviderSystem = "x86_64-linux"; outputValues = ${outputs}; }`,
				store,
			);
			const { provider, type, inputs } = tree.members?.["system"]?.members?.["switch"]?.resource ?? {};
			expect([provider, type]).toMatchObject([{ executable: "/nix/store/local/bin/nixops4-resources-local" }, "exec"]);
			expect(inputs).toMatchObject({ executable: "/nix/store/bash/bin/bash", stdin: null });
			const [, script, ...words] = (inputs?.["args"] ?? []) as string[];
			expect(words).toEqual(["root@10.0.0.21", "/nix/store/choir.example"]);
			for (const part of ["'-o Port=22 -o IdentityFile=/run/key'", "nix copy --to", "StrictHostKeyChecking=yes"])
				expect(script).toContain(part);
		});
	},
);
