import { createSecureContext, type SecureContext } from "node:tls";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";
import type { Authority } from "./authority.ts";
import type { Standing, Wanted } from "./certificate.ts";
import { backOff, type Certificate, type Challenge, type ChallengePlace, covers, isDue } from "./certificate.ts";
import type { Pending } from "./obtain.ts";

export interface CertificatesParts {
	readonly db: Database;
	readonly vault: Vault;
	readonly now: () => number;
	/** Who gives them; null: nobody, since TLS ends in front of this node. Its code is loaded with the first order. */
	readonly authority: ((accountKey: () => Promise<string>) => Promise<Authority>) | null;
	/** Whose certificates are kept good. */
	wanted(): readonly Wanted[];
	/** Whether what is kept of a domain may still be needed. */
	isKept(domain: string): boolean;
	/** Where challenges of a domain can be set here; undefined: nowhere. */
	place(domain: string): ChallengePlace | undefined;
	/** Waits until challenges can be seen everywhere, as far as that can be told. */
	settled(challenges: readonly Challenge[], signal: AbortSignal): Promise<void>;
}

interface Row {
	domain: string;
	hosts: string;
	begins_at: number | null;
	ends_at: number | null;
	failures: number;
	next_at: number;
	problem: string | null;
}

const log = getLogger(["fediversity", "certificates"]);

/** The certificates of all domains that this node serves: got by dns-01, kept good, and their keys sealed in the vault. */
export class Certificates {
	readonly #parts: CertificatesParts;
	/** At most one order for a domain at a time. */
	readonly #orders = new Map<string, Promise<void>>();
	readonly #closing = new AbortController();
	#authority: Promise<Authority> | undefined;
	#contexts: Promise<Map<string, SecureContext>> | undefined;

	constructor(parts: CertificatesParts) {
		this.#parts = parts;
	}

	/** Whether there is anybody to get certificates from. */
	get isOn(): boolean {
		return this.#parts.authority !== null;
	}

	/** Whether an order for a domain could be answered here, with what can be set at `elsewhere` if not. */
	canOrder(domain: string): boolean {
		return this.isOn && this.#parts.place(domain) !== undefined;
	}

