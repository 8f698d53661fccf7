import { Problem } from "#protocol/problem.ts";
import { parseKey } from "../customers/ssh-key.ts";
import { type Database, isDuplicate } from "../store/database.ts";
import { type Carrying, type Machine, mistakesIn, type Needs, type Typed } from "./machine.ts";

interface Row {
	id: string;
	address: string;
	public_address: string | null;
	port: number;
	user: string;
	host_key: string;
	system: string;
	memory_mib: number;
	disk_gib: number;
	state: Machine["state"];
	created_at: number;
	deployment: string | null;
}

const withReservation = "SELECT machine.*, deployment FROM machine LEFT JOIN machine_reservation ON machine = id";

/**
 * All machines of this provider, and which deployment has which. A whole machine belongs to one deployment: what NixOps4
 * switches is a machine's whole system, and so nobody shares memory, disk or kernel with another customer.
 */
export class Machines {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** Throws `not-valid` with what is wrong, and `machine-taken`. */
	add(wish: Omit<Machine, "state" | "createdAt">): Carrying {
		const { id, port, user, system, memoryMiB, diskGiB } = wish;
		const { hostKey, mistakes } = checked(wish);
		if (mistakes.length > 0) throw new Problem("not-valid", {}, { errors: mistakes });
		const address = wish.address.toLowerCase();
		const publicAddress = wish.publicAddress?.toLowerCase() ?? null;
		const now = this.#now();
		try {
			this.#db.run(
				`INSERT INTO machine (id, address, public_address, port, user, host_key, system, memory_mib, disk_gib, created_at)
				 VALUES ($id, $address, $publicAddress, $port, $user, $hostKey, $system, $memoryMiB, $diskGiB, $now)`,
				{ id, address, publicAddress, port, user, hostKey, system, memoryMiB, diskGiB, now },
			);
		} catch (error) {
			if (isDuplicate(error)) throw new Problem("machine-taken", { machine: `${id}, ${address}:${port}` });
			throw error;
		}
		return this.get(id);
	}

	/** Throws `not-found`. */
	get(id: string): Carrying {
		const row = this.#db.get<Row>(`${withReservation} WHERE id = $id`, { id });
		if (!row) throw new Problem("not-found");
		return machineOf(row);
	}

	/** By name. */
	all(): readonly Carrying[] {
		return this.#db.all<Row>(`${withReservation} ORDER BY id`).map(machineOf);
	}

	/** What is left out stays. Draining, it keeps what it carries and takes nothing more. Throws `not-found` and `not-valid`. */
	change(
		id: string,
		change: { state?: Machine["state"] | undefined; publicAddress?: string | null | undefined },
	): Carrying {
		const before = this.get(id);
		const { state = before.state, publicAddress = before.publicAddress } = change;
		const { mistakes } = checked({ ...before, publicAddress });
		if (mistakes.length > 0) throw new Problem("not-valid", {}, { errors: mistakes });
		const values = { id, state, publicAddress: publicAddress?.toLowerCase() ?? null };
		this.#db.run("UPDATE machine SET state = $state, public_address = $publicAddress WHERE id = $id", values);
		return this.get(id);
	}

	/** Forgets one that carries nothing. Throws `not-found` and `machine-carries`. */
	remove(id: string): void {
		this.#db.transaction(() => {
			if (this.get(id).deployment !== null) throw new Problem("machine-carries", { machine: id, count: 1 });
			this.#db.run("DELETE FROM machine WHERE id = $id", { id });
		});
	}

	/** The machine that a deployment has; undefined: none. */
	of(deployment: string): Machine | undefined {
		const row = this.#db.get<Row>(`${withReservation} WHERE deployment = $deployment`, { deployment });
		return row && machineOf(row);
	}

	/**
	 * A machine for this deployment alone, the same one when asked again. The smallest that is large enough, so that large
	 * ones are left for those who need them. Throws `machines-full`.
	 */
	reserve(deployment: string, { memoryMiB, diskMiB, system }: Needs): Machine {
		return this.#db.transaction(() => {
			const known = this.of(deployment);
			if (known) return known;
			const row = this.#db.get<Row>(
				`${withReservation} WHERE deployment IS NULL AND state = 'open' AND system = $system
				 AND memory_mib >= $memoryMiB AND disk_gib * 1024 >= $diskMiB ORDER BY memory_mib, disk_gib, id LIMIT 1`,
				{ system, memoryMiB, diskMiB },
			);
			if (!row) throw new Problem("machines-full", { memory: memoryMiB, disk: Math.ceil(diskMiB / 1024), system });
			this.#db.run("INSERT INTO machine_reservation (deployment, machine, at) VALUES ($deployment, $machine, $now)", {
				...{ deployment, machine: row.id, now: this.#now() },
			});
			return machineOf({ ...row, deployment });
		});
	}

	/** The machine is free again. Twice is fine. */
	release(deployment: string): void {
		this.#db.run("DELETE FROM machine_reservation WHERE deployment = $deployment", { deployment });
	}
}

function checked(wish: Typed & Pick<Machine, "hostKey">) {
	const mistakes = Object.entries(mistakesIn(wish)).map(([field, detail]) => ({ pointer: `/${field}`, detail }));
	try {
		return { hostKey: parseKey(wish.hostKey).key, mistakes };
	} catch (error) {
		return { hostKey: "", mistakes: [...mistakes, { pointer: "/hostKey", detail: (error as Error).message }] };
	}
}

function machineOf(row: Row): Carrying {
	const { id, address, public_address, port, user, host_key, system, memory_mib, disk_gib, state } = row;
	return {
		...{ id, address, publicAddress: public_address, port, user, system, state, hostKey: host_key },
		...{ memoryMiB: memory_mib, diskGiB: disk_gib, createdAt: row.created_at, deployment: row.deployment },
	};
}
