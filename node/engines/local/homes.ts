import { globSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, lchown, mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { userFor } from "./confine.ts";
import { freePort, isFree, type PortRange } from "./ports.ts";
import type { UserRange } from "./powers.ts";
import { Turns } from "./turns.ts";

/** What the node remembers of one service's place on this machine. Written down in `unit.json` beside its state. */
export interface HomeRecord {
	readonly id: string;
	readonly ports: Readonly<Record<string, number>>;
	/** The number of its own user; null: the node's own. */
	readonly user: number | null;
	/** Stands for the text of its configuration files; null: they have not been made yet. */
	readonly settings: string | null;
	/** Whether its first account has been made. */
	readonly account: boolean;
}

/** The folders of all services on this machine, `<folder>/<deployment>/<service>/{unit.json,state,log}`. */
export class Homes {
	readonly #folder: string;
	readonly #ports: PortRange;
	readonly #users: UserRange | null;
	readonly #seed: string;
	readonly #records: Map<string, HomeRecord>;
	/** Choosing a port and writing down that it is taken must not be torn apart by another choice. */
	readonly #choosing = new Turns();

	/** Makes the folder and reads every record in it. `seed` is the node's id. */
	constructor(options: { folder: string; ports: PortRange; users: UserRange | null; seed: string }) {
		this.#folder = options.folder;
		this.#ports = options.ports;
		this.#users = options.users;
		this.#seed = options.seed;
		// Services' own users must be able to get to their folders, not to list what there is.
		mkdirSync(this.#folder, { recursive: true, mode: 0o711 });
		this.#records = new Map(readRecords(this.#folder).map((record) => [record.id, record]));
	}

	get(id: string): HomeRecord | undefined {
		return this.#records.get(id);
	}

	state(id: string): string {
		return join(this.#folder, safe(id), "state");
	}

	log(id: string): string {
		return join(this.#folder, safe(id), "log", "service.log");
	}

	/** The record and folder of a service, made the first time. */
	open(id: string, ports: readonly string[]): Promise<HomeRecord> {
		return this.#choosing.take("", async () => {
			await mkdir(join(this.#folder, safe(id)), { recursive: true, mode: 0o711 });
			await mkdir(this.state(id), { recursive: true, mode: 0o700 });
			const known = this.#records.get(id);
			const record = known ?? (await this.#made(id, ports));
			const user = record.user ?? this.#freeUser(id);
			if (user === null) await chmod(this.state(id), 0o700);
			else if (!known || user !== record.user) await handOver(this.state(id), user);
			return known && user === record.user ? record : this.change(record, { user });
		});
	}

	/** Gives a folder of one home to another that has none there yet, both opened before. */
	async passOn(path: string, from: string, to: string): Promise<void> {
		const [here, there] = [join(this.state(from), path), join(this.state(to), path)];
		const user = this.#records.get(to)?.user ?? null;
		if (!statSync(here, { throwIfNoEntry: false }) || statSync(there, { throwIfNoEntry: false })) return;
		if (user !== null) await handOver(here, user);
		await rename(here, there);
	}

	/** Writes a changed record down, whole or not at all; answers it. */
	async change(record: HomeRecord, change: Partial<Omit<HomeRecord, "id">>): Promise<HomeRecord> {
		const changed = { ...record, ...change };
		const file = join(this.#folder, safe(record.id), "unit.json");
		const handle = await open(`${file}.new`, "w", 0o600);
		try {
			await handle.writeFile(JSON.stringify(changed, null, "\t"));
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(`${file}.new`, file);
		this.#records.set(record.id, changed);
		return changed;
	}

	/** Gives other ports in place of those that somebody else listens on by now. Only while the service is stopped. */
	withFreePorts(record: HomeRecord): Promise<HomeRecord> {
		return this.#choosing.take("", async () => {
			const ports: Record<string, number> = {};
			for (const [name, port] of Object.entries(record.ports))
				ports[name] = (await isFree(port)) ? port : await this.#freePort(`${record.id}/${name}`, Object.values(ports));
			const same = Object.entries(ports).every(([name, port]) => record.ports[name] === port);
			return same ? record : this.change(record, { ports });
		});
	}

	/** Removes everything of a service from this machine and looks that it is gone. Twice is fine. */
	async erase(id: string): Promise<void> {
		const home = join(this.#folder, safe(id));
		await rm(home, { recursive: true, force: true });
		const left = statSync(home, { throwIfNoEntry: false });
		if (left) throw new Error(`${home} is still there after it was removed`);
		this.#records.delete(id);
		// The deployment's folder, once it is empty.
		await rmdir(dirname(home)).catch(() => {});
	}

	/** The services that have a home here. */
	get ids(): readonly string[] {
		return [...this.#records.keys()];
	}

	/** Removes every deployment of this kind, also what is there of one that was cut off while it was made. */
	async eraseDeployments(belongs: (deployment: string) => boolean): Promise<void> {
		const names = (await readdir(this.#folder)).filter(belongs);
		for (const name of names) await rm(join(this.#folder, name), { recursive: true, force: true });
		for (const id of this.#records.keys()) if (names.includes(dirname(id))) this.#records.delete(id);
	}

	async #made(id: string, names: readonly string[]): Promise<HomeRecord> {
		const ports: Record<string, number> = {};
		for (const name of names) ports[name] = await this.#freePort(`${id}/${name}`, Object.values(ports));
		return { id, ports, user: null, settings: null, account: false };
	}

	#freeUser(id: string): number | null {
		const taken = [...this.#records.values()].map(({ user }) => user).filter((user) => user !== null);
		return this.#users && userFor(`${this.#seed}/${id}`, this.#users, new Set(taken));
	}

	#freePort(what: string, besides: readonly number[] = []): Promise<number> {
		const taken = [...this.#records.values()].flatMap((record) => Object.values(record.ports));
		return freePort(this.#ports, new Set([...taken, ...besides]), `${this.#seed}/${what}`);
	}
}

/** Gives a folder and all in it to a user. Links are not followed: they may lead anywhere. */
async function handOver(folder: string, user: number): Promise<void> {
	for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), user, user);
	await chown(folder, user, user);
}

/** Ids become folder names, so they may hold nothing that leads elsewhere. */
function safe(id: string): string {
	if (!/^[A-Za-z0-9_-]+\/[a-z0-9-]+$/.test(id)) throw new Error(`${JSON.stringify(id)} cannot be a unit's id`);
	return id;
}

function readRecords(folder: string): HomeRecord[] {
	return globSync("*/*/unit.json", { cwd: folder }).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
}
