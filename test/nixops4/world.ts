/** What resources make in the world, in a file: it outlives a node that is killed, as machines and name servers do. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryZone } from "../../node/domains/memory-zone.ts";
import type { DnsRecord, Zone } from "../../node/domains/zone.ts";
import type { Ask } from "../../node/engines/local/recipe.ts";
import { GarageAdmin } from "../../node/engines/local/recipes/garage/admin.ts";
import type { Storage } from "../../node/engines/nixops4/resources/bucket.ts";
import type { Zones } from "../../node/engines/nixops4/resources/dns-record.ts";
import {
	type MachinePool,
	pathOf,
	type ReservedMachine,
	type SecretName,
} from "../../node/engines/nixops4/resources/resource.ts";

interface Contents {
	/** Which deployment has which machine. */
	machines: Record<string, string>;
	/** By machine and path, what was put there; what it is worth stays in here. */
	delivered: Record<string, string>;
	records: DnsRecord[];
	buckets: Record<string, { id: string; keys: string[]; isPublic: boolean }>;
	keys: Record<string, string>;
	/** Everything that was done, in order. */
	deeds: string[];
}

export class World implements MachinePool, Zones {
	readonly #file: string;

	constructor(folder: string) {
		this.#file = join(folder, "world.json");
		if (!existsSync(this.#file))
			this.#write({ machines: {}, delivered: {}, records: [], buckets: {}, keys: {}, deeds: [] });
	}

	get contents(): Contents {
		return JSON.parse(readFileSync(this.#file, "utf8")) as Contents;
	}

	async reserve(deployment: string): Promise<ReservedMachine> {
		const name = this.#change(`reserve ${deployment}`, ({ machines }) => {
			machines[deployment] ??= `m${Object.keys(machines).length + 1}`;
			return machines[deployment];
		});
		const hostKey = "ssh-ed25519 AAAA";
		const at = { address: "10.0.0.21", publicAddress: "192.0.2.7" };
		return { ...at, name, port: 22, user: "root", hostKey, system: "x86_64-linux" };
	}

	async release(deployment: string): Promise<void> {
		this.#change(`release ${deployment}`, ({ machines }) => {
			delete machines[deployment];
		});
	}

	async deliver(machine: string, secret: SecretName, value: string): Promise<void> {
		this.#change(`deliver ${secret.service}/${secret.name}`, ({ delivered }) => {
			delivered[`${machine}:${pathOf(secret)}`] = value;
		});
	}

	async withdraw(machine: string, secret: SecretName): Promise<void> {
		this.#change(`withdraw ${secret.service}/${secret.name}`, ({ delivered }) => {
			delete delivered[`${machine}:${pathOf(secret)}`];
		});
	}

	zoneOf(name: string): Zone | undefined {
		if (!name.endsWith(".choir.example")) return undefined;
		const change = async (how: (zone: MemoryZone) => Promise<void>) => {
			const zone = new MemoryZone("choir.example", this.contents.records);
			await how(zone);
			this.#change(`records ${name}`, (contents) => {
				contents.records = [...zone.records];
			});
		};
		return {
			name: "choir.example",
			server: "a file",
			set: (records, unless) => change((zone) => zone.set(records, unless)),
			remove: (records, unless) => change((zone) => zone.remove(records, unless)),
			look: (at, type) => new MemoryZone("choir.example", this.contents.records).look(at, type),
		};
	}

	guardOf(): undefined {
		return undefined;
	}

	/** A Garage that is only its administration; `s3` is where an empty bucket is listed. */
	storage(s3: string): Storage {
		return { admin: new GarageAdmin(this.#garage, "token"), endpoint: s3, region: "garage" };
	}

	/** As strict as Garage is about what is there already. */
	readonly #garage: Ask = async (path, { body = "{}" } = {}) => {
		const { pathname, searchParams } = new URL(path, "http://garage");
		const operation = pathname.slice("/v2/".length);
		const { status, answer } = this.#change(operation, (contents) =>
			administered(contents, operation, Object.fromEntries(searchParams), JSON.parse(body)),
		);
		return { status, headers: {}, body: JSON.stringify(answer ?? {}) };
	};

	#change<Result>(deed: string, how: (contents: Contents) => Result): Result {
		const contents = this.contents;
		const result = how(contents);
		contents.deeds.push(deed);
		this.#write(contents);
		return result;
	}

	#write(contents: Contents): void {
		writeFileSync(`${this.#file}.new`, JSON.stringify(contents));
		renameSync(`${this.#file}.new`, this.#file);
	}
}

type Values = Record<string, string>;
type Answer = { status: number; answer?: object };

function administered({ buckets, keys }: Contents, operation: string, query: Values, body: Values): Answer {
	const missing = { status: 404 };
	const byId = Object.entries(buckets).find(([, { id }]) => id === (query["id"] ?? body["bucketId"]));
	switch (operation) {
		case "GetKeyInfo":
			return keys[query["id"] ?? ""] === undefined ? missing : { status: 200, answer: {} };
		case "ImportKey":
			if (keys[body["accessKeyId"] ?? ""] !== undefined) return { status: 409 };
			keys[body["accessKeyId"] ?? ""] = body["secretAccessKey"] ?? "";
			return { status: 200, answer: {} };
		case "DeleteKey":
			delete keys[query["id"] ?? ""];
			return { status: 200 };
		case "GetBucketInfo": {
			const found = buckets[query["globalAlias"] ?? ""];
			return found ? { status: 200, answer: { id: found.id } } : missing;
		}
		case "CreateBucket": {
			const alias = body["globalAlias"] ?? "";
			if (buckets[alias]) return { status: 409 };
			const made = { id: `id-${alias}`, keys: [], isPublic: false };
			buckets[alias] = made;
			return { status: 200, answer: { id: made.id } };
		}
		case "AllowBucketKey":
			if (!byId || keys[body["accessKeyId"] ?? ""] === undefined) return missing;
			byId[1].keys = [...new Set([...byId[1].keys, body["accessKeyId"] ?? ""])];
			return { status: 200, answer: {} };
		case "UpdateBucket":
			if (!byId) return missing;
			byId[1].isPublic = (body["websiteAccess"] as unknown as { enabled: boolean }).enabled;
			return { status: 200, answer: {} };
		case "DeleteBucket":
			if (!byId) return missing;
			delete buckets[byId[0]];
			return { status: 200 };
		default:
			return { status: 501 };
	}
}
