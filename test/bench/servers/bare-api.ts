/** What one would write by hand in hono for two of the API's routes, with the same SQL. Arguments: port, database file. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import Sqlite from "better-sqlite3";
import { Hono } from "hono";
import { getCookie } from "hono/cookie";

const [port, file = ""] = process.argv.slice(2);
const db = new Sqlite(file);
const session = db.prepare<{ hash: Buffer; now: number }, Record<string, unknown>>(
	`SELECT customer.*, session.id AS session, session.last_seen_at AS seen
	 FROM session JOIN customer ON customer.id = session.customer WHERE token_hash = $hash AND expires_at > $now`,
);
const list = db.prepare<Record<string, unknown>, Record<string, unknown>>(
	`SELECT id, services, disk_mib, deployment, redeemed_at AS created_at FROM entitlement
	 WHERE customer = $customer AND (redeemed_at, id) < ($at, $id) ORDER BY redeemed_at DESC, id DESC LIMIT $most`,
);
const now = Date.UTC(2026, 10, 22, 12);
const moment = (time: unknown) => new Date(Number(time)).toISOString();

const app = new Hono();
const customerOf = (token = "") => session.get({ hash: createHash("sha256").update(token).digest(), now });
app.get("/api/v1/me", (c) => {
	const found = customerOf(getCookie(c, "__Host-session"));
	if (!found) return c.json({ code: "not-signed-in" }, 401);
	const { id, name, email, language, created_at } = found;
	return c.json({ id, name, email, language, createdAt: moment(created_at) });
});
app.get("/api/v1/me/entitlements", (c) => {
	const found = customerOf(getCookie(c, "__Host-session"));
	if (!found) return c.json({ code: "not-signed-in" }, 401);
	const limit = Number(c.req.query("limit") ?? 50);
	const rows = list.all({ customer: found["id"], at: Number.MAX_SAFE_INTEGER, id: "", most: limit + 1 });
	const items = rows.slice(0, limit).map((row) => ({
		id: row["id"],
		services: JSON.parse(String(row["services"])),
		diskMiB: row["disk_mib"],
		deployment: row["deployment"],
		redeemedAt: moment(row["created_at"]),
	}));
	return c.json({ items, next: null });
});
createServer(getRequestListener(app.fetch)).listen(Number(port), "127.0.0.1");
