import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJwk, getDocumentLoader, signRequest } from "@fedify/fedify";
import { Application, lookupObject } from "@fedify/vocab";
import { getRequestListener } from "@hono/node-server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SealedVault } from "../secrets/sealed-vault.ts";
import { Database } from "../store/database.ts";
import { openFederation } from "./federation.ts";
import { identityIn } from "./identity.ts";

let folder: string;
const closing: (() => void)[] = [];
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "federation-"));
});
afterEach(() => {
	for (const close of closing.splice(0)) close();
	rmSync(folder, { recursive: true, force: true });
});

/** A node's federation on a real server; opened again with the same name, it is the same node after a restart. */
async function node(name: string, known?: { origin: string }) {
	const server = createServer().listen(known ? Number(new URL(known.origin).port) : 0, "127.0.0.1");
	await once(server, "listening");
	const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
	const database = new Database(join(folder, `${name}.db`));
	const vault = new SealedVault(database, join(folder, `${name}.key`));
	const parts = { origin, name, version: "0.1.0", database, vault, now: Date.now, privateToo: true };
	const handle = await openFederation(parts);
	server.on("request", getRequestListener(handle));
	const close = () => {
		server.closeAllConnections();
		server.close();
		database.close();
	};
	closing.push(close);
	return { origin, host: new URL(origin).host, vault, handle, close };
}
type Node = Awaited<ReturnType<typeof node>>;

const activityJson = { accept: "application/activity+json" };
const json = async (url: string, headers: Record<string, string> = {}) => {
	const response = await fetch(url, { headers });
	expect(response.status).toBe(200);
	return { type: response.headers.get("content-type"), body: (await response.json()) as Record<string, never> };
};
const webFinger = (at: Node, resource: string) =>
	fetch(`${at.origin}/.well-known/webfinger?resource=${encodeURIComponent(resource)}`);

describe("the actor", () => {
	test("is one Application for the node, that anybody may fetch", async () => {
		const north = await node("North");
		const { type, body } = await json(`${north.origin}/actor`, activityJson);
		expect(type).toBe("application/activity+json");
		expect(body).toMatchObject({
			...{ id: `${north.origin}/actor`, type: "Application", name: "North", preferredUsername: "localhost" },
			...{ inbox: `${north.origin}/actor/inbox`, endpoints: { sharedInbox: `${north.origin}/inbox` } },
			implements: [
				{ href: "https://fediversity.eu/ns/migration/1", name: expect.any(String) },
				{ href: "https://datatracker.ietf.org/doc/html/rfc9421", name: expect.any(String) },
			],
		});
	});

	test("shows both public keys and no private one", async () => {
		const north = await node("North");
		const { body } = await json(`${north.origin}/actor`, activityJson);
		const identity = await identityIn(north.vault);
		const { publicKey, assertionMethod } = body as unknown as {
			publicKey: { id: string; owner: string; publicKeyPem: string };
			assertionMethod: { type: string; controller: string; publicKeyMultibase: string }[];
		};
		expect(publicKey).toMatchObject({ id: `${north.origin}/actor#main-key`, owner: `${north.origin}/actor` });
		expect(createPublicKey(publicKey.publicKeyPem).export({ format: "jwk" })).toMatchObject(
			await publicJwk(identity.rsa.publicKey),
		);
		expect(assertionMethod).toMatchObject([{ type: "Multikey", controller: `${north.origin}/actor` }]);
		expect(assertionMethod[0]?.publicKeyMultibase).toMatch(/^z6Mk/); // Ed25519, base58 (did:key).
		expect(JSON.stringify(body)).not.toMatch(/PRIVATE|"d"|privateKey/);
	});

	test("is understood by another node", async () => {
		const [north, south] = [await node("North"), await node("South")];
		const documentLoader = getDocumentLoader({ allowPrivateAddress: true });
		const look = (origin: string) => lookupObject(`${origin}/actor`, { documentLoader });
		const actor = await look(north.origin);
		if (!(actor instanceof Application)) throw new Error("This is no Application");
		expect(actor.id?.href).toBe(`${north.origin}/actor`);
		const { rsa, ed25519 } = await identityIn(north.vault);
		const methods = [];
		for await (const { publicKey } of actor.getAssertionMethods({ documentLoader }))
			methods.push(publicKey && (await publicJwk(publicKey)));
		expect(methods).toEqual([await publicJwk(ed25519.publicKey)]);
		const key = await actor.getPublicKey({ documentLoader });
		expect(key?.publicKey && (await publicJwk(key.publicKey))).toEqual(await publicJwk(rsa.publicKey));
		expect((await look(south.origin))?.name).toBe("South");
	});

	test("leads a person to the panel", async () => {
		const north = await node("North");
		const response = await fetch(`${north.origin}/actor`, { headers: { accept: "text/html" }, redirect: "manual" });
		expect([response.status, response.headers.get("location")]).toEqual([303, "/"]);
	});

	test.each(["/actor/x", "/actor/inbox", "/inbox", "/nodeinfo/2.0", "/nodeinfo/", "/home"])(
		"is not at %s",
		async (path) => {
			const north = await node("North");
			const response = await fetch(north.origin + path, { headers: activityJson });
			expect(response.status).toBe(path.endsWith("inbox") ? 405 : 404);
		},
	);
});

