import type { Ask } from "../../recipe.ts";

/** Garage's administration API, version 2 (https://garagehq.deuxfleurs.fr/api/garage-admin-v2.html), at the port called `admin`. */
export class GarageAdmin {
	readonly #ask: Ask;
	readonly #token: string;

	constructor(ask: Ask, token: string) {
		this.#ask = ask;
		this.#token = token;
	}

	/** Throws what Garage says is wrong; undefined: there is no such thing. */
	async call<Result>(name: string, body?: unknown): Promise<Result | undefined> {
		const { status, body: text } = await this.#ask(`/v2/${name}`, {
			port: "admin",
			method: body === undefined ? "GET" : "POST",
			headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		if (status === 404) return undefined;
		if (status >= 400) throw new Error(`${name} answered ${status}: ${text.slice(0, 300)}`);
		return text === "" ? undefined : (JSON.parse(text) as Result);
	}

	/** Gives all data to the only node of this Garage (its capacity says nothing then); a layout that is there stays. */
	async layOut(): Promise<void> {
		const layout = await this.call<{ version: number; roles: unknown[] }>("GetClusterLayout");
		if (!layout || layout.roles.length > 0) return;
		const status = await this.call<{ nodes: { id: string }[] }>("GetClusterStatus");
		const roles = (status?.nodes ?? []).map(({ id }) => ({ id, zone: "here", capacity: 2 ** 40, tags: [] }));
		await this.call("UpdateClusterLayout", { roles });
		await this.call("ApplyClusterLayout", { version: layout.version + 1 });
	}

	/** A key that is there already stays as it is. */
	async importKey(accessKeyId: string, secretAccessKey: string, name: string): Promise<void> {
		if (await this.call(`GetKeyInfo?id=${accessKeyId}`)) return;
		await this.call("ImportKey", { accessKeyId, secretAccessKey, name });
	}

	/** A bucket whose objects everybody may read under its name as a host name, and this key may change. */
	async openBucket(globalAlias: string, accessKeyId: string): Promise<void> {
		const known = await this.call<{ id: string }>(`GetBucketInfo?globalAlias=${encodeURIComponent(globalAlias)}`);
		const bucket = known ?? (await this.call<{ id: string }>("CreateBucket", { globalAlias }));
		if (!bucket) throw new Error(`there is no bucket ${globalAlias}`);
		const permissions = { read: true, write: true, owner: true };
		await this.call("AllowBucketKey", { bucketId: bucket.id, accessKeyId, permissions });
		const websiteAccess = { enabled: true, indexDocument: "index.html", errorDocument: null };
		await this.call(`UpdateBucket?id=${bucket.id}`, { websiteAccess });
	}
}