	/**
	 * Sees to it that there is a good certificate for these hosts; nothing is ordered while there is one. Who asks for a
	 * domain that is being ordered waits for that. Challenges are set where we hold the zone, or else at `elsewhere`.
	 * Throws the `certificate-*` problems.
	 */
	async order(wanted: Wanted, elsewhere?: ChallengePlace): Promise<void> {
		const { domain, hosts } = wanted;
		const under = this.#orders.get(domain);
		if (under) await under.catch(() => {});
		const standing = this.standing(domain);
		if (standing && covers(standing, hosts) && !isDue(standing, this.#parts.now())) return;
		const again = this.#orders.get(domain);
		if (again) return again;
		const order = this.#order(wanted, elsewhere).finally(() => this.#orders.delete(domain));
		this.#orders.set(domain, order);
		return order;
	}

	/** One after the other: what is wanted, due and not put off. Never throws for what an authority or a zone does. */
	async round(): Promise<void> {
		await this.#forgetUnwanted();
		if (!this.isOn) return;
		for (const wanted of this.#parts.wanted()) {
			if (this.#closing.signal.aborted) return;
			const standing = this.standing(wanted.domain);
			if (!this.canOrder(wanted.domain) || (standing && standing.nextAt > this.#parts.now())) continue;
			await this.order(wanted).catch((error) => {
				if (!(error instanceof Problem)) throw error;
			});
		}
	}

	standing(domain: string): Standing | undefined {
		const row = this.#parts.db.get<Row>("SELECT * FROM certificate WHERE domain = $domain", { domain });
		return row && standingOf(row);
	}

	standings(): Standing[] {
		return this.#parts.db.all<Row>("SELECT * FROM certificate ORDER BY domain").map(standingOf);
	}

	/** What to show to who comes by TLS for this host; undefined: there is nothing for it. */
	async contextFor(host: string): Promise<SecureContext | undefined> {
		this.#contexts ??= this.#load();
		return (await this.#contexts).get(host);
	}

	/** Puts off what is under way; the next start goes on with it. */
	async close(): Promise<void> {
		this.#closing.abort(new Problem("cancelled"));
		await Promise.allSettled(this.#orders.values());
	}

	async #order(wanted: Wanted, elsewhere: ChallengePlace | undefined): Promise<void> {
		const { domain } = wanted;
		try {
			const place = this.#parts.place(domain) ?? elsewhere;
			if (!place || !this.#parts.authority) throw new Problem("certificate-zone", { domain });
			await this.#obtain({ domain, hosts: [...wanted.hosts].sort() }, place);
			log.info("{domain} has a new certificate", { domain });
		} catch (error) {
			if (!this.#closing.signal.aborted) this.#failed(domain, error);
			throw error;
		}
	}

	async #obtain(wanted: Wanted, place: ChallengePlace): Promise<void> {
		const { vault, settled } = this.#parts;
		const { obtain } = await import("./obtain.ts");
		const name = `certificate-orders/${wanted.domain}`;
		const kept = await vault.get(name);
		const certificate = await obtain({
			...{ authority: await this.#open(), wanted, place, settled, signal: this.#closing.signal },
			pending: kept === undefined ? undefined : (JSON.parse(kept) as Pending),
			remember: (pending) => vault.put(name, JSON.stringify(pending)),
		});
		await this.#keep(certificate);
		await vault.remove(name);
	}

	/** The key and its certificate are one secret, so that they are never of two minds. */
	async #keep(certificate: Certificate): Promise<void> {
		const { db, vault } = this.#parts;
		const { domain, hosts, beginsAt, endsAt } = certificate;
		await vault.put(`certificates/${domain}`, JSON.stringify(certificate));
		db.run(
			`INSERT INTO certificate (domain, hosts, begins_at, ends_at) VALUES ($domain, $hosts, $beginsAt, $endsAt)
			 ON CONFLICT (domain) DO UPDATE SET hosts = $hosts, begins_at = $beginsAt, ends_at = $endsAt,
				failures = 0, next_at = 0, problem = NULL`,
			{ domain, hosts: JSON.stringify(hosts), beginsAt, endsAt },
		);
		this.#contexts = undefined;
	}

	#failed(domain: string, error: unknown): void {
		const { db, now } = this.#parts;
		const failures = (this.standing(domain)?.failures ?? 0) + 1;
		const told = error instanceof Problem && error.code === "certificate-later" ? Number(error.params.seconds) : 0;
		const nextAt = now() + Math.max(backOff(failures), told * 1000);
		const problem = (error as Error).message;
		log.warning("No certificate for {domain}: {problem}", { domain, problem });
		db.run(
			`INSERT INTO certificate (domain, failures, next_at, problem) VALUES ($domain, $failures, $nextAt, $problem)
			 ON CONFLICT (domain) DO UPDATE SET failures = $failures, next_at = $nextAt, problem = $problem`,
			{ domain, failures, nextAt, problem },
		);
	}

	/** Keys of domains that are gone from here are not kept. */
	async #forgetUnwanted(): Promise<void> {
		const { db, vault, isKept } = this.#parts;
		for (const { domain } of this.standings().filter((one) => !isKept(one.domain) && !this.#orders.has(one.domain))) {
			await vault.remove(`certificates/${domain}`);
			await vault.remove(`certificate-orders/${domain}`);
			db.run("DELETE FROM certificate WHERE domain = $domain", { domain });
			this.#contexts = undefined;
		}
	}

	#open(): Promise<Authority> {
		const { authority, vault } = this.#parts;
		if (!authority) throw new Error("No authority is configured");
		this.#authority ??= authority(() => vault.obtain("certificate-account", newKey));
		return this.#authority;
	}

	async #load(): Promise<Map<string, SecureContext>> {
		const contexts = new Map<string, SecureContext>();
		for (const { domain, endsAt } of this.standings()) {
			const kept = endsAt === null ? undefined : await this.#parts.vault.get(`certificates/${domain}`);
			if (kept === undefined) continue;
			const { hosts, key, chain } = JSON.parse(kept) as Certificate;
			const context = createSecureContext({ key, cert: chain, minVersion: "TLSv1.2" });
			for (const host of hosts) contexts.set(host, context);
		}
		return contexts;
	}
}

async function newKey(): Promise<string> {
	const { generateKeyPairSync } = await import("node:crypto");
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function standingOf({ begins_at: beginsAt, ends_at: endsAt, next_at: nextAt, hosts, ...row }: Row): Standing {
	return { ...row, beginsAt, endsAt, nextAt, hosts: JSON.parse(hosts) as string[] };
}
