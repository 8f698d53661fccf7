import { existsSync, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Config } from "../../config.ts";
import { lazily } from "../../lazily.ts";
import type { Fleet } from "../../machines/fleet.ts";
import { Nixops4Engine } from "./nixops4-engine.ts";
import type { WorkingsParts } from "./workings.ts";

export interface OpenParts extends Omit<WorkingsParts, "storage" | "folder" | "machines"> {
	readonly nodeId: string;
	readonly config: Config;
	readonly fleet: Fleet;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Public keys of a deployment's customer. */
	readonly keysOf: (deployment: string) => readonly string[];
}

/** The package's own folder. */
const packaged = join(import.meta.dirname, "../../..");
/** How long a service may take until it first answers: Mastodon makes its database, PeerTube gets its plugins. */
const readySeconds = 900;
/** What of this node's environment NixOps4 and Nix may see. */
const passedOn = /^(PATH|HOME|USER|LANG|LC_.*|TMPDIR|XDG_.*|NIX_.*|_NIXOPS4_.*|STAND_IN_.*|SSL_CERT_.*|.*_proxy)$/i;

/** The engine for NixOS machines, as this node's configuration says. Nothing heavy is loaded yet. */
export function openNixops4Engine({ nodeId, config, fleet, environment, keysOf, ...parts }: OpenParts): Nixops4Engine {
	const { program, root, keyFile, system, runMinutes, webPort, customerSsh } = config.engine;
	const { folder } = config.state;
	const provider = { executable: process.execPath, args: [join(packaged, "node/main.ts"), "provider"] };
	const code = root ?? join(packaged, "nix/nixops4");
	return new Nixops4Engine({
		...{ nodeId, program, webPort, readySeconds, deadline: runMinutes * 60 },
		folder: join(folder, "nixops4"),
		site: { provider, identityFile: keyFile, system, customerKeys: customerSsh ? keysOf : null },
		environment: {
			...Object.fromEntries(
				Object.entries(environment).filter(
					(one): one is [string, string] => one[1] !== undefined && passedOn.test(one[0]),
				),
			),
			// Our provider starts once for each resource; so it takes half the time.
			NODE_COMPILE_CACHE: join(folder, "nixops4", "compiled"),
		},
		root: code,
		publicKey: () => fleet.identity.publicKey(),
		versions: lazily(() => versionsIn(code)),
		async workings() {
			const { workingsWith } = await import("./workings.ts");
			return workingsWith({ ...parts, machines: fleet, storage: config.storage, folder });
		},
		machines: {
			of: (deployment) => fleet.of(deployment),
			agent: (id) => fleet.agent(id),
			reserve: (...asked) => fleet.reserve(...asked),
			release: (one) => fleet.release(one),
			close: () => fleet.close(),
		},
		missing: async () => missingOf(program, environment),
	});
}

/** `nixops4` or `nix`, if it is not installed; null: both are here. */
export function missingOf(program: string, environment: OpenParts["environment"]): string | null {
	const path = environment["PATH"] ?? "";
	if (!isThere(program, path)) return "nixops4";
	return environment["_NIXOPS4_EVAL"] === undefined && !isThere("nix", path) ? "nix" : null;
}

/** The provider's flake writes down beside the root what its nixpkgs has; a root without that tells no versions. */
async function versionsIn(root: string): Promise<Readonly<Record<string, string>>> {
	try {
		return JSON.parse(readFileSync(join(root, "versions.json"), "utf8"));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
		throw error;
	}
}

function isThere(program: string, path: string): boolean {
	if (isAbsolute(program)) return existsSync(program);
	return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}
