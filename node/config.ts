import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "smol-toml";

/** Everything a provider can set, checked. Every knob has its default and its unit in `knobs` below. */
export interface Config {
	provider: {
		name: string;
		promise: string;
		place: string;
		terms: string | null;
		help: string | null;
		accent: string | null;
		logo: string | null;
	};
	web: { url: string; listen: Listen; trustProxy: boolean };
	operator: { socket: string; metrics: Listen | null };
	state: { folder: string; cache: string };
	services: { origin: string; addresses: string[]; keepDays: number };
	zone: { name: string; server: string; keyName: string; keyFile: string } | null;
	dns: { resolvers: string[] };
	engine: { kind: "local"; firstPort: number; lastPort: number; memoryMiB: number };
	mail: { server: string; from: string; passwordFile: string | null } | null;
	sessions: { days: number };
	vault: { keyFile: string };
	log: { level: "debug" | "info" | "warning" | "error"; format: "json" | "text" };
	demo: { mailbox: string } | null;
}

export interface Listen {
	host: string;
	port: number;
}

/** All that is wrong with a configuration, at once. */
export class ConfigError extends Error {
	override readonly name = "ConfigError";
	readonly mistakes: readonly string[];
	constructor(mistakes: readonly string[]) {
		super(
			`The configuration has ${mistakes.length} mistake${mistakes.length === 1 ? "" : "s"}:\n  ${mistakes.join("\n  ")}`,
		);
		this.mistakes = mistakes;
	}
}

type Read = (value: unknown) => unknown;
type Knob = readonly [path: string, read: Read, byDefault: unknown, help: string];
const needed = Symbol("needed");

/** TOML path, how it is read, what it is by default, and what it means. `FEDIVERSITY_WEB_URL` overrides `web.url`. */
export const knobs: readonly Knob[] = [
	["provider.name", text, needed, "Your organisation's name"],
	["provider.promise", text, "Your own place in the Fediverse", "One sentence for the front page"],
	["provider.place", text, "", "Where the machines stand, and under which law"],
	["provider.terms", link, null, "Address of your terms"],
	["provider.help", link, null, "Where customers find help"],
	["provider.accent", colour, null, "One colour of yours, #rrggbb"],
	["provider.logo", link, null, "Path or address of your logo"],
	["web.url", origin, needed, "The panel's origin, such as https://north.example"],
	["web.listen", listen, "127.0.0.1:8080", "Address and port of the front door"],
	["web.trust_proxy", flag, false, "Whether X-Forwarded-* of a proxy in front is believed"],
	["operator.socket", text, "node.sock", "The operators' Unix socket; the command line uses it"],
	["operator.metrics", listen, null, "Address and port for /metrics; also on the socket"],
	["state.folder", text, needed, "Where everything is kept; back this up"],
	["state.cache", text, "cache", "Programs that were fetched; can be deleted"],
	["services.origin", text, "https://{host}", "The address of a service, with {host} in it"],
	["services.addresses", list, [], "IP addresses customers point their domains at; none: a CNAME to the panel's host"],
	["services.keep_days", days, 30, "Days a removed deployment is kept before it is erased"],
	["zone.name", text, null, "A zone in which this node sets records itself"],
	["zone.server", text, "127.0.0.1:53", "Its primary name server, for RFC 2136 updates"],
	["zone.key_name", text, "fediversity", "Name of the TSIG key"],
	["zone.key_file", text, "tsig.key", "File with the TSIG key, base64, hmac-sha256"],
	["dns.resolvers", list, [], "Name servers to ask; none: the system's"],
	["engine.kind", oneOf("local"), "local", "What runs the services"],
	["engine.first_port", port, 20000, "First loopback port for services"],
	["engine.last_port", port, 29999, "Last loopback port for services"],
	["engine.memory_mib", whole, 2048, "Most memory for one service, MiB"],
	["mail.server", text, null, "smtp://user@host:port or smtps://…"],
	["mail.from", text, "", "Sender of our mail"],
	["mail.password_file", text, null, "File with the mail account's password"],
	["sessions.days", days, 14, "Days after which an unused session ends"],
	["vault.key_file", text, "vault.key", "File with the master key; made at the first start, 0600"],
	["log.level", oneOf("debug", "info", "warning", "error"), "info", "How much is logged"],
	["log.format", oneOf("json", "text"), "text", "JSON lines, or text for people"],
	["demo.mailbox", text, null, "Where the demo shows the mail it caught"],
];

/** Reads the file and the environment; throws ConfigError with every mistake. Relative paths start at the state folder. */
export function readConfig(file: string | undefined, environment: NodeJS.ProcessEnv): Config {
	const mistakes: string[] = [];
	const written = file ? flatten(parsed(file, mistakes)) : new Map<string, unknown>();
	for (const path of written.keys())
		if (!knobs.some(([known]) => known === path)) mistakes.push(`${path}: there is no such setting`);

	const values = new Map<string, unknown>();
	for (const [path, read, byDefault] of knobs) {
		const given =
			environment[`FEDIVERSITY_${path.replaceAll(".", "_").toUpperCase()}`] ?? written.get(path) ?? byDefault;
		if (given === needed) mistakes.push(`${path}: is missing`);
		else if (given === null) values.set(path, null);
		else
			try {
				values.set(path, read(given));
			} catch (error) {
				mistakes.push(`${path}: ${(error as Error).message}`);
			}
	}
	if (Number(values.get("engine.first_port")) > Number(values.get("engine.last_port")))
		mistakes.push("engine.first_port: is above engine.last_port");
	if (values.get("mail.server") && !values.get("mail.from"))
		mistakes.push("mail.from: is missing, since mail.server is set");
	if (mistakes.length > 0) throw new ConfigError(mistakes);
	return shaped(values, file ? dirname(resolve(file)) : process.cwd());
}

