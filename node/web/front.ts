import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { PanelFiles } from "./panel-files.ts";
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
	async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
		const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
		if (request.method !== "GET" || !isFile(path)) return false;
		const answer =
			path === "/healthz" ? this.#healthy() : await this.#files.answer(path, asked(request), this.#headers);
		if (!answer) return false;
		response.writeHead(answer.status, Object.fromEntries(answer.headers));
		if (answer.body) Readable.fromWeb(answer.body as ReadableStream).pipe(response);
		else response.end();
		return true;
	}

	#healthy(): Response {
		const headers = { ...this.#headers, "content-security-policy": contentPolicy, "cache-control": "no-store" };
		return new Response("ok\n", { headers: { ...headers, "content-type": "text/plain; charset=utf-8" } });
	}
}

/** Everything but what the app makes anew each time. */
function isFile(path: string): boolean {
	return !/^\/(?:api|\.well-known|nodeinfo|actor|inbox|readyz)(?:\/|$)/.test(path);
}

function asked({ headers }: IncomingMessage): Request {
	const given = Object.entries(headers).flatMap(([name, value]) =>
		typeof value === "string" ? [[name, value] as [string, string]] : [],
	);
	return new Request("http://panel/", { headers: given });
}
