/**
 * What another provider's panel sends somebody here for, and how they are sent back. Pure.
 * There: `https://south.example/move-in?domain=…&back=…`. Back: the page they came from, with `#token=…`, which no server sees.
 */

/** A deployment that wants to move in, and the page that waits for the token. */
export interface Errand {
	domain: string;
	back: URL | null;
}

/** What the address says; without a domain nobody was sent. A page to go back to that is none is left out. */
export function errandOf(search: string): Errand | null {
	const query = new URLSearchParams(search);
	const domain = query.get("domain")?.trim();
	return domain ? { domain, back: pageOf(query.get("back") ?? "", domain) } : null;
}

/** The page where the move of this domain was begun; nothing else may be handed a token. */
function pageOf(address: string, domain: string): URL | null {
	const url = URL.parse(address);
	if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) return null;
	return url.pathname === `/d/${encodeURIComponent(domain)}/move` ? url : null;
}

/** Where to send somebody who wants to move a domain to a provider; empty for a provider without an address. */
export function errandAddress(origin: string, domain: string, back: string): string {
	const there = URL.parse("/move-in", origin);
	return there ? `${there.href}?${new URLSearchParams({ domain, back })}` : "";
}

/** The way back with the token. */
export function answered(back: URL, token: string): string {
	return `${back.href}#${new URLSearchParams({ token })}`;
}

/** The token that somebody came back with. */
export function tokenIn(hash: string): string | null {
	return new URLSearchParams(hash.slice(1)).get("token");
}
