/**
 * Test equipment: makes a machine of straw what a plan says, as the switch to another NixOS does on a real one. The plan and
 * what has been made for it come on its input; the machine's folder is the argument.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { DeclaredPlace, DeclaredService } from "../../../node/agent/declaration.ts";
import type { Room } from "../../../node/engines/local/depot.ts";
import { serviceNamed } from "../../../node/services/catalogue.ts";

const [folder = ""] = process.argv.slice(2);
const at = (...names: string[]) => join(folder, ...names);
const { rooms } = JSON.parse(readFileSync(at("straw.json"), "utf8")) as { rooms: string };
const { plan, resources } = JSON.parse(readFileSync(0, "utf8"));
const programs = import.meta.dirname;

// For tests: what goes wrong on this machine.
if (existsSync(at("slow"))) await new Promise((later) => setTimeout(later, Number(readFileSync(at("slow"), "utf8"))));
if (existsSync(at("broken"))) {
	console.error(readFileSync(at("broken"), "utf8"));
	process.exit(1);
}

const ports = read<Record<string, number>>("ports.json", {});
const services: Record<string, DeclaredService> = {};
const web: Record<string, number> = {};
for (const [name, { hosts, owner }] of Object.entries<{ hosts: string[]; owner: { username: string } }>(
	plan.mode === "absent" ? {} : plan.services,
)) {
	const key = `${plan.deployment}/${name}`;
	for (const { path } of Object.values<{ path: string }>(resources[name].secrets))
		if (!existsSync(here(path))) throw new Error(`There is no ${path} on this machine`);
	ports[key] ??= await freePort();
	const volumes = await volumesOf(name, key);
	const called = `straw-${plan.deployment}-${name}`;
	const [units, account] = [[`${called}.service`], `${called}-owner.service`];
	const health = { url: `http://127.0.0.1:${ports[key]}/`, status: 200, host: hosts[0] ?? "" };
	services[key] = { units, volumes, account, health };
	for (const host of hosts) web[host] = ports[key];
	const secrets = Object.fromEntries(
		Object.entries<{ path: string }>(resources[name].secrets).map(([secret, { path }]) => [secret, here(path)]),
	);
	const settings = at(`${called}.json`);
	write(settings, { service: name, port: ports[key], volumes, secrets, username: owner.username });
	mkdirSync(at("units"), { recursive: true });
	writeFileSync(at("units", units[0] ?? ""), `exec '${process.execPath}' '${programs}/service.mjs' '${settings}'\n`);
	writeFileSync(at("units", account), `exec '${process.execPath}' '${programs}/owner.mjs' '${settings}'\n`);
}
const before = read<{ state: string; services: Record<string, DeclaredService> }>("agent.json", {
	...{ state: at("state"), services: {} },
});
write(at("ports.json"), ports);
write(at("agent.json"), { state: before.state, services });
write(at("web.json"), web);

for (const [key, { units, account, volumes }] of Object.entries(before.services)) {
	if (services[key]) continue;
	systemctl("stop", ...units);
	for (const unit of [...units, account ?? ""]) rmSync(at("units", unit), { force: true });
	for (const [volume, { kind }] of Object.entries(volumes))
		if (kind === "postgres" || kind === "bucket") await asked("DELETE", kind, `${key}/${volume}`);
	rmSync(at("volumes", key), { recursive: true, force: true });
}
for (const [key, { units, account }] of Object.entries(services)) {
	if (existsSync(at("state/frozen", key))) continue;
	systemctl("start", ...units);
	systemctl("start", account ?? "");
}
console.log(`switched to ${Object.keys(services).join(", ") || "nothing"}`);

/** As the catalogue says, which is all that engine and node know. */
async function volumesOf(service: string, key: string): Promise<Record<string, DeclaredPlace>> {
	const volumes: Record<string, DeclaredPlace> = {};
	for (const { name, kind } of serviceNamed(service)?.volumes ?? [])
		if (kind === "directory" || kind === "sqlite") {
			mkdirSync(at("volumes", key, kind === "directory" ? name : "."), { recursive: true });
			volumes[name] = { kind, path: at("volumes", key, name) };
		} else if (kind !== "secret")
			volumes[name] = declared(await asked("POST", kind, `${key}/${name}`), `${plan.deployment}-${service}-${name}`);
	return volumes;
}

function declared(room: Room, name: string): DeclaredPlace {
	if (room.kind === "postgres") {
		const { password: _, ...rest } = room;
		return rest;
	}
	const { accessKeyId, secretAccessKey, ...rest } = room;
	writeFileSync(at(`${name}-id`), accessKeyId, { mode: 0o600 });
	writeFileSync(at(`${name}-key`), secretAccessKey, { mode: 0o600 });
	return { ...rest, accessKeyIdFile: at(`${name}-id`), secretAccessKeyFile: at(`${name}-key`) };
}

async function asked(method: string, kind: string, volume: string): Promise<Room> {
	const name = encodeURIComponent(`${folder} ${volume}`);
	const answer = await fetch(`${rooms}/${kind}?volume=${name}`, { method });
	if (!answer.ok) throw new Error(await answer.text());
	return (await answer.json()) as Room;
}

/** On a real machine secrets lie where their resources say. */
function here(path: string): string {
	return path.replace(/^\/var\/lib\/fediversity/, at("state"));
}

function systemctl(verb: string, ...units: string[]): void {
	const { status, stderr } = spawnSync(at("bin/systemctl"), [verb, "--", ...units], { encoding: "utf8" });
	if (status !== 0) throw new Error(`systemctl ${verb} ${units.join(" ")}: ${stderr}`);
}

function read<Content>(name: string, none: Content): Content {
	return existsSync(at(name)) ? (JSON.parse(readFileSync(at(name), "utf8")) as Content) : none;
}

function write(file: string, content: object): void {
	writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
	renameSync(`${file}.new`, file);
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	const { port } = server.address() as { port: number };
	await new Promise((closed) => server.close(closed));
	return port;
}
