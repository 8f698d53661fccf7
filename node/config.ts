import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "smol-toml";
import {
	addressAndPort,
	addresses,
	colour,
	days,
	flag,
	type Listen,
	link,
	listen,
	mailServer,
	meant,
	name,
	oneOf,
	origin,
	originPattern,
	origins,
	port,
	type Read,
	secureAddress,
	text,
	whole,
} from "./setting.ts";

export type { Listen };

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
		jurisdiction: string;
		price: string;
		backups: string;
		exitDays: number | null;
		exitCharge: string;
	};
	web: { url: string; listen: Listen; listenTls: Listen | null; trustProxy: boolean };
	certificates: { directory: string; email: string; caFile: string | null } | null;
	operator: { socket: string; metrics: Listen | null };
	state: { folder: string; cache: string };
	services: { origin: string; addresses: string[]; front: string; keepDays: number };
	migrations: {
		freezeSeconds: number;
		accept: "open" | "listed" | "none";
		byHand: boolean;
		largestGiB: number | null;
		movesEach: number | null;
		gibADayEach: number | null;
	};
	peers: { known: string[]; learn: boolean; listed: boolean };
	zone: { name: string; server: string; keyName: string; keyFile: string } | null;
	dns: { resolvers: string[] };
	engine: {
		kind: "local" | "nixops4";
		firstPort: number;
		lastPort: number;
		memoryMiB: number;
		/** What runs NixOps4, and what it runs with. */
		program: string;
		root: string | null;
		keyFile: string;
		system: string;
		runMinutes: number;
		webPort: number;
		customerSsh: boolean;
	};
	storage: { admin: string; tokenFile: string; endpoint: string; region: string } | null;
	mail: { server: string; from: string; passwordFile: string | null } | null;
	sessions: { days: number };
	vault: { keyFile: string };
	log: { level: "debug" | "info" | "warning" | "error"; format: "json" | "text" };
	demo: { mailbox: string } | null;
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

type Knob = readonly [path: string, read: Read, byDefault: unknown, help: string];
const needed = Symbol("needed");

