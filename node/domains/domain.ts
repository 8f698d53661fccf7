import { isIP } from "node:net";
import { domainToASCII, domainToUnicode } from "node:url";
import { parse } from "tldts";
import { Problem } from "#protocol/problem.ts";

/** A domain name under which services can be. */
export interface Domain {
	/** As DNS has it: ASCII, small letters, no dot at the end (RFC 5891). */
	readonly domain: string;
	/** As people write it. */
	readonly unicode: string;
}

/** Names that are spoken for: the zones in which this provider gives names to customers, and the panel's own host. */
export interface Surroundings {
	readonly zones: readonly string[];
	readonly panelHost: string;
}

/** DNS allows 253 characters (RFC 1035 §2.3.4); the longest name that we put in front is `_fediversity.`. */
const longest = 253 - "_fediversity.".length;
const longestLabel = 63;

/**
 * Names that lead nowhere in the public DNS (RFC 6761, 6762, 7686, 9476, ICANN's `.internal`).
 * `.example` is none of them: it can do no harm, and every handbook uses it.
 */
const reserved = new Set(["localhost", "local", "invalid", "test", "onion", "alt", "internal", "arpa"]);

/**
 * The domain that somebody typed, or the Problem with it: `domain-not-valid`, `-is-address`, `-has-more`, `-too-long`,
 * `-part-too-long`, `-is-suffix`, `-is-reserved`, `-too-deep`. A pasted link or address is not quietly cut down to its host:
 * a Fediverse domain can never be changed, so people shall see the name they get (and `www.` is hardly what they mean).
 */
export function checkedDomain(text: string, { zones, panelHost }: Surroundings): Domain {
	const given = text.trim();
	checkAlone(given);
	const domain = domainToASCII(given).toLowerCase().replace(/\.$/, "");
	checkForm(given, domain);
	const zone = zoneOf(domain, zones);
	if (zone === undefined) checkPublic(domain);
	if (isAtOrBelow(domain, panelHost) || zones.some((ours) => isAtOrBelow(ours, domain)))
		throw new Problem("domain-is-reserved", { domain });
	if (zone && domain.slice(0, -zone.length - 1).includes(".")) throw new Problem("domain-too-deep", { domain, zone });
	return { domain, unicode: domainToUnicode(domain) };
}

/** The managed zone a domain lies in, the nearest if several do. */
export function zoneOf(domain: string, zones: readonly string[]): string | undefined {
	return zones.filter((zone) => domain.endsWith(`.${zone}`)).sort((one, other) => other.length - one.length)[0];
}

/** Refuses what holds a domain, or an address, and something else besides. */
function checkAlone(given: string) {
	if (isIP(given)) throw new Problem("domain-is-address", { domain: given });
	if (/\s/.test(given)) throw notValid(given);
	if (!/[/\\@:?#*%[\]]/.test(given)) return;
	const inside = hostInside(given);
	if (isIP(inside)) throw new Problem("domain-is-address", { domain: inside });
	if (!inside.includes(".") || !isName(inside)) throw notValid(given);
	throw new Problem("domain-has-more", { domain: domainToUnicode(inside.replace(/^www\./, "")) });
}

/** The host in a link, an e-mail address, a Fediverse handle, a wildcard or something with a port. */
function hostInside(given: string): string {
	const rest = given.replace(/^(mailto:|acct:)?@?/i, "");
	const link = rest.includes("://") ? rest : `http://${rest}`;
	const host = URL.parse(link.replace("*.", ""))?.hostname ?? "";
	return host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/** `0x7f.1` and its like come out of UTS 46 processing as plain IPv4 addresses (URL Standard, "ends in a number"). */
function checkForm(given: string, domain: string) {
	if (isIP(domain)) throw new Problem("domain-is-address", { domain: given });
	if (domain.length > longest) throw new Problem("domain-too-long", { limit: longest });
	if (domain.split(".").some((label) => label.length > longestLabel))
		throw new Problem("domain-part-too-long", { limit: longestLabel });
	const single = !domain.includes(".") && !reserved.has(domain) && !parse(domain).isIcann;
	if (!isName(domain) || single) throw notValid(given);
}

/** Letters, digits and hyphens inside (RFC 1123 §2.1), and an `xn--` only where it stands for something. */
function isName(domain: string): boolean {
	return domain
		.split(".")
		.every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label) && !(label.startsWith("xn--") && isHollow(label)));
}

const isHollow = (label: string) => domainToUnicode(label) === label;

function checkPublic(domain: string) {
	if (reserved.has(domain.slice(domain.lastIndexOf(".") + 1))) throw new Problem("domain-is-reserved", { domain });
	const { publicSuffix, isIcann, isPrivate } = parse(domain, { allowPrivateDomains: true });
	if (publicSuffix === domain && (isIcann || isPrivate)) throw new Problem("domain-is-suffix", { domain });
}

const isAtOrBelow = (name: string, parent: string) => name === parent || name.endsWith(`.${parent}`);

const notValid = (given: string) =>
	new Problem("domain-not-valid", { domain: given.length > 80 ? `${given.slice(0, 80)}…` : given });
