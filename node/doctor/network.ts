import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { connect as connectPlain, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Config, Listen } from "../config.ts";
import type { Zone } from "../domains/zone.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** The ports we listen on, and those our services get. */
export async function ports(config: Config, running: boolean): Promise<Finding[]> {
	const wanted: [string, Listen | null][] = [
		["web.listen", config.web.listen],
		["operator.metrics", config.operator.metrics],
	];
	const own = wanted.flatMap(([setting, listen]) => (listen ? [portFinding(setting, listen, running)] : []));
	return [...(await Promise.all(own)), await servicePorts(config)];
}

async function portFinding(setting: string, { host, port }: Listen, running: boolean): Promise<Finding> {
	const where = `${host}:${port}`;
	if (running) return good(setting, `The node listens on ${where}`);
	const code = await listenCode(host, port);
	if (code === undefined) return good(setting, `${where} is free`);
	if (code === "EADDRINUSE")
		return bad(
			setting,
			`Another program listens on ${where}`,
			`Stop it (ss -ltnp 'sport = :${port}'), or change ${setting}`,
		);
	if (code === "EACCES")
		return bad(
			setting,
			`${where} needs privileges`,
			`Choose a port above 1023 in ${setting}, with a web server in front`,
		);
	return bad(setting, `${where} cannot be used: ${code}`, `Choose an address of this machine in ${setting}`);
}

function listenCode(host: string, port: number): Promise<string | undefined> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
		server.listen(port, host, () => server.close(() => resolve(undefined)));
	});
}

/** The kernel hands out ports of its own range to outgoing connections, and so could take one of a stopped service. */
async function servicePorts({ engine: { firstPort, lastPort }, web }: Config): Promise<Finding> {
	const check = "engine.first_port";
	const range = `${firstPort} to ${lastPort}`;
	if (web.listen.port >= firstPort && web.listen.port <= lastPort)
		return bad(
			check,
			`The services' ports ${range} include the front door's`,
			"Choose engine.first_port and last_port elsewhere",
		);
	const kernels = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
	const [from = Infinity, to = -Infinity] = kernels.trim().split(/\s+/).filter(Boolean).map(Number);
	if (firstPort <= to && lastPort >= from)
		return warning(
			check,
			`The services' ports ${range} overlap with the kernel's own (${from} to ${to})`,
			`Choose engine.last_port below ${from}`,
		);
	return good(check, `Services get the ports ${range}`);
}

/** Whether this machine finds the panel's name, and in the demo the names below .localhost too. */
export async function names({ web, demo }: Config): Promise<Finding> {
	const host = new URL(web.url).hostname.replace(/^\[(.*)\]$/, "$1");
	const found = await lookup(host, { all: true }).catch(() => []);
	if (found.length > 0) return good("names", `${host} is ${found.map(({ address }) => address).join(", ")}`);
	if (!demo && !host.endsWith(".localhost"))
		return warning(
			"names",
			`${host} is not found in the DNS`,
			"Set its A and AAAA records; customers' domains point at it",
		);
	return warning(
		"names",
		`This machine does not find ${host} by itself; browsers and curl do`,
		"For other programs install libnss-myhostname (Debian) or nss-myhostname, or add the name to /etc/hosts",
	);
}

/** Asks the zone, and sends it a signed update that changes nothing. */
export async function zone(zone: Zone | null | undefined): Promise<Finding | Finding[]> {
	if (!zone) return [];
	const probe = `_fediversity-doctor.${zone.name}`;
	try {
		await zone.look(probe, "TXT");
		await zone.remove([{ type: "TXT", name: probe, value: "nothing", ttl: 60 }]);
		return good("zone", `The name server of ${zone.name} answers and takes our updates`);
	} catch (error) {
		return bad(
			"zone",
			(error as Error).message,
			"Compare zone.server, zone.key_name and zone.key_file with the name server's",
		);
	}
}

/** Whether the mail server greets us (RFC 5321 §4.2); nothing is sent and nobody signs in. */
export async function mailServer(mail: Config["mail"]): Promise<Finding> {
	if (!mail)
		return warning("mail", "No mail server is set, so notices stay in the panel", "Set mail.server and mail.from");
	const url = new URL(mail.server);
	const isTls = url.protocol === "smtps:";
	const port = Number(url.port) || (isTls ? 465 : 587);
	const target = { host: url.hostname, port };
	try {
		const greeting = await firstLine(
			isTls ? connectTls({ ...target, servername: url.hostname }) : connectPlain(target),
		);
		if (greeting.startsWith("220")) return good("mail", `${url.hostname}:${port} answers`);
		return bad("mail", `${url.hostname}:${port} answers “${greeting.slice(0, 80)}”`, "Look into the mail server's log");
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
		return bad("mail", `${url.hostname}:${port} does not answer: ${why}`, "Start it, or correct mail.server");
	}
}

function firstLine(socket: Socket): Promise<string> {
	return new Promise<string>((resolve, reject) => {
		let read = "";
		socket.setTimeout(5000, () => reject(new Error("it says nothing")));
		socket.on("error", reject);
		socket.on("close", () => reject(new Error("it hung up")));
		socket.on("data", (chunk) => {
			read += chunk;
			if (read.includes("\n") || read.length > 512) resolve(read.split("\r")[0] ?? "");
		});
	}).finally(() => socket.destroy());
}
