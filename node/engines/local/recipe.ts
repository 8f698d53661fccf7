import type { Place } from "../../volumes/volume.ts";
import type { Ability, PlannedService, Report } from "../engine.ts";
import type { Depot } from "./depot.ts";

/**
 * How the local engine runs one service. A recipe only describes: the engine does the work, so a recipe has no state of
 * its own and each of its functions may run again at any time, also after a run that was cut off half way.
 */
export interface Recipe {
	/** The service's name in the catalogue. */
	readonly service: string;
	/** Names of the loopback ports it listens on; each gets a free one. The gateway speaks HTTP to the first. */
	readonly ports: readonly [string, ...string[]];
	/** What is the customer's and moves with the deployment. */
	readonly volumes: readonly RecipeVolume[];
	/** Folders in `home.state` that take long to fill and hold nothing of the customer's: one from a trial is kept. */
	readonly lasting?: readonly string[];
	/** Usual and longest time from start to the first good answer, in seconds. */
	readonly ready: { readonly usually: number; readonly atMost: number };
	readonly stop: { readonly signal: "SIGTERM" | "SIGINT" | "SIGQUIT"; readonly seconds: number };

	/** Whether it can run here, and if not what would help. Quick and without network: every page of the catalogue asks. */
	able(shop: Workshop): Promise<Ability>;
	/** The program if it is there already; without network. Undefined: `obtain` comes first. */
	find(shop: Workshop): Promise<Program | undefined>;
	/** Gets the program from where it is published. A second call finds it there. */
	obtain(shop: Workshop, report: Report): Promise<Program>;
	/** Usual time `obtain` takes, in seconds. */
	readonly obtainSeconds: number;
	/** What makes a program print its version, where `find` does not know it; quick, and it succeeds. */
	versionCommand?(program: Program): readonly [string, ...string[]];

	/**
	 * Makes its files say what `home` says, while it is stopped or running. Files that differ are replaced and the engine
	 * then restarts it, so write only through `hands.write` and write the same text for the same `home`.
	 */
	configure(home: Home, hands: Hands): Promise<void>;
	/**
	 * What can only be arranged while it runs, such as its first store: done after every start, before anybody is let in.
	 * For services that keep such things in their state.
	 */
	furnish?(home: Home, hands: Hands): Promise<void>;
	/** What to run. Pure; the same `home` gives the same command, else a running service would be restarted. */
	command(home: Home): Command;
	/** How to see that it works. The first says whether it is ready; all of them must hold for it to be well. */
	probes(home: Home): readonly Probe[];
	/** The first account, for services that have one. */
	readonly account?: Account;
}

/** In the service's own folder, at a path relative to `home.state`; or at a server beside it. Secrets are in the vault. */
export type RecipeVolume =
	| { readonly name: string; readonly kind: "directory" | "sqlite" | "secret"; readonly path: string }
	| { readonly name: string; readonly kind: "postgres" | "bucket"; readonly depot: Depot };

/** A program on this machine. */
export interface Program {
	/** Full path of the file to run. */
	readonly path: string;
	/** Folder that the service's own user must be able to read, such as the one in the cache; none for /usr and the like. */
	readonly folder?: string;
	/** What it needs in its environment wherever it runs, such as where its libraries lie. */
	readonly env?: Readonly<Record<string, string>>;
	readonly version?: string;
}

/** Where programs come from. Works as the node's own user, away from any service's state. */
export interface Workshop {
	/** Fetched programs, shared by all services and readable for all; may be deleted while nothing runs. */
	readonly cache: string;
	readonly platform: NodeJS.Platform;
	/** The full path of a program on this machine's search path. */
	which(program: string): Promise<string | undefined>;
	/** Runs a program to its end and answers its output; its lines go to the report. Throws if it fails or is aborted. */
	run(command: readonly [string, ...string[]], report: Report, options?: RunOptions): Promise<string>;
	/**
	 * The folder `<cache>/<name>`, filled once: `fill` works in a scratch folder beside it that takes the name when all is
	 * done, so what is there is whole. A second call answers at once; two at a time share one `fill`.
	 */
	keep(name: string, fill: (folder: string) => Promise<void>): Promise<string>;
	/** `<cache>/<name>` if it is there and whole. */
	kept(name: string): Promise<string | undefined>;
}

export interface RunOptions {
	/** What it reads on its standard input; the way for secrets. */
	readonly input?: string;
	/** Added to a small clean environment. Only its own user and root can read it. */
	readonly env?: Readonly<Record<string, string>>;
	readonly folder?: string;
	/** Its output is not logged, because it holds a secret. */
	readonly quiet?: boolean;
	/** Is told each line of its output instead of the report's log. */
	line?(line: string): void;
}

/** One service of one deployment, as its recipe sees it. */
export interface Home extends PlannedService {
	readonly deployment: string;
	readonly domain: string;
	/** The main host name, without a port; `origin` is what people use. */
	readonly host: string;
	/** The folder that is the service's own: nobody else can read it, and it is made before `configure`. */
	readonly state: string;
	readonly program: Program;
	/** The port with this name; without a name the first. */
	port(name?: string): number;
	/** Where a volume is, with the key to it where there is one: that belongs into files that `hands` write, and nowhere else. */
	place(volume: string): Promise<Place>;
	/** A secret of this service from the vault, 64 hexadecimal digits made at random the first time. */
	secret(name: string): Promise<string>;
}

/** What a recipe works with inside a home: everything here happens as the service's own user. */
export interface Hands {
	readonly report: Report;
	/** Runs a program to its end in `home.state` and answers its output. Throws if it fails or is aborted. */
	run(command: readonly [string, ...string[]], options?: RunOptions): Promise<string>;
	/** Makes a file hold this text, whole or not at all, mode 0600, folders made as needed; path relative to `home.state`. */
	write(path: string, contents: string): Promise<void>;
	/** A file's text; undefined if there is none. */
	read(path: string): Promise<string | undefined>;
	/** As `home.secret`. */
	secret(name: string): Promise<string>;
	ask: Ask;
}

/** Asks the running service over loopback, with the Host header that the gateway would send. */
export type Ask = (path: string, request?: Request) => Promise<Answer>;

export interface Request {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	/** Name of the port; without it the first. */
	readonly port?: string;
}

export interface Answer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: string;
}

/** What is started and kept running. Nothing secret may stand in it. */
export interface Command {
	readonly argv: readonly [string, ...string[]];
	readonly env?: Readonly<Record<string, string>>;
	/** Gives it a /dev/shm of its own, for programs that meet others there by name. */
	readonly ownSharedMemory?: boolean;
	readonly limits?: { readonly files?: number; readonly processes?: number };
	/** Folders besides the program's and its state that it must be able to read, such as the one of an interpreter. */
	readonly reads?: readonly string[];
}

/** One look at a running service. */
export interface Probe {
	/** What is looked at, such as `page`, `api` or `account`. */
	readonly what: string;
	/** Answers what was seen, in a few words; throws what is wrong. */
	look(ask: Ask): Promise<string>;
}

export interface Account {
	/** Whether its program must be stopped or running while accounts are changed. */
	readonly while: "running" | "stopped";
	/** Makes the first account with this password. If the account is there already, nothing changes. */
	create(home: Home, password: string, hands: Hands): Promise<void>;
	setPassword(home: Home, password: string, hands: Hands): Promise<void>;
}
