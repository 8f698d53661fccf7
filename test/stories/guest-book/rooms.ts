/** Databases and buckets of one provider, made on demand by the test and asked for by its node, which is another process. */
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Room } from "../../../node/engines/local/depot.ts";
import { inBucket } from "../../contracts/bucket-yard.ts";
import { Garage, garageProgram } from "../../contracts/garage.ts";
import { never } from "../../contracts/round.ts";
import { S3StandIn } from "../../contracts/s3-stand-in.ts";
import { type Cluster, startCluster } from "../../postgres.ts";

type Kind = Room["kind"];
type Of<K extends Kind> = Extract<Room, { kind: K }>;

export class Rooms {
	readonly cluster: Cluster;
	readonly #storage: Garage | S3StandIn;
	readonly #server: Server;
	readonly #rooms = new Map<string, Promise<Room>>();

	/** A real PostgreSQL and, where there is one, a real Garage. */
	static async open(): Promise<Rooms> {
		const cluster = await startCluster();
		// Services have users of their own.
		chmodSync(cluster.host, 0o711);
		const storage = garageProgram ? await new Garage().start() : await new S3StandIn().listen();
		const rooms = new Rooms(cluster, storage);
		await new Promise<void>((resolve) => rooms.#server.listen(0, "127.0.0.1", resolve));
		return rooms;
	}

	private constructor(cluster: Cluster, storage: Garage | S3StandIn) {
		[this.cluster, this.#storage] = [cluster, storage];
		this.#server = createServer(async (request, response) => {
			const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
			const [kind, volume] = [pathname.slice(1) as Kind, searchParams.get("volume") ?? ""];
			try {
				const answer = request.method === "DELETE" ? await this.#erase(kind, volume) : await this.#room(kind, volume);
				response.end(JSON.stringify(answer ?? null));
			} catch (error) {
				response.writeHead(500).end(String(error));
			}
		});
	}

	get address(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Volumes that have a room now. */
	get volumes(): string[] {
		return [...this.#rooms.keys()].map((key) => key.split(" ")[1] ?? "").sort();
	}

	/** The room of a volume that has one. */
	async of<K extends Kind>(kind: K, volume: string): Promise<Of<K>> {
		const room = this.#rooms.get(`${kind} ${volume}`);
		if (!room) throw new Error(`${volume} has no room`);
		return (await room) as Of<K>;
	}

	async close(): Promise<void> {
		this.#server.close();
		this.#server.closeAllConnections();
		await this.cluster.stop();
		await (this.#storage instanceof Garage ? this.#storage.stop() : this.#storage.close());
	}

	#room(kind: Kind, volume: string): Promise<Room> {
		const key = `${kind} ${volume}`;
		const name = `v${createHash("sha256").update(volume).digest("hex").slice(0, 16)}`;
		const room = this.#rooms.get(key) ?? this.#made(kind, name);
		this.#rooms.set(key, room);
		return room;
	}

	async #made(kind: Kind, name: string): Promise<Room> {
		return kind === "postgres" ? this.cluster.place(name) : this.#storage.open(name);
	}

	async #erase(kind: Kind, volume: string): Promise<void> {
		const key = `${kind} ${volume}`;
		const room = await this.#rooms.get(key);
		if (room?.kind === "postgres") {
			await this.cluster.sql("postgres", `DROP DATABASE IF EXISTS "${room.database}" WITH (FORCE)`);
			await this.cluster.sql("postgres", `DROP ROLE IF EXISTS "${room.user}"`);
		}
		if (room?.kind === "bucket")
			await inBucket(room, async (bucket) => {
				for await (const page of bucket.objects(never)) for (const { key } of page) await bucket.remove(key, never);
			});
		this.#rooms.delete(key);
	}
}
