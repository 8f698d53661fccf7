import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { type Authority, type Authorization, type Order, refused } from "./authority.ts";
import type { Certificate, Challenge, ChallengePlace, Wanted } from "./certificate.ts";
import { signingRequest } from "./signing-request.ts";

/** An order under way, as the vault keeps it: whoever finds it after a crash goes on with it. */
export interface Pending {
	readonly directory: string;
	readonly url: string;
	readonly hosts: readonly string[];
	readonly key: string;
	/** What may stand in the DNS because of it. */
	readonly challenges: readonly Challenge[];
}

export interface Obtaining {
	readonly authority: Authority;
	readonly wanted: Wanted;
	readonly place: ChallengePlace;
	readonly pending: Pending | undefined;
	/** Keeps how far it is, before what follows from it happens. */
	remember(pending: Pending): Promise<void>;
	/** Waits until the challenges can be seen everywhere, as far as that can be told. */
	settled(challenges: readonly Challenge[], signal: AbortSignal): Promise<void>;
	readonly signal: AbortSignal;
}

const log = getLogger(["fediversity", "certificates"]);

/** Between two looks at what the authority is at, ms. */
const pauses = [200, 500, 1000, 2000, 3000];
const mostLooks = 60;

/**
 * Gets one certificate by dns-01. Interrupted at any place, the next call goes on with the order that was remembered, or
 * begins anew where the authority wants that. Nothing of it stays in the DNS. Throws the `certificate-*` problems.
 */
export async function obtain(obtaining: Obtaining): Promise<Certificate> {
	const { wanted } = obtaining;
	const pending = (await goingOn(obtaining)) ?? (await begun(obtaining));
	let latest = pending;
	try {
		latest = await authorized(obtaining, pending);
		return certificateOf(wanted.domain, latest, await issued(obtaining, latest));
	} finally {
		await cleared(obtaining, latest);
	}
}

/** Also takes away what an earlier try has set that was cut off. What cannot be removed now is remembered for the next. */
async function cleared({ place, remember }: Obtaining, pending: Pending): Promise<void> {
	if (pending.challenges.length === 0) return;
	try {
		await place.withdraw(pending.challenges);
		await remember({ ...pending, challenges: [] });
	} catch (error) {
		log.warning("The challenges of {hosts} still stand: {error}", { hosts: pending.hosts, error });
	}
}

/** The remembered order, if it can still become what is wanted. */
async function goingOn({ authority, wanted, pending }: Obtaining): Promise<Pending | undefined> {
	if (!pending || pending.directory !== authority.directory) return undefined;
	if (pending.hosts.join() !== wanted.hosts.join()) return undefined;
	try {
		const { status } = await authority.read<Order>(pending.url);
		return status === "invalid" ? undefined : pending;
	} catch (error) {
		// It has forgotten the order.
		if (error instanceof Problem && error.code === "certificate-refused") return undefined;
		throw error;
	}
}

async function begun({ authority, wanted, pending, remember }: Obtaining): Promise<Pending> {
	const { hosts } = wanted;
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
	const url = await authority.order(hosts);
	const fresh = { directory: authority.directory, url, hosts, key, challenges: pending?.challenges ?? [] };
	await remember(fresh);
	return fresh;
}

/** Shows the authority that the hosts are ours. */
async function authorized(obtaining: Obtaining, pending: Pending): Promise<Pending> {
	const { authority, place, remember, settled, signal } = obtaining;
	const { authorizations } = await authority.read<Order>(pending.url);
	const open = (await Promise.all(authorizations.map((url) => asked(authority, url)))).filter((one) => one !== null);
	if (open.length === 0) return pending;
	const challenges = open.map(({ host, value }) => ({ host, value }));
	const marked = { ...pending, challenges: [...pending.challenges, ...challenges] };
	await remember(marked);
	try {
		await place.publish(challenges);
		await settled(challenges, signal);
		for (const { challenge } of open) await authority.tell(challenge, {});
		for (const { url } of open)
			await until(signal, authority, async () => isValid(authority, await authority.read<Authorization>(url)));
		return marked;
	} catch (error) {
		await cleared(obtaining, marked);
		throw error;
	}
}

/** What one authorization still asks for; null: nothing. */
async function asked(authority: Authority, url: string) {
	const authorization = await authority.read<Authorization>(url);
	if (isValid(authority, authorization)) return null;
	const challenge = authorization.challenges.find(({ type }) => type === "dns-01");
	if (!challenge) throw refused(authority.directory, "it offers no dns-01");
	const host = authorization.identifier.value;
	return { url, host, challenge: challenge.url, value: await authority.valueFor(challenge.token) };
}

function isValid(authority: Authority, { status, challenges }: Authorization): boolean {
	if (status === "valid") return true;
	if (status === "pending") return false;
	const reason = challenges.find(({ error }) => error)?.error?.detail;
	throw refused(authority.directory, reason ?? `an authorization is ${status}`);
}

/** The certificate with its chain, once the authority has made it. */
async function issued({ authority, signal }: Obtaining, { url, hosts, key }: Pending): Promise<string> {
	const look = () => authority.read<Order>(url);
	let order = await look();
	const move = async (from: readonly Order["status"][]) => {
		await until(signal, authority, async () => {
			order = await look();
			return !from.includes(order.status);
		});
	};
	if (order.status === "pending") await move(["pending"]);
	if (order.status === "ready") {
		await authority.tell(order.finalize, { csr: signingRequest(key, hosts).toString("base64url") });
		await move(["ready", "processing"]);
	} else if (order.status === "processing") await move(["processing"]);
	if (order.status !== "valid" || !order.certificate)
		throw refused(authority.directory, order.error?.detail ?? `the order is ${order.status}`);
	return authority.download(order.certificate);
}

async function until(signal: AbortSignal, authority: Authority, look: () => Promise<boolean>): Promise<void> {
	for (let n = 0; n < mostLooks; n++) {
		signal.throwIfAborted();
		if (await look()) return;
		await pause(pauses[Math.min(n, pauses.length - 1)], undefined, { signal });
	}
	throw new Problem("certificate-silent", { server: new URL(authority.directory).host });
}

/** Nothing is shown to anybody that does not fit: another key's, or another host's. */
function certificateOf(domain: string, { hosts, key }: Pending, chain: string): Certificate {
	const own = new X509Certificate(chain);
	if (!own.checkPrivateKey(createPrivateKey(key)) || !hosts.every((host) => own.checkHost(host) !== undefined))
		throw new Problem("certificate-refused", { server: domain, reason: "the certificate is for something else" });
	return { domain, hosts, key, chain, beginsAt: own.validFromDate.getTime(), endsAt: own.validToDate.getTime() };
}
