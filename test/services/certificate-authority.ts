/** A real certificate authority for tests: Let's Encrypt's pebble, which validates by a name server of ours. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cache } from "../contracts/tiny/world.ts";

const built = join(cache, "pebble/pebble");
const onPath = (program: string) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;

export const hasPebble = (existsSync(built) || onPath("pebble")) && onPath("openssl");

export interface TestAuthority {
	readonly directory: string;
	/** The root that its own server's certificate comes from, PEM. */
	readonly ca: string;
	/** The root and what is between it and the certificates that it gives. */
	issuers(): Promise<string>;
	/** Ends it with all it knows. */
	close(): Promise<void>;
}

/** Starts one that asks the name server on this port. `life`: how long its certificates are good, seconds. */
export async function startAuthority(dns: number, { life = 7_776_000 } = {}): Promise<TestAuthority> {
	const folder = mkdtempSync(join(tmpdir(), "pebble-"));
	const [port, management] = await Promise.all([freePort(), freePort()]);
	const [certificate, privateKey] = [join(folder, "cert.pem"), join(folder, "key.pem")];
	execFileSync(
		"openssl",
		[
			...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
			...["-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", privateKey, "-out", certificate],
		],
		{ stdio: "ignore" },
	);
	const pebble = {
		...{ listenAddress: `127.0.0.1:${port}`, managementListenAddress: `127.0.0.1:${management}` },
		...{ certificate, privateKey, httpPort: 5002, tlsPort: 5001, domainBlocklist: ["blocked.garden.test"] },
		...{ keyAlgorithm: "ecdsa", profiles: { default: { description: "Usual", validityPeriod: life } } },
	};
	writeFileSync(join(folder, "config.json"), JSON.stringify({ pebble }));
	const run = spawn(
		existsSync(built) ? built : "pebble",
		["-strict", "-config", join(folder, "config.json"), "-dnsserver", `127.0.0.1:${dns}`],
		// Some nonces are turned down, as a busy authority may do.
		{ stdio: "ignore", env: { PATH: process.env.PATH, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "15" } },
	);
	const ca = readFileSync(certificate, "utf8");
	await listens(run, port);
	await listens(run, management);
	const fetched = async (path: string) => {
		const asked = get(`https://127.0.0.1:${management}${path}`, { ca });
		const [answer] = (await once(asked, "response")) as [IncomingMessage];
		return Buffer.concat(await answer.toArray()).toString();
	};
	return {
		directory: `https://127.0.0.1:${port}/dir`,
		ca,
		issuers: async () => (await fetched("/roots/0")) + (await fetched("/intermediates/0")),
		async close() {
			const ended = once(run, "exit");
			if (run.exitCode === null && run.kill()) await ended;
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

async function listens(run: ChildProcess, port: number): Promise<void> {
	const { connect } = await import("node:net");
	for (;;) {
		if (run.exitCode !== null) throw new Error(`pebble ended with ${run.exitCode}`);
		const socket = connect(port, "127.0.0.1");
		const isOpen = await Promise.race([
			once(socket, "connect").then(() => true),
			once(socket, "close").then(() => false),
		]).catch(() => false);
		socket.destroy();
		if (isOpen) return;
		await pause(50);
	}
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}
