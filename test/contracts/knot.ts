/** A real name server for tests: Knot DNS as Debian has it, on a loopback port of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasKnot = existsSync("/usr/sbin/knotd");

export interface KnotKey {
	readonly name: string;
	readonly secret: string;
	/** Names that it may change, and what is below; none: all. */
	readonly only?: readonly string[];
}

export interface Knot {
	readonly port: number;
	readonly server: string;
	close(): Promise<void>;
}

/** Serves one zone with a name server and nothing else in it; answers when it takes connections. */
export async function startKnot(
	zone: string,
	keys: readonly KnotKey[],
	{ address = "127.0.0.1", port = 0, lines = [] as string[] } = {},
): Promise<Knot> {
	const folder = mkdtempSync(join(tmpdir(), "knot-"));
	const chosen = port || (await freePort());
	writeFileSync(join(folder, "knot.conf"), configuration(folder, zone, keys, `${address}@${chosen}`));
	writeFileSync(
		join(folder, "zone"),
		[
			`${zone}. 300 SOA ns.${zone}. host.${zone}. 1 3600 600 86400 60`,
			`${zone}. 300 NS ns.${zone}.`,
			`ns.${zone}. 300 A ${address}`,
			...lines,
			"",
		].join("\n"),
	);
	const child = spawn("/usr/sbin/knotd", ["-c", join(folder, "knot.conf")], { stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	child.stdout.on("data", (chunk) => (said += chunk));
	child.stderr.on("data", (chunk) => (said += chunk));
	const ended = once(child, "exit");
	await Promise.race([
		until(() => said.includes("server started")),
		ended.then(() => Promise.reject(new Error(`knotd ended: ${said}`))),
	]);
	return {
		port: chosen,
		server: `${address}:${chosen}`,
		async close() {
			child.kill("SIGTERM");
			await ended;
			rmSync(folder, { recursive: true });
		},
	};
}

function configuration(folder: string, zone: string, keys: readonly KnotKey[], listen: string): string {
	const key = ({ name, secret }: KnotKey) => `  - id: ${name}\n    algorithm: hmac-sha256\n    secret: ${secret}`;
	const acl = ({ name, only }: KnotKey) =>
		`  - id: ${name}\n    key: ${name}\n    action: update` +
		(only
			? `\n    update-owner: name\n    update-owner-match: sub-or-equal\n    update-owner-name: [${only.join(", ")}]`
			: "");
	return `server:
  rundir: ${folder}
  listen: ${listen}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stdout
    any: info
database:
  storage: ${folder}
key:
${keys.map(key).join("\n")}
acl:
${keys.map(acl).join("\n")}
zone:
  - domain: ${zone}
    storage: ${folder}
    file: zone
    acl: [${keys.map(({ name }) => name).join(", ")}]
`;
}

/** A port nobody listens on, for TCP and UDP, as far as one can know. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}

async function until(true_: () => boolean) {
	while (!true_()) await new Promise((resolve) => setTimeout(resolve, 20));
}
