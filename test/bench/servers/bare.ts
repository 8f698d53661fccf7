/** What any node of this kind needs at least: an HTTP server with routes, and a database. */
import { serve } from "@hono/node-server";
import Sqlite from "better-sqlite3";
import { Hono } from "hono";

const [port, file = ""] = process.argv.slice(2);
const database = new Sqlite(file);
database.pragma("journal_mode = WAL");
database.exec("CREATE TABLE IF NOT EXISTS one (id INTEGER PRIMARY KEY)");
const app = new Hono();
app.get("/healthz", (c) => c.text(`ok ${database.prepare("SELECT count(*) AS n FROM one").pluck().get()}`));
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
