import { beforeEach, expect, test } from "vitest";
import type { Service } from "../services/service.ts";
import { Database } from "../store/database.ts";
import { Routes } from "../web/implement.ts";
import { Domains } from "./domains.ts";
import { MemoryZone } from "./memory-zone.ts";
import { domainRoutes } from "./routes.ts";
import { ZoneLookup } from "./zone-lookup.ts";

const service = (name: string, ...hosts: string[]) => ({ name, hosts }) as unknown as Service;

let routes: Routes;
beforeEach(() => {
	const db = new Database(":memory:");
	db.run(
		`INSERT INTO customer (id, name, email, email_key, password, language, created_at)
		 VALUES ('anna', '', '', '', '', 'en', 0)`,
	);
	const zone = new MemoryZone("localhost", [{ type: "A", name: "mail.localhost", value: "127.0.0.1", ttl: 60 }]);
	const panel = { panelHost: "north.localhost", actor: "http://north.localhost/actor" };
	const lookup = new ZoneLookup(zone, Date.now);
	const domains = new Domains(db, { zones: [zone], lookup, addresses: [], ...panel, now: Date.now });
	routes = new Routes();
	domainRoutes(routes, { domains, catalogue: [service("snac", "social"), service("peertube", "videos", "live")] });
});

const call = (name: Parameters<typeof routes.handlers.get>[0], parts: object = {}) =>
	routes.handlers.get(name)?.({ customer: { id: "anna" }, ...parts }) as Promise<unknown>;

test("a domain is added, listed, looked at and forgotten", async () => {
	expect(await call("POST /domains", { body: { domain: "Choir.localhost" } })).toMatchObject({
		domain: "choir.localhost",
	});
	expect(await call("GET /domains", { query: { limit: 5 } })).toMatchObject({ items: [{ domain: "choir.localhost" }] });
	const view = await call("GET /domains/{domain}/records", {
		path: { domain: "CHOIR.localhost" },
		query: { services: "peertube,snac,snac," },
	});
	expect(view).toMatchObject({
		records: [
			{ name: "_fediversity.choir.localhost", purpose: "ownership" },
			{ name: "videos.choir.localhost", purpose: "peertube" },
			{ name: "live.choir.localhost", purpose: "peertube" },
			{ name: "social.choir.localhost", purpose: "snac" },
		],
	});
	await call("DELETE /domains/{domain}", { path: { domain: "choir.localhost" } });
	expect(await call("GET /domains", { query: { limit: 5 } })).toMatchObject({ items: [] });
});

test("what cannot be is told", async () => {
	await expect(call("POST /domains", { body: { domain: "mail.localhost" } })).rejects.toThrow(
		expect.objectContaining({ code: "domain-is-reserved" }),
	);
	await call("POST /domains", { body: { domain: "choir.localhost" } });
	const unknown = () =>
		call("GET /domains/{domain}/records", { path: { domain: "choir.localhost" }, query: { services: "x" } });
	expect(unknown).toThrow(expect.objectContaining({ code: "service-unknown" }));
});
