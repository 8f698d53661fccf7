import { domainToASCII, domainToUnicode } from "node:url";
import { getLogger } from "@logtape/logtape";
import type { z } from "zod";
import type { DomainView, RecordsView } from "#protocol/api/domain.ts";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import type { PageAsk } from "../store/page.ts";
import { type Claim, Claims } from "./claims.ts";
import { checkedDomain, zoneOf } from "./domain.ts";
import { elsewhere } from "./elsewhere.ts";
import type { Lookup } from "./lookup.ts";
import {
	type NeededRecord,
	type Ownership,
	ownershipIn,
	ownershipName,
	ownershipRecord,
	recordsFor,
	type ServiceHost,
} from "./records.ts";
import { type Verdict, verdicts } from "./verdict.ts";
import type { DnsRecord, Zone } from "./zone.ts";
import { ZoneLookup } from "./zone-lookup.ts";

const log = getLogger(["fediversity", "domains"]);

export interface DomainsParts {
	/** The zones in which this node sets records itself. */
	readonly zones: readonly Zone[];
	/** Asks about everybody else's. */
	readonly lookup: Lookup;
	/** Where services are reached; none: wherever the panel is. */
	readonly addresses: readonly string[];
	/** The panel's host name, without a port. */
	readonly panelHost: string;
	/** This node's actor, as the ownership record names it. */
	readonly actor: string;
	readonly now: () => number;
}

const day = 86_400_000;

/** How long somebody holds a name in one of our zones without services. Elsewhere the DNS says whose a domain is. */
const grace = 7 * day;

/** The domains of all customers: whose they are, which records they need, and that those are set. */
export class Domains {
	readonly #claims: Claims;
	readonly #parts: DomainsParts;

	constructor(db: Database, parts: DomainsParts) {
		this.#claims = new Claims(db, parts.now);
		this.#parts = parts;
	}

