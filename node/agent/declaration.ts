import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import type { Place } from "../volumes/volume.ts";

/** A volume as the machine declares it: like a Place, with a user's name for its number, and files for passwords. */
export type DeclaredPlace =
	| { readonly kind: "directory" | "sqlite"; readonly path: string; readonly owner?: string | number | null }
	| {
			readonly kind: "postgres";
			/** Default: the socket in /run/postgresql. */
			readonly host?: string;
			readonly port?: number;
			readonly database: string;
			readonly user: string;
			readonly passwordFile?: string | null;
			readonly programs?: string | null;
	  }
	| {
			readonly kind: "bucket";
			readonly endpoint: string;
			readonly region: string;
			readonly bucket: string;
			readonly accessKeyIdFile: string;
			readonly secretAccessKeyFile: string;
	  };

/** Where a rehearsal may have a copy, if it may. */
export type DeclaredVolume = DeclaredPlace & { readonly rehearsal?: DeclaredPlace };

export interface DeclaredService {
	/** What is stopped when the service is frozen: everything that writes, timers too. The databases stay up. */
	readonly units: readonly string[];
	readonly volumes: Readonly<Record<string, DeclaredVolume>>;
	/** Units that make of its secrets what its programs read, and run again before it wakes. */
	readonly prepares?: readonly string[];
	/** The unit that gives the first account the password among the secrets, each time it is started. */
	readonly account?: string | null;
	/** Who is asked how the service is: an address here, and what it answers when it is well (default: any below 400). */
	readonly health?: { readonly url: string; readonly status?: number; readonly host?: string } | null;
}

/** What nix/volumes.nix writes to /etc/fediversity/agent.json. There are no secrets in it. */
export interface Declared {
	/** Where the agent keeps what is its own; default /var/lib/fediversity. */
	readonly state?: string;
	/** By `<deployment>/<service>`. */
	readonly services: Readonly<Record<string, DeclaredService>>;
}

const part = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** What this machine declares. Everything that it does not name is refused with `machine-lacks`. */
export class Declaration {
	readonly state: string;
	readonly services: Declared["services"];

	constructor({ state, services }: Declared) {
		this.state = state ?? "/var/lib/fediversity";
		this.services = services;
	}

	service(name: string): DeclaredService {
		checkName(name);
		const service = Object.hasOwn(this.services, name) ? this.services[name] : undefined;
		if (!service) throw lacks(name);
		return service;
	}

	place(service: string, volume: string): Place {
		return placeOf(this.#volume(service, volume));
	}

	rehearsal(service: string, volume: string): Place {
		const { rehearsal } = this.#volume(service, volume);
		if (!rehearsal) throw lacks(`a rehearsal of ${service} ${volume}`);
		return placeOf(rehearsal);
	}

	/** Whether a service is held back lies in this file's presence, where units look (ConditionPathExists). */
	holdFile(service: string): string {
		return join(this.state, "frozen", checkName(service));
	}

	secretFile(service: string, secret: string): string {
		if (!part.test(secret)) throw lacks(`a secret of this name: ${secret}`);
		return join(this.state, "secrets", checkName(service), secret);
	}

	/** What a move needs to remember, one folder for each. */
	moveFolder(name: string): string {
		if (!part.test(name)) throw lacks(`a move of this name: ${name}`);
		return join(this.state, "moves", name);
	}

	#volume(service: string, volume: string): DeclaredVolume {
		const { volumes } = this.service(service);
		const declared = Object.hasOwn(volumes, volume) ? volumes[volume] : undefined;
		if (!declared) throw lacks(`${service} ${volume}`);
		return declared;
	}
}

/** Reads it; a file that is missing or broken is `machine-agent`. */
export function readDeclaration(file: string): Declaration {
	try {
		const declared = JSON.parse(readFileSync(file, "utf8")) as Declared;
		if (typeof declared.services !== "object" || declared.services === null) throw new Error("it names no services");
		return new Declaration(declared);
	} catch (error) {
		const reason = `${file}: ${(error as Error).message}`;
		throw new Problem("machine-agent", { machine: "The machine", reason }, { cause: error });
	}
}

/** Two plain words, so that no name leads out of a folder. Services that are not declared yet may have secrets and be held. */
function checkName(service: string): string {
	const words = service.split("/");
	if (words.length !== 2 || !words.every((word) => part.test(word))) throw lacks(`a service of this name: ${service}`);
	return service;
}

const lacks = (what: string) => new Problem("machine-lacks", { machine: "The machine", what });

function placeOf(declared: DeclaredPlace): Place {
	switch (declared.kind) {
		case "directory":
		case "sqlite":
			return { kind: declared.kind, path: declared.path, owner: userId(declared.owner ?? null) };
		case "postgres": {
			const { host = "/run/postgresql", port = 5432, database, user, passwordFile, programs = null } = declared;
			const password = passwordFile ? content(passwordFile) : null;
			return { kind: "postgres", host, port, database, user, password, programs };
		}
		case "bucket": {
			const { endpoint, region, bucket, accessKeyIdFile, secretAccessKeyFile } = declared;
			const accessKeyId = content(accessKeyIdFile);
			return { kind: "bucket", endpoint, region, bucket, accessKeyId, secretAccessKey: content(secretAccessKeyFile) };
		}
	}
}

const content = (file: string) => readFileSync(file, "utf8").trim();

/** Users of services are made by the machine, which alone knows their numbers. */
function userId(owner: string | number | null): number | null {
	if (typeof owner !== "string") return owner;
	return Number(execFileSync("id", ["-u", "--", owner], { encoding: "utf8" }));
}
