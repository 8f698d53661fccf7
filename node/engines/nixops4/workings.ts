import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import { type Config, reachable } from "../../config.ts";
import type { Zone } from "../../domains/zone.ts";
import type { Vault } from "../../secrets/vault.ts";
import type { Database } from "../../store/database.ts";
import { newPassword, newSecret } from "../local/password.ts";
import type { Ask } from "../local/recipe.ts";
import { GarageAdmin } from "../local/recipes/garage/admin.ts";
import { Answering } from "./answering.ts";
import type { Workings } from "./means.ts";
import type { Storage } from "./resources/bucket.ts";
import type { MachinePool, SecretName } from "./resources/resource.ts";
import { resourcesWith } from "./resources.ts";
import { Runs } from "./runs.ts";
import { States } from "./states.ts";

export interface WorkingsParts {
	readonly db: Database;
	readonly vault: Vault;
	readonly machines: MachinePool;
	readonly zone: Zone | null;
	/** Where the DNS says whose a deployment's domain is, and what stands there while it is ours. */
	readonly guardOf: (deployment: string) => { name: string; mine: string } | undefined;
	readonly storage: Config["storage"];
	/** The node's state folder. */
	readonly folder: string;
	readonly now: () => number;
}

/** The node's side of NixOps4: what it asks for through our provider, and where that calls. */
export function workingsWith({ db, vault, machines, zone, guardOf, storage, folder, now }: WorkingsParts): Workings {
	const states = new States(db, now);
	const makeSecret = ({ name }: SecretName) => (name === "password" ? newPassword() : newSecret());
	const resources = resourcesWith({
		...{ vault, machines, makeKey: newSecret, makeSecret },
		zones: { zoneOf: (name) => (zone && name.endsWith(`.${zone.name}`) ? zone : undefined), guardOf },
		storage: async () => storageAt(storage),
	});
	const runs = new Runs({
		socket: reachable(join(folder, "nixops4", "run.sock")),
		folder: join(folder, "nixops4", "credentials"),
		answering: new Answering(states, resources),
		ended: (deployment) => states.forget(deployment),
	});
	return {
		...{ runs, states },
		async deliver(machine, secret, signal) {
			const { deployment, service, name } = secret;
			const value = await vault.obtain(`${deployment}/${service}/${name}`, () => makeSecret(secret));
			await machines.deliver(machine, secret, value, signal);
		},
	};
}

function storageAt(storage: Config["storage"]): Storage {
	if (!storage) throw new Problem("storage-none");
	const token = readFileSync(storage.tokenFile, "utf8").trim();
	const { endpoint, region } = storage;
	return { admin: new GarageAdmin(asking(storage.admin), token), endpoint, region };
}

/** Garage's administration may be on another machine; its certificate is then checked as any other. */
const asking =
	(origin: string): Ask =>
	async (path, { method = "GET", headers = {}, body } = {}) => {
		const signal = AbortSignal.timeout(30_000);
		const answer = await fetch(new URL(path, origin), { method, headers, signal, ...(body !== undefined && { body }) });
		return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
	};