/** TOML path, how it is read, what it is by default, and what it means. `FEDIVERSITY_WEB_URL` overrides `web.url`. */
export const knobs: readonly Knob[] = [
	["provider.name", name, needed, "Your organisation's name"],
	["provider.promise", text, "Your own place in the Fediverse", "One sentence for the front page"],
	["provider.place", text, "", "Where the machines stand, and under which law"],
	["provider.terms", link, null, "Address of your terms"],
	["provider.help", link, null, "Where customers find help"],
	["provider.accent", colour, null, "One colour of yours, #rrggbb"],
	["provider.logo", link, null, "Path or address of your logo"],
	["provider.jurisdiction", text, "", "By which law you are bound, for the offer sheet"],
	["provider.price", text, "", "What it costs, for the offer sheet"],
	["provider.backups", text, "", "What you back up, how often and for how long, for the offer sheet"],
	["provider.exit_days", whole, null, "Days of notice before a customer moves away; none: not told"],
	["provider.exit_charge", text, "", "What moving away costs, for the offer sheet"],
	["web.url", origin, needed, "The panel's origin, such as https://north.example"],
	["web.listen", listen, "127.0.0.1:8080", "Address and port of the front door"],
	["web.listen_tls", listen, null, "Address and port for HTTPS with our own certificates; web.listen then leads there"],
	["web.trust_proxy", flag, false, "Whether X-Forwarded-* of a proxy in front is believed"],
	[
		"certificates.directory",
		secureAddress,
		null,
		"ACME directory of a certificate authority whose terms you accept; none: TLS ends in a proxy in front",
	],
	["certificates.email", text, "", "Where that authority may write to"],
	["certificates.ca_file", text, null, "PEM file with another root that its own server may be known by"],
	["operator.socket", text, "node.sock", "The operators' Unix socket; the command line uses it"],
	["operator.metrics", listen, null, "Address and port for /metrics; also on the socket"],
	["state.folder", name, needed, "Where everything is kept; back this up"],
	["state.cache", text, "cache", "Programs that were fetched; can be deleted"],
	["services.origin", originPattern, "https://{host}", "The address of a service, with {host} in it"],
	[
		"services.addresses",
		addresses,
		[],
		"IP addresses customers point their domains at; none: a CNAME to the panel's host",
	],
	[
		"services.front",
		origin,
		null,
		"Where other nodes hand on requests for services that moved here; none: the panel's",
	],
	["services.keep_days", days, 30, "Days a removed deployment is kept before it is erased"],
	["migrations.freeze_seconds", whole, 900, "How long services may rest while they move, before they serve here again"],
	[
		"migrations.accept",
		oneOf("open", "listed", "none"),
		"open",
		"From which nodes deployments are taken; listed: peer allow",
	],
	["migrations.by_hand", flag, false, "Whether staff confirms each offer: fediversity move list"],
	["migrations.largest_gib", whole, null, "Most a deployment that moves in may hold, GiB; none: what its voucher says"],
	["migrations.moves_each", whole, null, "Most moves from one node at a time; none: any number"],
	["migrations.gib_a_day_each", whole, null, "Most that comes from one node in a day, GiB; none: any amount"],
	["peers.known", origins, [], "Origins of other nodes to know; peer add does the same"],
	["peers.learn", flag, true, "Whether nodes are also learnt of from customers' tokens and from other nodes"],
	["peers.listed", flag, true, "Whether others may show this node: its offer sheet is public"],
	["zone.name", name, null, "A zone in which this node sets records itself"],
	["zone.server", addressAndPort, "127.0.0.1:53", "Its primary name server, for RFC 2136 updates"],
	["zone.key_name", text, "fediversity", "Name of the TSIG key"],
	["zone.key_file", text, "tsig.key", "File with the TSIG key, base64, hmac-sha256"],
	["dns.resolvers", addresses, [], "Name servers to ask; none: the system's"],
	[
		"engine.kind",
		oneOf("local", "nixops4"),
		"local",
		"What runs the services: processes of this machine, or NixOS machines",
	],
	["engine.first_port", port, 20000, "First loopback port for services"],
	["engine.last_port", port, 29999, "Last loopback port for services"],
	["engine.memory_mib", whole, 2048, "Most memory for one service of this machine, MiB"],
	["engine.program", text, "nixops4", "The program nixops4: a path, or a name on PATH"],
	["engine.root", text, null, "Folder with the Nix code of deployments; none: this package's nix/nixops4"],
	["engine.key_file", text, "machines.key", "SSH key with which this node gets to its machines"],
	["engine.system", oneOf("x86_64-linux", "aarch64-linux"), "x86_64-linux", "What the machines are"],
	["engine.run_minutes", whole, 120, "Most that one run of NixOps4 may take, minutes"],
	["engine.web_port", port, 80, "Where the machines' web servers listen for this node"],
	[
		"engine.customer_ssh",
		flag,
		false,
		"Whether customers may sign in to their machine with the SSH keys of their account, without any power there",
	],
	["storage.admin", origin, null, "Administration address of a Garage for all deployments; none: each has its own"],
	["storage.token_file", text, "garage.token", "File with its administration token"],
	["storage.endpoint", origin, null, "Where machines reach it by S3; none: storage.admin"],
	["storage.region", text, "garage", "Its S3 region"],
	["mail.server", mailServer, null, "smtp://user@host:port or smtps://…; the password is in a file"],
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
	const written = file ? flatten(parsed(file)) : new Map<string, unknown>();
	const mistakes = [...unknownSettings(written.keys()), ...unknownVariables(environment)];

	const values = new Map<string, unknown>();
	for (const [path, read, byDefault] of knobs) {
		const given = environment[variable(path)] ?? written.get(path) ?? byDefault;
		if (given === needed) mistakes.push(`${path}: is missing`);
		else if (given === null) values.set(path, null);
		else
			try {
				values.set(path, read(given));
			} catch (error) {
				mistakes.push(
					`${environment[variable(path)] === undefined ? path : variable(path)}: ${(error as Error).message}`,
				);
			}
	}
	if (Number(values.get("engine.first_port")) > Number(values.get("engine.last_port")))
		mistakes.push("engine.first_port: is above engine.last_port");
	if (values.get("web.listen_tls") && !values.get("certificates.directory"))
		mistakes.push("certificates.directory: is missing, since web.listen_tls is set");
	if (values.get("mail.server") && !values.get("mail.from"))
		mistakes.push("mail.from: is missing, since mail.server is set");
	if (mistakes.length > 0) throw new ConfigError(mistakes);
	return shaped(values, file ? dirname(resolve(file)) : process.cwd());
}