function shaped(values: Map<string, unknown>, base: string): Config {
	const get = <T>(path: string) => values.get(path) as T;
	const folder = resolve(base, get<string>("state.folder"));
	const at = (path: string) => resolve(folder, get<string>(path));
	return {
		provider: {
			name: get("provider.name"),
			promise: get("provider.promise"),
			place: get("provider.place"),
			terms: get("provider.terms"),
			help: get("provider.help"),
			accent: get("provider.accent"),
			logo: get("provider.logo"),
		},
		web: { url: get("web.url"), listen: get("web.listen"), trustProxy: get("web.trust_proxy") },
		operator: { socket: at("operator.socket"), metrics: get("operator.metrics") },
		state: { folder, cache: at("state.cache") },
		services: {
			origin: get("services.origin"),
			addresses: get("services.addresses"),
			keepDays: get("services.keep_days"),
		},
		zone: get("zone.name")
			? {
					name: get("zone.name"),
					server: get("zone.server"),
					keyName: get("zone.key_name"),
					keyFile: at("zone.key_file"),
				}
			: null,
		dns: { resolvers: get("dns.resolvers") },
		engine: {
			kind: get("engine.kind"),
			firstPort: get("engine.first_port"),
			lastPort: get("engine.last_port"),
			memoryMiB: get("engine.memory_mib"),
		},
		mail: get("mail.server")
			? {
					server: get("mail.server"),
					from: get("mail.from"),
					passwordFile: get("mail.password_file") === null ? null : at("mail.password_file"),
				}
			: null,
		sessions: { days: get("sessions.days") },
		vault: { keyFile: at("vault.key_file") },
		log: { level: get("log.level"), format: get("log.format") },
		demo: get("demo.mailbox") ? { mailbox: get("demo.mailbox") } : null,
	};
}

function parsed(file: string, mistakes: string[]): Record<string, unknown> {
	try {
		return parse(readFileSync(file, "utf8"));
	} catch (error) {
		mistakes.push(`${join(file)}: ${(error as Error).message.split("\n")[0]}`);
		return {};
	}
}

function flatten(tree: Record<string, unknown>, before = ""): Map<string, unknown> {
	return new Map(
		Object.entries(tree).flatMap(([name, value]) =>
			typeof value === "object" && value !== null && !Array.isArray(value)
				? [...flatten(value as Record<string, unknown>, `${before}${name}.`)]
				: [[before + name, value] as const],
		),
	);
}

function text(value: unknown): string {
	if (typeof value !== "string") throw new Error("must be a text in quotes");
	return value;
}

function flag(value: unknown): boolean {
	if (value === true || value === "true") return true;
	if (value === false || value === "false") return false;
	throw new Error("must be true or false");
}

function whole(value: unknown): number {
	const number = typeof value === "string" && value !== "" ? Number(value) : value;
	if (!Number.isSafeInteger(number) || (number as number) < 1) throw new Error("must be a whole number above 0");
	return number as number;
}

function days(value: unknown): number {
	const number = whole(value);
	if (number > 3650) throw new Error("must be at most 3650 days");
	return number;
}

function port(value: unknown): number {
	const number = whole(value);
	if (number > 65535) throw new Error("must be a port from 1 to 65535");
	return number;
}

function list(value: unknown): string[] {
	const items = typeof value === "string" ? value.split(",").map((item) => item.trim()) : value;
	if (!Array.isArray(items) || !items.every((item) => typeof item === "string"))
		throw new Error("must be a list of texts");
	return items;
}

function origin(value: unknown): string {
	const url = URL.parse(text(value));
	if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.username)
		throw new Error("must be an origin such as https://north.example, without a path");
	return url.origin;
}

function link(value: unknown): string {
	const address = text(value);
	if (!address.startsWith("/") && !/^https?:$/.test(URL.parse(address)?.protocol ?? ""))
		throw new Error("must be a path beginning with / or an http(s) address");
	return address;
}

function colour(value: unknown): string {
	if (!/^#[0-9a-f]{6}$/i.test(text(value))) throw new Error("must be a colour such as #0a6e5c");
	return text(value);
}

function listen(value: unknown): Listen {
	const found = /^(.*):(\d+)$/.exec(text(value));
	if (!found || Number(found[2]) > 65535) throw new Error("must be an address and a port such as 127.0.0.1:8080");
	return { host: found[1]?.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1", port: Number(found[2]) };
}

function oneOf(...choices: string[]): Read {
	return (value) => {
		if (!choices.includes(String(value))) throw new Error(`must be one of ${choices.join(", ")}`);
		return value;
	};
}
