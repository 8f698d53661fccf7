import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Exit } from "../commands/terminal.ts";
import type { DemoProvider } from "./providers.ts";

/** What the demo remembers between its starts. */
export interface Remembered {
	/** The front door's port: it is part of every service's address. */
	readonly port: number;
	/** The process that holds it all together, and when it was started, so that a later one with its number is no match. */
	readonly supervisor: { pid: number; started: string };
	/** Where each node listens, behind the front door: other nodes hand on requests to it, also after a restart. */
	readonly listens: Partial<Record<DemoProvider["key"], number>>;
	/** A voucher of each provider, to be shown again as long as nobody has used it. */
	readonly vouchers: Partial<Record<DemoProvider["key"], { id: string; code: string }>>;
}

/** The demo's folder: what lies where in it. */
export class DemoState {
	readonly folder: string;
	/** Names this demo on this machine: its processes carry it. */
	readonly id: string;
	readonly #file: string;

	constructor(folder: string) {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		this.folder = realpathSync(folder);
		this.id = `demo-${createHash("sha256").update(this.folder).digest("hex").slice(0, 16)}`;
		this.#file = join(this.folder, "demo.json");
	}

	/** Undefined before the first start. */
	get remembered(): Remembered | undefined {
		try {
			return JSON.parse(readFileSync(this.#file, "utf8")) as Remembered;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
			throw error;
		}
	}

	/** Whole or not at all, also when the power goes; for us alone, since vouchers are in it. */
	remember(change: Partial<Remembered>): void {
		const draft = `${this.#file}.${process.pid}`;
		const next = { vouchers: {}, listens: {}, ...this.remembered, ...change };
		writeFileSync(draft, `${JSON.stringify(next, null, "\t")}\n`, { mode: 0o600, flush: true });
		renameSync(draft, this.#file);
	}

	folderOf({ key }: Pick<DemoProvider, "key">): string {
		return join(this.folder, key);
	}

	configOf(provider: Pick<DemoProvider, "key">): string {
		return join(this.folderOf(provider), "node.toml");
	}

	logOf(provider: Pick<DemoProvider, "key">): string {
		return join(this.folderOf(provider), "node.log");
	}

	get zoneFile(): string {
		return join(this.folder, "zone.json");
	}

	get mailFile(): string {
		return join(this.folder, "mail.jsonl");
	}

	/** The secret that a provider signs its updates of the zone with; made at the first start, then always the same. */
	tsigKeyOf(provider: Pick<DemoProvider, "key">): string {
		const file = join(this.folderOf(provider), "tsig.key");
		mkdirSync(this.folderOf(provider), { recursive: true, mode: 0o700 });
		try {
			writeFileSync(file, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
		return readFileSync(file, "utf8").trim();
	}

	/** Everything but the folder itself is gone afterwards. A folder that holds something else is left alone. */
	erase(): void {
		const names = readdirSync(this.folder);
		if (names.length > 0 && !names.includes("demo.json"))
			throw new Exit("usage", `${this.folder} is no demo's folder; nothing in it was erased`);
		for (const name of names) rmSync(join(this.folder, name), { recursive: true, force: true });
	}
}
