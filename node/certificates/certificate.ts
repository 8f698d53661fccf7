/** What a certificate is here, and when it is time for the next one. */

/** A certificate that this node may show, and its key. */
export interface Certificate {
	/** It is kept under this name; all its hosts are this one or below it. */
	readonly domain: string;
	readonly hosts: readonly string[];
	/** PKCS #8, PEM. */
	readonly key: string;
	/** The certificate and those between it and a root, PEM. */
	readonly chain: string;
	/** From when to when it is good, ms. */
	readonly beginsAt: number;
	readonly endsAt: number;
}

/** What there is to know of a domain's certificate besides its key. Times in ms. */
export interface Standing {
	readonly domain: string;
	/** Of the certificate there is; none: it was ordered in vain so far. */
	readonly hosts: readonly string[];
	readonly beginsAt: number | null;
	readonly endsAt: number | null;
	/** How often in a row it could not be had, when it is tried for next, and why. */
	readonly failures: number;
	readonly nextAt: number;
	readonly problem: string | null;
}

/** Whose certificate is wanted. */
export interface Wanted {
	readonly domain: string;
	readonly hosts: readonly string[];
}

/** What an authority wants to find in the DNS: a TXT value at `_acme-challenge.<host>` (RFC 8555 §8.4). */
export interface Challenge {
	readonly host: string;
	readonly value: string;
}

/** Where challenges can be set for a domain: in a zone of ours, or at the node that holds it. */
export interface ChallengePlace {
	/** Sets all of them; each host's RRset becomes exactly these values. Again changes nothing. */
	publish(challenges: readonly Challenge[]): Promise<void>;
	/** Removes exactly these; those already gone are no error. */
	withdraw(challenges: readonly Challenge[]): Promise<void>;
}

const day = 86_400_000;
const hour = 3_600_000;

/** The DNS name of a host's challenge. */
export const challengeName = (host: string): string => `_acme-challenge.${host}`;

/** Whether it is time for another one: 30 days before the end, or in the last third of a life shorter than 90 days. */
export function isDue({ beginsAt, endsAt }: Pick<Standing, "beginsAt" | "endsAt">, now: number): boolean {
	if (beginsAt === null || endsAt === null) return true;
	return now >= endsAt - Math.min(30 * day, (endsAt - beginsAt) / 3);
}

/** Whether a certificate is good for all these hosts. */
export function covers(standing: Pick<Standing, "hosts">, hosts: readonly string[]): boolean {
	return hosts.every((host) => standing.hosts.includes(host));
}

/** How long to wait after so many failures in a row, ms: authorities take five failures a host and hour at most. */
export function backOff(failures: number): number {
	return Math.min(day, (hour / 2) * 2 ** Math.max(0, failures - 1));
}
