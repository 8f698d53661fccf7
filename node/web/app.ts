import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { Problem } from "#protocol/problem.ts";
import { type ApiParts, base, bindApi, nothingHere } from "./api.ts";
import { answerError } from "./errors.ts";
import type { WebContext, WebEnv } from "./implement.ts";
import { describeApi } from "./openapi.ts";
import { PanelFiles } from "./panel-files.ts";
import { contentPolicy, pagePolicy, securityHeaders } from "./security-headers.ts";
import type { Door } from "./session.ts";

/** Answers for the node's actor: WebFinger, NodeInfo, the actor itself. */
export type Federation = (request: Request) => Response | Promise<Response>;

export interface AppParts extends Pick<ApiParts, "routes" | "idempotency" | "count" | "checkAnswers"> {
	/** The panel's, such as `https://north.example`. */
	readonly origin: string;
	readonly version: string;
	readonly door: Door;
	/** The folder of the built panel. */
	readonly panel: string;
	readonly logo: string | null;
	/** Where people find help; security researchers too. */
	readonly help: string | null;
	/** What keeps the node from doing its work; nothing when it is ready. */
	ready(): Promise<readonly string[]>;
	/** Loads the federation when somebody first asks for it: it is large. */
	federation?(): Promise<Federation>;
	readonly now: () => number;
}

const federated = ["/.well-known/webfinger", "/.well-known/nodeinfo", "/nodeinfo/*", "/actor", "/actor/*", "/inbox"];

/** All a node says on its public address: the API, the panel, and what machines ask for. */
export function openApp(parts: AppParts): Hono<WebEnv> {
	const { origin, door } = parts;
	const app = new Hono<WebEnv>();
	const common = securityHeaders(origin);
	const plain = { ...common, "content-security-policy": contentPolicy, "cache-control": "no-store" };
	bindApi(app, {
		...parts,
		headers: plain,
		audiences: new Set(["everybody", "read", "deploy", "account", "staff"]),
		// What only operators may ask is not bound here.
		admit: (c, audience) => (audience === "operator" ? null : door.admit(c, audience)),
	});
	let description: string | undefined;
	app.get(`${base}/openapi.json`, () => {
		description ??= JSON.stringify(describeApi(base, parts.version));
		return new Response(description, { headers: { ...plain, "content-type": "application/json" } });
	});
	addSigns(app, parts, plain);
	addFederation(app, parts);

	const panel = new PanelFiles(parts.panel, { "content-security-policy": pagePolicy(parts.logo) });
	app.notFound(async (c) => {
		if (c.req.path.startsWith("/api/")) return nothingHere(app, c, plain);
		const reads = c.req.method === "GET" || c.req.method === "HEAD";
		const found = reads ? await panel.answer(c.req.path, c.req.raw, common) : undefined;
		return found ?? answerError(new Problem("not-found"), randomUUID(), plain);
	});
	app.onError((error) => answerError(error, randomUUID(), plain));
	return app;
}

/** For machines: is it alive, is it ready, whom to tell of a hole, where a password is changed. */
function addSigns(app: Hono<WebEnv>, { origin, help, ready, now }: AppParts, headers: Record<string, string>) {
	const text = (body: string, status = 200) =>
		new Response(body, { status, headers: { ...headers, "content-type": "text/plain; charset=utf-8" } });
	app.get("/healthz", () => text("ok\n"));
	app.get("/readyz", async () => {
		const reasons = await ready();
		return reasons.length === 0 ? text("ready\n") : text(`${reasons.join("\n")}\n`, 503);
	});
	app.get("/.well-known/change-password", () => {
		return new Response(null, { status: 302, headers: { ...headers, location: "/account" } });
	});
	app.get("/.well-known/security.txt", (c) => {
		const contact = help && URL.parse(help, origin)?.href;
		if (!contact) return nothingHere(app, c, headers);
		const expires = new Date(now() + 180 * 86_400_000).toISOString();
		return text(`Contact: ${contact}\nExpires: ${expires}\nCanonical: ${origin}/.well-known/security.txt\n`);
	});
}

function addFederation(app: Hono<WebEnv>, { federation }: AppParts) {
	if (!federation) return;
	let loaded: Promise<Federation> | undefined;
	const answer = async (c: WebContext) => {
		loaded ??= federation().catch((error) => {
			loaded = undefined;
			throw error;
		});
		return (await loaded)(c.req.raw);
	};
	for (const path of federated) app.all(path, answer);
}
