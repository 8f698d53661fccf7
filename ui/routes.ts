/** The panel's pages and their addresses. A `:name` takes one segment of the path. */
const addresses = {
	front: "/",
	"sign-up": "/sign-up",
	"sign-in": "/sign-in",
	home: "/home",
	new: "/new",
	deployment: "/d/:domain",
	job: "/d/:domain/jobs/:id",
	move: "/d/:domain/move",
	"move-in": "/move-in",
	notices: "/notices",
	account: "/account",
	provider: "/provider",
	"provider-moves": "/provider/moves",
	"provider-findings": "/provider/findings",
} as const;

export type PageName = keyof typeof addresses | "nowhere";

export interface Route {
	page: PageName;
	params: Readonly<Record<string, string>>;
}

const forEverybody: readonly PageName[] = ["front", "sign-up", "sign-in", "nowhere"];

/** Which page a path shows. */
export function routeOf(path: string): Route {
	for (const [page, pattern] of Object.entries(addresses)) {
		const params = matched(pattern.split("/"), path.replace(/(.)\/$/, "$1").split("/"));
		if (params) return { page: page as PageName, params };
	}
	return { page: "nowhere", params: {} };
}

/** Whether a page is shown to customers only. */
export function needsCustomer(page: PageName): boolean {
	return !forEverybody.includes(page);
}

export function deploymentAddress(domain: string): string {
	return `/d/${encodeURIComponent(domain)}`;
}

export function jobAddress(domain: string, job: string): string {
	return `${deploymentAddress(domain)}/jobs/${encodeURIComponent(job)}`;
}

/** Where a deployment is sent to another provider. */
export function moveAddress(domain: string): string {
	return `${deploymentAddress(domain)}/move`;
}

/** A page of another node; of one without an address, none. */
export function addressAt(origin: string, path: string): string {
	return URL.parse(path, origin)?.href ?? "";
}

function matched(pattern: string[], path: string[]): Record<string, string> | undefined {
	if (pattern.length !== path.length) return undefined;
	const params: Record<string, string> = {};
	for (const [at, part] of pattern.entries()) {
		const given = path[at] ?? "";
		if (!part.startsWith(":")) {
			if (part !== given) return undefined;
		} else {
			const value = decoded(given);
			if (!value) return undefined;
			params[part.slice(1)] = value;
		}
	}
	return params;
}

function decoded(segment: string): string | undefined {
	try {
		return decodeURIComponent(segment);
	} catch {
		return undefined;
	}
}
