import type { IncomingMessage, ServerResponse } from "node:http";
import { type Found, PanelFiles } from "./panel-files.ts";
import { contentPolicy, pagePolicy, securityHeaders } from "./security-headers.ts";

/**
 * Answers for the app while that is being loaded, with what needs no API: the panel's files and `/healthz`.
 * A browser has the page on its screen by the time it asks for more.
 */
export class Front {
	readonly #files: PanelFiles;
	readonly #headers: Record<string, string>;

	constructor(folder: string, origin: string, logo: string | null) {
		this.#files = new PanelFiles(folder, { "content-security-policy": pagePolicy(logo) });
		this.#headers = securityHeaders(origin);
	}

	/** False: this must wait for the app, and nothing was answered. */
	async answer({ url = "/", method, headers }: IncomingMessage, response: ServerResponse): Promise<boolean> {
		const path = url.split("?", 1)[0] ?? "/";
		if (method !== "GET" || !isFile(path)) return false;
		const asked = (name: string) => headers[name]?.toString();
		const found = path === "/healthz" ? this.#healthy() : await this.#files.find(path, asked, this.#headers);
		if (found) response.writeHead(found.status, found.headers).end(found.body);
		return found !== undefined;
	}

	#healthy(): Found {
		const headers = { ...this.#headers, "content-security-policy": contentPolicy, "cache-control": "no-store" };
		return { status: 200, headers: { ...headers, "content-type": "text/plain; charset=utf-8" }, body: "ok\n" };
	}
}

/** Everything but what the app makes anew each time. */
function isFile(path: string): boolean {
	return !/^\/(?:api|\.well-known|nodeinfo|actor|inbox|readyz)(?:\/|$)/.test(path);
}
