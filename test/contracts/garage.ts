/** A real Garage on loopback, for tests: the one on the search path, or the one that `npm run test:services` has built. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askAt } from "../../node/engines/local/ask.ts";
import { GarageAdmin } from "../../node/engines/local/recipes/garage/admin.ts";
import { cache } from "./tiny/world.ts";

const built = join(cache, "garage/garage");
/** Undefined: there is none on this machine. */
export const garageProgram = existsSync(built) ? built : onPath("garage");

export class Garage {
	readonly #folder = mkdtempSync(join(tmpdir(), "fediversity-garage-"));
	readonly #token = randomBytes(16).toString("hex");
	#process: ChildProcess | undefined;
	#ports: readonly number[] = [];

	async start(): Promise<this> {
		this.#ports = await freePorts(3);
		const file = join(this.#folder, "garage.toml");
		writeFileSync(file, this.#settings(), { mode: 0o600 });
		this.#process = spawn(garageProgram ?? "", ["-c", file, "server"], {
			stdio: "ignore",
			env: { RUST_LOG: "error" },
		});
		await this.#ready();
		await this.#admin.layOut();
		return this;
	}

	async stop(): Promise<void> {
		const process = this.#process;
		if (process?.exitCode === null) {
			const ended = new Promise((resolve) => process.once("exit", resolve));
			process.kill("SIGKILL");
			await ended;
		}
		rmSync(this.#folder, { recursive: true, force: true });
	}

	/** Makes a bucket with a key of its own, which may read these others too. */
	async open(bucket: string, reads: readonly string[] = []) {
		const accessKeyId = `GK${randomBytes(12).toString("hex")}`;
		const secretAccessKey = randomBytes(32).toString("hex");
		await this.#admin.importKey(accessKeyId, secretAccessKey, bucket);
		await this.#admin.openBucket(bucket, accessKeyId);
		for (const other of reads) await this.#admin.openBucket(other, accessKeyId);
		const endpoint = `http://127.0.0.1:${this.#ports[0]}`;
		return { kind: "bucket", endpoint, region: "garage", bucket, accessKeyId, secretAccessKey } as const;
	}

	/** Its administration, and where it answers S3. */
	get storage() {
		return { admin: this.#admin, endpoint: `http://127.0.0.1:${this.#ports[0]}`, region: "garage" };
	}

	get #admin(): GarageAdmin {
		const [s3 = 0, admin = 0] = this.#ports;
		return new GarageAdmin(
			askAt(`http://127.0.0.1:${s3}`, () => admin),
			this.#token,
		);
	}

	async #ready(): Promise<void> {
		for (;;) {
			if (this.#process?.exitCode !== null) throw new Error("Garage ended right after its start");
			const answer = await fetch(`http://127.0.0.1:${this.#ports[1]}/health`).catch(() => undefined);
			if (answer) return;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	#settings(): string {
		const [s3, admin, rpc] = this.#ports;
		return `metadata_dir = ${JSON.stringify(join(this.#folder, "metadata"))}
data_dir = ${JSON.stringify(join(this.#folder, "data"))}
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:${rpc}"
rpc_public_addr = "127.0.0.1:${rpc}"
rpc_secret = "${randomBytes(32).toString("hex")}"
[s3_api]
api_bind_addr = "127.0.0.1:${s3}"
s3_region = "garage"
[admin]
api_bind_addr = "127.0.0.1:${admin}"
admin_token = "${this.#token}"
`;
	}
}

async function freePorts(count: number): Promise<number[]> {
	const servers = await Promise.all(
		Array.from({ length: count }, async () => {
			const server = createServer();
			await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
			return server;
		}),
	);
	return Promise.all(
		servers.map(async (server) => {
			const address = server.address();
			await new Promise((resolve) => void server.close(resolve));
			return typeof address === "object" ? (address?.port ?? 0) : 0;
		}),
	);
}

function onPath(program: string): string | undefined {
	const { stdout } = spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { encoding: "utf8" });
	return stdout.trim() || undefined;
}