describe("WebFinger", () => {
	test("knows the actor by handle, by its address and by the server's", async () => {
		const north = await node("North");
		for (const resource of [`acct:localhost@${north.host}`, `${north.origin}/actor`, `${north.origin}/`]) {
			const response = await webFinger(north, resource);
			expect(response.headers.get("content-type")).toBe("application/jrd+json");
			expect(response.headers.get("access-control-allow-origin")).toBe("*");
			const { subject, links } = (await response.json()) as { subject: string; links: object[] };
			expect(subject).toBe(resource);
			expect(links).toContainEqual({
				...{ rel: "self", type: "application/activity+json", href: `${north.origin}/actor` },
			});
		}
	});

	test("does not take the panel's pages for actors", async () => {
		const north = await node("North");
		for (const path of ["/home", "/inbox", "/actor/"])
			expect((await webFinger(north, north.origin + path)).status).toBe(404);
	});

	test.each([
		["acct:alice@localhost", 404],
		["acct:actor@localhost", 404],
		["acct:localhost@elsewhere.example", 404],
		["https://elsewhere.example/", 404],
		["no resource", 400],
	])("knows nobody called %s", async (resource, status) => {
		const north = await node("North");
		expect((await webFinger(north, resource.replace("@localhost", `@${north.host}`))).status).toBe(status);
	});
});

test("NodeInfo says what NodeInfo 2.1 asks for, and where the actor is", async () => {
	const north = await node("North");
	const { links } = (await json(`${north.origin}/.well-known/nodeinfo`)).body as unknown as {
		links: { rel: string; href: string }[];
	};
	const at = (rel: string) => links.find((link) => link.rel === rel)?.href ?? "";
	expect(at("https://www.w3.org/ns/activitystreams#Application")).toBe(`${north.origin}/actor`);
	const { type, body } = await json(at("http://nodeinfo.diaspora.software/ns/schema/2.1"));
	expect(type).toContain('profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"');
	expect(body).toEqual({
		$schema: expect.any(String),
		version: "2.1",
		software: { name: expect.stringMatching(/^[a-z0-9-]+$/), version: "0.1.0" },
		protocols: ["activitypub"],
		services: { inbound: [], outbound: [] },
		openRegistrations: false,
		usage: { users: {}, localPosts: 0, localComments: 0 },
		metadata: {},
	});
});

