import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { installed } from "../program.ts";
import type { Ask, Home, Probe, Recipe } from "../recipe.ts";
import { GarageAdmin } from "./garage/admin.ts";
import { askS3, type S3Access, type S3Request } from "./garage/s3.ts";

const region = "garage";

/**
 * Garage from 2.0 on, see https://garagehq.deuxfleurs.fr/documentation/reference-manual/configuration/. One node that
 * keeps everything once: copies elsewhere are the provider's backups. Services of this machine write by S3 on
 * loopback; the world reads the bucket called like its host.
 */
export const garage: Recipe = {
	service: "garage",
	ports: ["web", "s3", "admin", "rpc"],
	volumes: [
		{ name: "metadata", kind: "directory", path: "metadata" },
		{ name: "data", kind: "directory", path: "data" },
	],
	ready: { usually: 2, atMost: 60 },
	stop: { signal: "SIGTERM", seconds: 30 },
	...installed({ title: "Garage", program: "garage" }),

	versionCommand: ({ path }) => [path, "--version"],

	async configure(home, hands) {
		for (const name of ["rpc", "admin", "metrics"]) await hands.write(`secrets/${name}`, await home.secret(name));
		await hands.write("garage.toml", settings(home));
	},

	async furnish(home, hands) {
		const admin = new GarageAdmin(hands.ask, await home.secret("admin"));
		const { keyId, secret } = accessWith(await home.secret("key"));
		await admin.layOut();
		await admin.importKey(keyId, secret, home.deployment);
		await admin.openBucket(home.host, keyId);
	},

	command: (home) => ({
		argv: [home.program.path, "-c", join(home.state, "garage.toml"), "server"],
		env: { RUST_LOG: "garage=info,garage_api_common=warn" },
		limits: { files: 16_384 },
	}),

	probes: (home) => [listens, health, storage(home)],
};

function settings(home: Home): string {
	const own = (path: string) => JSON.stringify(join(home.state, path));
	const at = (port: string) => `"127.0.0.1:${home.port(port)}"`;
	return `# Made by Fediversity Node, and made anew before every start.
metadata_dir = ${own("metadata")}
data_dir = ${own("data")}
db_engine = "sqlite"
replication_factor = 1
metadata_fsync = true
rpc_bind_addr = ${at("rpc")}
rpc_public_addr = ${at("rpc")}
rpc_secret_file = ${own("secrets/rpc")}

[s3_api]
api_bind_addr = ${at("s3")}
s3_region = "${region}"

[s3_web]
bind_addr = ${at("web")}
root_domain = ".${home.host}"
add_host_to_metrics = false

[admin]
api_bind_addr = ${at("admin")}
admin_token_file = ${own("secrets/admin")}
metrics_token_file = ${own("secrets/metrics")}
`;
}

/**
 * The key with which the services beside it get at the storage. Its id looks like those that Garage makes and follows
 * from the secret, so that both are the same wherever the secrets go.
 */
export function accessWith(secret: string): S3Access {
	const id = createHash("sha256").update(`id of ${secret}`).digest("hex").slice(0, 24);
	return { keyId: `GK${id}`, secret, region };
}

/** Before it is furnished it cannot keep anything, and says so by another status. */
const listens: Probe = {
	what: "process",
	async look(ask) {
		const { status } = await ask("/health", { port: "admin" });
		if (status !== 200 && status !== 503) throw new Error(`answered ${status}`);
		return "answers";
	},
};

const health: Probe = {
	what: "api",
	async look(ask) {
		const { status, body } = await ask("/health", { port: "admin" });
		if (status !== 200) throw new Error(body.trim().split("\n")[0]);
		return "can read and write";
	},
};

/** Keeps something, sees it as everybody would, and throws it away. */
function storage(home: Home): Probe {
	return {
		what: "storage",
		async look(ask) {
			const key = `.look/${randomUUID()}`;
			const words = `looked at ${key}`;
			try {
				await s3(home, ask, { method: "PUT", path: `/${home.host}/${key}`, body: words });
				const seen = await ask(`/${key}`);
				if (seen.body !== words) throw new Error(`what was put there is answered with ${seen.status}`);
			} finally {
				await s3(home, ask, { method: "DELETE", path: `/${home.host}/${key}` });
			}
			if ((await ask(`/${key}`)).status !== 404) throw new Error("what was deleted is still there");
			return "keeps, shows and deletes";
		},
	};
}

async function s3(home: Home, ask: Ask, request: Pick<S3Request, "method" | "path" | "body">): Promise<void> {
	const { host } = new URL(`http://127.0.0.1:${home.port("s3")}`);
	const { status, body } = await askS3(ask, accessWith(await home.secret("key")), {
		...request,
		host,
		now: new Date(),
	});
	if (status >= 300)
		throw new Error(`${request.method} answered ${status}: ${/<Message>(.*?)</.exec(body)?.[1] ?? ""}`);
}