function variable(path: string): string {
	return `FEDIVERSITY_${path.replaceAll(".", "_").toUpperCase()}`;
}

function unknownSettings(written: Iterable<string>): string[] {
	const known = knobs.map(([path]) => path);
	return [...written]
		.filter((path) => !known.includes(path))
		.map((path) =>
			known.some((other) => other.startsWith(`${path}.`))
				? `${path}: is a section; write [${path}] and its settings below`
				: `${path}: there is no such setting${didYouMean(path, known)}`,
		);
}

/** Only names that begin like a section of ours: other programs may have variables beginning with FEDIVERSITY_ too. */
function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
	const known = knobs.map(([path]) => variable(path));
	const sections = new Set(knobs.map(([path]) => variable(path.slice(0, path.indexOf(".") + 1))));
	return Object.keys(environment)
		.filter((name) => [...sections].some((section) => name.startsWith(section)) && !known.includes(name))
		.map((name) => `${name}: there is no such setting${didYouMean(name, known)}`);
}

function didYouMean(word: string, known: readonly string[]): string {
	const found = meant(word, known);
	return found ? `; did you mean ${found}?` : "";
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
			jurisdiction: get("provider.jurisdiction"),
			price: get("provider.price"),
			backups: get("provider.backups"),
			exitDays: get("provider.exit_days"),
			exitCharge: get("provider.exit_charge"),
		},
		web: {
			url: get("web.url"),
			listen: get("web.listen"),
			listenTls: get("web.listen_tls"),
			trustProxy: get("web.trust_proxy"),
		},
		certificates: get("certificates.directory")
			? {
					directory: get("certificates.directory"),
					email: get("certificates.email"),
					caFile: get("certificates.ca_file") === null ? null : at("certificates.ca_file"),
				}
			: null,
		operator: { socket: reachable(at("operator.socket")), metrics: get("operator.metrics") },
		state: { folder, cache: at("state.cache") },
		services: {
			origin: get("services.origin"),
			addresses: get("services.addresses"),
			front: get<string | null>("services.front") ?? get("web.url"),
			keepDays: get("services.keep_days"),
		},
		migrations: {
			freezeSeconds: get("migrations.freeze_seconds"),
			accept: get("migrations.accept"),
			byHand: get("migrations.by_hand"),
			largestGiB: get("migrations.largest_gib"),
			movesEach: get("migrations.moves_each"),
			gibADayEach: get("migrations.gib_a_day_each"),
		},
		peers: { known: get("peers.known"), learn: get("peers.learn"), listed: get("peers.listed") },
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
			program: get("engine.program"),
			root: get("engine.root"),
			keyFile: at("engine.key_file"),
			system: get("engine.system"),
			runMinutes: get("engine.run_minutes"),
			webPort: get("engine.web_port"),
			customerSsh: get("engine.customer_ssh"),
		},
		storage: get("storage.admin")
			? {
					admin: get("storage.admin"),
					tokenFile: at("storage.token_file"),
					endpoint: get<string | null>("storage.endpoint") ?? get("storage.admin"),
					region: get("storage.region"),
				}
			: null,
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

function parsed(file: string): Record<string, unknown> {
	try {
		return parse(readFileSync(file, "utf8"));
	} catch (error) {
		throw new ConfigError([`${file}: ${(error as Error).message.trim()}`]);
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

/**
 * The path a Unix socket can really have: the kernel takes 107 bytes, on macOS 103, so a longer one
 * becomes a short one made from its hash. It depends on nothing else, so the command line finds it too.
 */
export function reachable(socket: string): string {
	if (Buffer.byteLength(socket) <= 100) return socket;
	return join("/tmp", `fediversity-${createHash("sha256").update(socket).digest("hex").slice(0, 20)}.sock`);
}
