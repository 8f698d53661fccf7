/** The node as the Fediverse sees it. Fedify takes 400 ms to load, so only who asks for the federation loads this. */
import { createFederation, type Federation, type InboxContext } from "@fedify/fedify";
import { Activity, Application, Endpoints } from "@fedify/vocab";
import { getLogger } from "@logtape/logtape";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";
import { identityIn } from "./identity.ts";
import { SqliteKvStore } from "./kv-store.ts";

export interface FederationParts {
	/** The panel's, such as `https://north.example`; the actor is `/actor` below it. */
	readonly origin: string;
	/** The provider's, as people know it. */
	readonly name: string;
	readonly version: string;
	readonly database: Database;
	readonly vault: Vault;
	readonly now: () => number;
	/** Lets senders' keys be fetched from this machine and its networks: for tests only. */
	readonly privateToo?: boolean;
}

/** What we can do besides ActivityPub itself, for other servers to know beforehand (FEP-844e). */
const abilities = [
	{ href: "https://fediversity.eu/ns/migration/1", name: "Fediversity: moving deployments between nodes, version 1" },
	{ href: "https://datatracker.ietf.org/doc/html/rfc9421", name: "RFC-9421: HTTP Message Signatures" },
];

/** An activity is some kilobytes; nobody has a reason to send us more. */
const largestActivity = 256 * 1024;

const identifier = "actor";

/**
 * Answers for `/actor`, `/actor/inbox`, `/inbox`, WebFinger and NodeInfo. The actor is one `Application` for the whole
 * node and can be fetched unsigned. Its inbox checks signatures and takes every activity, and does nothing with it yet.
 */
export async function openFederation(parts: FederationParts): Promise<(request: Request) => Promise<Response>> {
	const federation = await assembled(parts);
	return async (request) => {
		const { pathname, search } = new URL(request.url);
		if (pathname.endsWith("/inbox") && request.method !== "POST")
			return new Response(null, { status: 405, headers: { allow: "POST" } });
		const body = await bodyOf(request);
		if (body === "too-large") return new Response("This is too large for an activity\n", { status: 413 });
		// Senders have signed our public address, whatever scheme and host the way here has made of it.
		const asked = new Request(parts.origin + pathname + search, {
			method: request.method,
			headers: request.headers,
			body,
		});
		const response = await federation.fetch(asked, {
			contextData: undefined,
			onNotAcceptable: () => (pathname === "/actor" ? toPanel() : new Response(null, { status: 406 })),
		});
		if (pathname === "/actor") return changed(response, withAbilities);
		if (pathname === "/.well-known/nodeinfo") return changed(response, (links) => withActor(links, parts.origin));
		return response;
	};
}

/** A person followed a link to the actor; the panel says who we are. */
function toPanel(): Response {
	return new Response(null, { status: 303, headers: { location: "/", vary: "accept" } });
}

async function assembled({ origin, name, version, database, vault, now, privateToo }: FederationParts) {
	const identity = await identityIn(vault);
	const host = new URL(origin).hostname;
	const federation: Federation<void> = createFederation<void>({
		kv: new SqliteKvStore(database, now),
		origin,
		userAgent: { software: `fediversity-node/${version}`, url: origin },
		...(privateToo && { allowPrivateAddress: true }),
	});

	federation
		.setActorDispatcher("/{identifier}", async (context, asked) => {
			if (asked !== identifier) return null;
			const [rsa, ed25519] = await context.getActorKeyPairs(identifier);
			return new Application({
				id: context.getActorUri(identifier),
				preferredUsername: host,
				name,
				url: new URL(origin),
				inbox: context.getInboxUri(identifier),
				endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
				manuallyApprovesFollowers: true,
				publicKey: rsa?.cryptographicKey ?? null,
				assertionMethods: ed25519 ? [ed25519.multikey] : [],
			});
		})
		.setKeyPairsDispatcher((_context, asked) => (asked === identifier ? [identity.rsa, identity.ed25519] : []))
		// As Mastodon's own actor: acct:<host>@<host>, which no person can have.
		.mapHandle((_context, handle) => (handle === host ? identifier : null))
		// The whole server's actor is found by the server's address, too (FEP-d556).
		.mapAlias((_context, resource) => (resource.href === `${origin}/` ? { identifier } : null));

	federation
		.setInboxListeners("/{identifier}/inbox", "/inbox")
		.setSharedKeyDispatcher(() => ({ identifier }))
		.on(Activity, (_context: InboxContext<void>, activity) => {
			log().debug("Nothing is done with {activity}", { activity: activity.id?.href });
		});

	federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
		software: { name: "fediversity-node", version },
		protocols: ["activitypub"],
		usage: { users: {}, localPosts: 0, localComments: 0 },
	}));
	return federation;
}

type Json = Record<string, unknown>;

function withAbilities(actor: Json): Json {
	const context = {
		implements: { "@id": "https://w3id.org/fep/844e/implements", "@type": "@id", "@container": "@list" },
		href: { "@id": "as:href", "@type": "@id" },
	};
	return { ...actor, "@context": [actor["@context"], context].flat(), implements: abilities };
}

/** Where NodeInfo is, the server's actor is to be found as well (FEP-2677). */
function withActor(links: Json, origin: string): Json {
	const href = `${origin}/${identifier}`;
	const link = { rel: "https://www.w3.org/ns/activitystreams#Application", href, type: "application/activity+json" };
	return { ...links, links: [...(links["links"] as Json[]), link] };
}

async function changed(response: Response, change: (document: Json) => Json): Promise<Response> {
	if (response.status !== 200) return response;
	const { status, headers } = response;
	return new Response(JSON.stringify(change((await response.json()) as Json)), { status, headers });
}

/** The body, read no further than an activity may be long. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | null | "too-large"> {
	if (!request.body) return null;
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of request.body) {
		size += chunk.length;
		if (size > largestActivity) return "too-large";
		chunks.push(chunk);
	}
	return new Uint8Array(Buffer.concat(chunks));
}

function log() {
	return getLogger(["fediversity", "federation"]);
}