describe("the inbox", () => {
	const post = (at: Node, from: Node, path = "/inbox", change: object = {}) =>
		new Request(at.origin + path, {
			method: "POST",
			headers: { "content-type": "application/activity+json" },
			body: JSON.stringify({
				...{ "@context": "https://www.w3.org/ns/activitystreams", type: "Offer" },
				...{ id: `${from.origin}/o/${crypto.randomUUID()}`, actor: `${from.origin}/actor` },
				...{ object: `${from.origin}/x`, to: `${at.origin}/actor`, ...change },
			}),
		});
	const signedBy = async (from: Node, request: Request, spec: "rfc9421" | "draft-cavage-http-signatures-12") => {
		const { rsa } = await identityIn(from.vault);
		return signRequest(request, rsa.privateKey, new URL(`${from.origin}/actor#main-key`), { spec });
	};

	test.each(["rfc9421", "draft-cavage-http-signatures-12"] as const)("takes what is signed (%s)", async (spec) => {
		const [north, south] = [await node("North"), await node("South")];
		for (const path of ["/inbox", "/actor/inbox"]) {
			const response = await fetch(await signedBy(south, post(north, south, path), spec));
			expect([response.status, await response.text()]).toEqual([202, ""]);
		}
	});

	test("refuses what is not signed, signed by another, or changed afterwards", async () => {
		const [north, south, west] = [await node("North"), await node("South"), await node("West")];
		expect((await fetch(post(north, south))).status).toBe(401);
		const byAnother = await signedBy(west, post(north, south), "rfc9421");
		expect((await fetch(byAnother)).status).toBe(401);
		const signed = await signedBy(south, post(north, south), "draft-cavage-http-signatures-12");
		const text = (await signed.clone().text()).replace("Offer", "Block");
		expect((await fetch(new Request(signed, { body: text }))).status).toBe(401);
	});

	test("checks signatures of our public address, whatever a proxy made of it", async () => {
		const [north, south] = [await node("North"), await node("South")];
		for (const spec of ["rfc9421", "draft-cavage-http-signatures-12"] as const) {
			const { headers, body } = await signedBy(south, post(north, south), spec);
			const behind = new Request("http://127.0.0.1:1/inbox", {
				method: "POST",
				headers,
				body,
				duplex: "half",
			} as RequestInit);
			expect((await north.handle(behind)).status).toBe(202);
		}
	});

	test("does not read what is too large for an activity", async () => {
		const [north, south] = [await node("North"), await node("South")];
		const large = await signedBy(south, post(north, south, "/inbox", { content: "x".repeat(300_000) }), "rfc9421");
		expect((await fetch(large)).status).toBe(413);
	});
});

describe("the keys", () => {
	test("are the same after a restart", async () => {
		const first = await node("North");
		const before = await json(`${first.origin}/actor`, activityJson);
		first.close();
		closing.pop();
		const again = await node("North", first);
		expect(await json(`${again.origin}/actor`, activityJson)).toEqual(before);
	});

	test("are another node's never", async () => {
		const [north, south] = [await node("North"), await node("South")];
		const [ours, theirs] = await Promise.all([identityIn(north.vault), identityIn(south.vault)]);
		expect(await publicJwk(ours.rsa.publicKey)).not.toEqual(await publicJwk(theirs.rsa.publicKey));
		expect(await publicJwk(ours.ed25519.publicKey)).not.toEqual(await publicJwk(theirs.ed25519.publicKey));
	});

	test("are made once, even if two ask at once", async () => {
		const { vault } = await node("North");
		await vault.remove("federation/");
		const [one, other] = await Promise.all([identityIn(vault), identityIn(vault)]);
		expect(await publicJwk(one.rsa.publicKey)).toEqual(await publicJwk(other.rsa.publicKey));
		expect(await publicJwk(one.ed25519.publicKey)).toEqual(await publicJwk(other.ed25519.publicKey));
	});

	test("sign what the public part verifies", async () => {
		const { vault } = await node("North");
		const { rsa, ed25519 } = await identityIn(vault);
		const text = Buffer.from("an offer");
		for (const { privateKey, publicKey } of [rsa, ed25519]) {
			const signature = await crypto.subtle.sign(privateKey.algorithm.name, privateKey, text);
			const key = createPublicKey({ key: await publicJwk(publicKey), format: "jwk" });
			expect(verify(publicKey === rsa.publicKey ? "sha256" : null, text, key, Buffer.from(signature))).toBe(true);
		}
	});

	test("are nowhere on disk in clear", async () => {
		const { vault, origin } = await node("North");
		await json(`${origin}/actor`, activityJson);
		const { rsa, ed25519 } = await identityIn(vault);
		const secrets = await Promise.all([exportJwk(rsa.privateKey), exportJwk(ed25519.privateKey)]);
		const disk = readdirSync(folder)
			.map((name) => readFileSync(join(folder, name)).toString("latin1"))
			.join();
		expect(disk).toContain("federation/rsa");
		const parts = secrets.flatMap(({ d, p, q }) => [d, p, q]).filter((part) => part !== undefined);
		expect(parts.length).toBe(4);
		for (const part of parts) expect(disk).not.toContain(part);
		expect(disk).not.toContain('"kty"');
	});
});

async function publicJwk(key: CryptoKey) {
	const { kty, crv, n, e, x } = await crypto.subtle.exportKey("jwk", key);
	return JSON.parse(JSON.stringify({ kty, crv, n, e, x }));
}