	/**
	 * Makes a domain one of the customer's; adding it again changes nothing. Throws the `domain-*` problems, and
	 * `domain-taken` for a name in our zones that another customer holds. In other zones several may try: the DNS decides.
	 */
	add(customer: string, text: string): z.infer<typeof DomainView> {
		const { domain } = checkedDomain(text, this.#surroundings());
		const isOurs = this.#zone(domain) !== undefined;
		return this.#viewOf(isOurs ? this.#claims.addAndHold(customer, domain, grace) : this.#claims.add(customer, domain));
	}

	/**
	 * Whether a name in one of our zones is still to be had, before anybody adds it: throws `domain-elsewhere` when
	 * another node serves it and `domain-is-reserved` when the provider uses it otherwise. Says nothing of other zones.
	 */
	async checkFree(text: string): Promise<void> {
		const { domain } = checkedDomain(text, this.#surroundings());
		const zone = this.#zone(domain);
		if (zone) await this.#standing(zone, domain);
	}

	/** Throws `domain-unknown` for a domain that is not the customer's. */
	get(customer: string, text: string): z.infer<typeof DomainView> {
		return this.#viewOf(this.#claims.get(customer, plain(text)));
	}

	/** Newest first. */
	page(customer: string, ask: PageAsk): Page<z.infer<typeof DomainView>> {
		const { items, next } = this.#claims.page(customer, ask);
		return { items: items.map((claim) => this.#viewOf(claim)), next };
	}

	/** Forgets a domain without services; throws `domain-busy` while it has some. */
	async remove(customer: string, text: string): Promise<void> {
		const claim = this.#claims.get(customer, plain(text));
		this.#claims.remove(customer, claim.domain);
		try {
			await this.#zone(claim.domain)?.remove([this.#ownership(claim)]);
		} catch (error) {
			log.warning("The ownership record of {domain} may still stand: {error}", { domain: claim.domain, error });
		}
	}

	/** The records that these hosts need, and how each of them is now. Never throws for what the DNS does. */
	async recordsView(
		customer: string,
		text: string,
		hosts: readonly ServiceHost[],
	): Promise<z.infer<typeof RecordsView>> {
		const claim = this.#claims.get(customer, plain(text));
		const zone = this.#zone(claim.domain);
		const records = this.#records(claim, hosts);
		const found = await verdicts(records, zone ? new ZoneLookup(zone, this.#parts.now) : this.#parts.lookup);
		const ready = zone ? this.#strangerIn(found[0]) === undefined : found.every(({ state }) => state === "right");
		return {
			domain: claim.domain,
			managed: zone !== undefined,
			ready,
			records: records.map((record, n) => recordView(record, found[n])),
		};
	}

	/**
	 * Whether a deployment may begin: in our zones the name must be the customer's and free, elsewhere every record must be
	 * right already (`domain-not-pointed`), which proves whose the domain is. Throws `domain-taken` and `domain-elsewhere` too.
	 */
	async checkPointed(customer: string, domain: string, hosts: readonly ServiceHost[]): Promise<void> {
		const claim = this.#claims.get(customer, domain);
		const zone = this.#zone(domain);
		if (!zone) return this.#prove(claim, hosts);
		this.#claims.hold(customer, domain, grace);
		await this.#standing(zone, domain);
	}

	/** Sets the records of these hosts where we can, or makes sure that they are right. Doing it again changes nothing. */
	async publish(customer: string, domain: string, hosts: readonly ServiceHost[]): Promise<void> {
		const claim = this.#claims.get(customer, domain);
		const zone = this.#zone(domain);
		if (!zone) return this.#prove(claim, hosts);
		this.#claims.hold(customer, domain, grace);
		const mine = (await this.#standing(zone, domain)) ?? this.#ownership(claim).value;
		await zone.set(this.#records(claim, hosts), { name: ownershipName(domain), mine });
	}

	/** Takes back what `publish` set, and only that: records that somebody else has set since stay. */
	async withdraw(customer: string, domain: string, hosts: readonly ServiceHost[]): Promise<void> {
		const claim = this.#claims.find(customer, domain);
		const zone = this.#zone(domain);
		if (!claim || !zone) return;
		const ownership = this.#ownership(claim);
		const records = [ownership, ...(await Promise.all(hosts.map(({ host }) => everythingAt(host, zone)))).flat()];
		await zone.remove(records, { name: ownership.name, mine: ownership.value });
		this.#claims.renew(customer, domain);
	}

	/** Whether this node sets the domain's records itself. */
	manages(domain: string): boolean {
		return this.#zone(domain) !== undefined;
	}

	/** In which epoch this node serves a domain of the customer's. */
	epochOf(customer: string, domain: string): number {
		return this.#claims.get(customer, domain).epoch;
	}

	/** Where the DNS says whose a domain is, and what stands there while it is this customer's here. */
	guardOf(customer: string, domain: string): { name: string; mine: string } {
		const { name, value } = this.#ownership(this.#claims.get(customer, domain));
		return { name, mine: value };
	}

	/** A domain in its one spelling; throws the `domain-*` problems for a name that can be nobody's. */
	checked(text: string): string {
		return checkedDomain(text, this.#surroundings()).domain;
	}

	/** Which node serves a domain, as its DNS says now; undefined: it says nothing of it. */
	async serving(domain: string): Promise<Ownership | undefined> {
		const texts = await this.#ownershipTexts(domain);
		return texts.map(ownershipIn).find((ownership) => ownership !== undefined);
	}

	/**
	 * Makes a domain one of the customer's whose services are on their way here: claimed, not held, since another node still
	 * serves it. Answers the records it will need from then on. A second call answers the same.
	 */
	expect(customer: string, domain: string, hosts: readonly ServiceHost[], epoch: number): NeededRecord[] {
		checkedDomain(domain, this.#surroundings());
		this.#claims.add(customer, domain);
		return this.#records(this.#claims.raise(customer, domain, epoch), hosts);
	}

	/** Whether a domain is one of the customer's already. */
	isClaimed(customer: string, domain: string): boolean {
		return this.#claims.find(customer, domain) !== undefined;
	}

	/** What was expected does not come; the domain is the customer's no more. Twice is fine. */
	unexpect(customer: string, domain: string): void {
		this.#claims.drop(customer, domain);
	}

	/**
	 * The old node's part where it holds the zone: our ownership record becomes the other node's, together with the
	 * addresses of the hosts, in one update and only while ours stands. Doing it again changes nothing.
	 */
	async handOver(domain: string, records: readonly DnsRecord[]): Promise<void> {
		const theirs = records.find(({ name, type }) => type === "TXT" && name === ownershipName(domain));
		const zone = this.#zone(domain);
		if (!zone || !theirs) return;
		const texts = await zone.look(theirs.name, "TXT");
		const mine = texts.find((text) => text === theirs.value || this.#isOurs(text)) ?? theirs.value;
		await setAtLast(zone, records, theirs, mine);
	}

	/**
	 * The new node's part: where we hold the zone, the record that names `from` becomes ours in the next epoch, together with
	 * the addresses. Elsewhere it throws until the DNS says so: `domain-awaited` while the record still names `from`, or
	 * while we wait for somebody to set it (`at last`). Another node's name there is `domain-elsewhere`.
	 * Doing it again changes nothing.
	 */
	async takeOver(
		customer: string,
		domain: string,
		hosts: readonly ServiceHost[],
		from: string,
		how: "certain" | "at last",
	): Promise<void> {
		const claim = this.#claims.get(customer, domain);
		const zone = this.#zone(domain);
		const own = this.#ownership(claim);
		const texts = await this.#ownershipTexts(domain);
		const isTheirs = (text: string) => {
			const found = ownershipIn(text);
			return found?.actor === from && found.epoch < claim.epoch;
		};
		if (!zone) {
			const stranger = texts.find((text) => ownershipIn(text) && text !== own.value && !isTheirs(text));
			if (how === "certain" && stranger !== undefined) throw elsewhere(own.name, stranger);
			if (!texts.includes(own.value)) throw new Problem("domain-awaited", { domain });
			this.#claims.hold(customer, domain, 0);
			return;
		}
		const mine = texts.find((text) => text === own.value || isTheirs(text)) ?? own.value;
		await setAtLast(zone, this.#records(claim, hosts), own, mine);
		this.#claims.hold(customer, domain, 0);
	}

	/**
	 * The old node's part when the new one has refused after all: where we hold the zone, whatever the two of us have written
	 * becomes ours in an epoch after both. Doing it again changes nothing.
	 */
	async takeBack(
		customer: string,
		domain: string,
		hosts: readonly ServiceHost[],
		theirs: readonly DnsRecord[],
	): Promise<void> {
		const zone = this.#zone(domain);
		if (!zone) return;
		const name = ownershipName(domain);
		const before = this.#ownership(this.#claims.get(customer, domain)).value;
		const given = theirs.find((record) => record.type === "TXT" && record.name === name);
		const epoch = (given && ownershipIn(given.value)?.epoch) || 1;
		const claim = this.#claims.raise(customer, domain, epoch + 1);
		const texts = await zone.look(name, "TXT");
		const own = this.#ownership(claim);
		const mine = texts.find((text) => text === own.value || text === before || text === given?.value) ?? own.value;
		await setAtLast(zone, this.#records(claim, hosts), own, mine);
	}

	/**
	 * For a node brought back from a backup: the record that names it becomes its own in the next epoch, `epoch`, so that
	 * whatever it has agreed to and forgotten can never apply. Throws while the record does not say so: `domain-elsewhere` when
	 * it names another node, `domain-awaited` where somebody else must set it. Doing it again changes nothing.
	 */
	async reclaim(customer: string, domain: string, hosts: readonly ServiceHost[], epoch: number): Promise<void> {
		const claim = this.#claims.get(customer, domain);
		const [before, own] = [epoch - 1, epoch].map((epoch) => this.#ownership({ ...claim, epoch }).value);
		const texts = await this.#ownershipTexts(domain);
		const zone = this.#zone(domain);
		if (zone) {
			const mine = texts.find((text) => text === own || text === before) ?? own ?? "";
			const records = this.#records({ ...claim, epoch }, hosts);
			await setAtLast(zone, records, this.#ownership({ ...claim, epoch }), mine);
			this.#claims.raise(customer, domain, epoch);
			return;
		}
		const stranger = texts.find((text) => ownershipIn(text) && text !== own && text !== before);
		if (stranger !== undefined) throw elsewhere(ownershipName(domain), stranger);
		// From now on the panel asks for this one.
		this.#claims.raise(customer, domain, epoch);
		if (own === undefined || !texts.includes(own)) throw new Problem("domain-awaited", { domain });
	}

	async #ownershipTexts(domain: string): Promise<readonly string[]> {
		const name = ownershipName(domain);
		const zone = this.#zone(domain);
		if (zone) return zone.look(name, "TXT");
		const [verdict] = await verdicts(
			[{ type: "TXT", name, value: "", ttl: 0, purpose: "ownership" }],
			this.#parts.lookup,
		);
		return verdict?.seen ?? [];
	}

	/** The DNS shows whose claim is the right one; from then on the domain is theirs alone. */
	async #prove(claim: Claim, hosts: readonly ServiceHost[]): Promise<void> {
		const { customer, domain } = claim;
		const found = await verdicts(this.#records(claim, hosts), this.#parts.lookup);
		const stranger = this.#strangerIn(found[0]);
		if (stranger !== undefined) throw elsewhere(ownershipName(domain), stranger);
		if (found[0]?.state === "right") this.#claims.hold(customer, domain, 0);
		if (found.some(({ state }) => state !== "right")) throw new Problem("domain-not-pointed", { domain });
	}

	/** Our own ownership record of a name in our zone, from this claim or an earlier one. Throws when the name is not free. */
	async #standing(zone: Zone, domain: string): Promise<string | undefined> {
		const [texts, ...others] = await Promise.all(
			(["TXT", "A", "AAAA", "CNAME"] as const).map((type) =>
				zone.look(type === "TXT" ? ownershipName(domain) : domain, type),
			),
		);
		const stranger = texts?.find((text) => !this.#isOurs(text));
		if (stranger !== undefined) throw elsewhere(ownershipName(domain), stranger);
		if (others.flat().length > 0) throw new Problem("domain-is-reserved", { domain });
		return texts?.[0];
	}

	/** The ownership record of another node among what was seen. */
	#strangerIn(verdict: Verdict | undefined): string | undefined {
		return verdict?.seen.find((text) => ownershipIn(text) && !this.#isOurs(text));
	}

	#isOurs = (text: string) => ownershipIn(text)?.actor === this.#parts.actor;

	#records(claim: Claim, hosts: readonly ServiceHost[]): NeededRecord[] {
		return recordsFor({ ...this.#parts, ...claim, hosts });
	}

	#ownership(claim: Claim): NeededRecord {
		return ownershipRecord({ ...claim, actor: this.#parts.actor });
	}

	#surroundings() {
		return { zones: this.#parts.zones.map(({ name }) => name), panelHost: this.#parts.panelHost };
	}

	#zone(domain: string): Zone | undefined {
		const name = zoneOf(domain, this.#surroundings().zones);
		return this.#parts.zones.find((zone) => zone.name === name);
	}

	#viewOf({ domain, deployment, addedAt }: Claim): z.infer<typeof DomainView> {
		const managed = this.#zone(domain) !== undefined;
		const unicode = domainToUnicode(domain);
		return { domain, unicode, managed, deployment, addedAt: new Date(addedAt).toISOString() };
	}
}

/** Both nodes may hold the zone and set the same records at once; who comes second finds them as they should be. */
async function setAtLast(zone: Zone, records: readonly DnsRecord[], wanted: DnsRecord, mine: string): Promise<void> {
	try {
		await zone.set(records, { name: wanted.name, mine });
	} catch (error) {
		const isRace = error instanceof Problem && error.code === "domain-elsewhere";
		if (!isRace || !(await zone.look(wanted.name, "TXT")).includes(wanted.value)) throw error;
		await zone.set(records, { name: wanted.name, mine: wanted.value });
	}
}

/** As `checkedDomain` would have it, for a domain that is looked for and not added. */
const plain = (text: string) => domainToASCII(text.trim()).toLowerCase().replace(/\.$/, "");

async function everythingAt(name: string, zone: Zone): Promise<DnsRecord[]> {
	const types = ["A", "AAAA", "CNAME"] as const;
	const values = await Promise.all(types.map((type) => zone.look(name, type)));
	return types.flatMap((type, n) => (values[n] ?? []).map((value) => ({ type, name, value, ttl: 0 })));
}

function recordView({ type, name, value, ttl, purpose }: NeededRecord, verdict: Verdict | undefined) {
	const { state, seen, server, at } = verdict ?? { state: "unknown" as const, seen: [], server: null, at: null };
	const checkedAt = at === null ? null : new Date(at).toISOString();
	return { type, name, value, ttl, purpose, state, seen: [...seen], server, checkedAt };
}
