import type { Vault } from "../../secrets/vault.ts";
import { Bucket, type Storage } from "./resources/bucket.ts";
import { DnsRecord, type Zones } from "./resources/dns-record.ts";
import { Machine } from "./resources/machine.ts";
import { Probe } from "./resources/probe.ts";
import { Progress } from "./resources/progress.ts";
import type { MachinePool, Resources, SecretName } from "./resources/resource.ts";
import { Secret } from "./resources/secret.ts";

export interface ResourcesParts {
	readonly vault: Vault;
	readonly machines: MachinePool;
	readonly zones: Zones;
	/** Throws a Problem where the provider has no Garage. */
	readonly storage: () => Promise<Storage>;
	/** Makes a secret that the vault does not have. */
	readonly makeSecret: (secret: SecretName) => string | Promise<string>;
	/** Makes the secret of a bucket's key: 64 hexadecimal digits. */
	readonly makeKey: () => string;
}

/** All resource types of our provider but the state, which Answering keeps. */
export function resourcesWith({ vault, machines, zones, storage, makeSecret, makeKey }: ResourcesParts): Resources {
	return {
		progress: new Progress(),
		secret: new Secret(vault, machines, makeSecret),
		machine: new Machine(machines),
		bucket: new Bucket(storage, vault, machines, makeKey),
		dns_record: new DnsRecord(zones),
		probe: new Probe(),
	};
}
