// A guest book with pictures, for tests: a real web service with its rows in PostgreSQL, its pictures in S3, and a card for
// each entry in a folder. Its settings are in the file named by the first argument.
// GET /            how many entries there are
// GET /look        the first entry, its picture and its card, read anew: what a trial has of the newest may not fit together
// GET /book        all rows
// GET /pictures/N /cards/N   of entry N
// GET /sign?text=  what only who has the secret can say
// POST /entries    { guest, words, picture (base64) }, by the owner; 201 when it is kept
// POST /owner      { name, password }: the owner from now on
import { createHash, createHmac } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import pg from "pg";
import { Storage } from "./storage.mjs";

const { port, secret, cards, rows, photos } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { host, port: at, database, user, password } = rows;
const pool = new pg.Pool({ host, port: at, database, user, password: password ?? undefined, max: 5 });
pool.on("error", (error) => console.error(error.message));
const storage = new Storage(photos);
const digest = (text) => createHash("sha256").update(text).digest("hex");
mkdirSync(cards, { recursive: true });
await pool.query(`
	CREATE TABLE IF NOT EXISTS guests (name text PRIMARY KEY, entries int NOT NULL DEFAULT 0);
	CREATE TABLE IF NOT EXISTS entries (id bigserial PRIMARY KEY, guest text NOT NULL REFERENCES guests (name),
		words text NOT NULL, picture text UNIQUE, bytes int NOT NULL, at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE IF NOT EXISTS visits (path text, at timestamptz NOT NULL DEFAULT now());
	CREATE TABLE IF NOT EXISTS owner (name text PRIMARY KEY, password text NOT NULL)`);

const routes = {
	"GET /": async () => {
		await pool.query("INSERT INTO visits (path) VALUES ('/')");
		const { rows } = await pool.query("SELECT count(*) AS entries FROM entries");
		return `Guest book with ${rows[0].entries} entries`;
	},
	"GET /look": async () => {
		const { rows } = await pool.query("SELECT * FROM entries WHERE picture IS NOT NULL ORDER BY id LIMIT 1");
		if (rows.length === 0) return "empty";
		const picture = await storage.get(rows[0].picture);
		if (picture.length !== rows[0].bytes) throw new Error(`the picture has ${picture.length} bytes`);
		readFileSync(join(cards, `${rows[0].id}.txt`));
		return `entry ${rows[0].id} with its picture`;
	},
	"GET /book": async () => {
		const [entries, guests] = await Promise.all(
			["SELECT * FROM entries ORDER BY id", "SELECT * FROM guests ORDER BY name"].map((sql) => pool.query(sql)),
		);
		return JSON.stringify({ entries: entries.rows, guests: guests.rows });
	},
	"GET /pictures": async (id) => {
		const { rows } = await pool.query("SELECT picture FROM entries WHERE id = $1", [id]);
		return storage.get(rows[0].picture);
	},
	"GET /cards": async (id) => readFileSync(join(cards, `${Number(id)}.txt`)),
	"GET /sign": async (_id, request) =>
		createHmac("sha256", secret).update(new URL(request.url, "http://x").searchParams.get("text")).digest("hex"),
	"POST /entries": async (_id, request) => {
		const { name, password } = await ownerIn(request);
		const { rows: known } = await pool.query("SELECT 1 FROM owner WHERE name = $1 AND password = $2", [name, password]);
		if (known.length === 0) throw Object.assign(new Error("not the owner"), { status: 401 });
		return keep(JSON.parse(await bodyOf(request)));
	},
	"POST /owner": async (_id, request) => {
		const { name, password } = JSON.parse(await bodyOf(request));
		const kept = "INSERT INTO owner VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET password = $2";
		await pool.query(kept, [name, digest(password)]);
		return "";
	},
};

/** First the picture and the card, then the row that says they are there. */
async function keep({ guest, words, picture }) {
	const bytes = Buffer.from(picture, "base64");
	const key = `${guest}/${digest(bytes)}.png`;
	await storage.put(key, bytes, "image/png");
	const client = await pool.connect();
	try {
		await client.query("BEGIN");
		const count = "INSERT INTO guests VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET entries = guests.entries + 1";
		await client.query(count, [guest]);
		const row = "INSERT INTO entries (guest, words, picture, bytes) VALUES ($1, $2, $3, $4) RETURNING id";
		const { id } = (await client.query(row, [guest, words, key, bytes.length])).rows[0];
		writeFileSync(join(cards, `${id}.txt`), words);
		await client.query("COMMIT");
		return JSON.stringify({ id: Number(id) });
	} catch (error) {
		await client.query("ROLLBACK").catch(() => {});
		throw error;
	} finally {
		client.release();
	}
}

async function ownerIn(request) {
	const [name, password] = Buffer.from((request.headers.authorization ?? "").slice(6), "base64")
		.toString()
		.split(":");
	return { name, password: digest(password ?? "") };
}

async function bodyOf(request) {
	return Buffer.concat(await request.toArray()).toString();
}

const server = createServer(async (request, response) => {
	const [, first = "", id] = new URL(request.url, "http://x").pathname.split("/");
	try {
		const route = routes[`${request.method} /${first}`];
		if (!route) throw Object.assign(new Error("no such page"), { status: 404 });
		const answer = await route(id, request);
		response.writeHead(request.method === "POST" ? 201 : 200).end(answer);
	} catch (error) {
		console.error(`${request.method} ${request.url}: ${error.message}`);
		response.writeHead(error.status ?? 500).end(error.message);
	}
}).listen(port, "127.0.0.1");

// What has been begun is brought to its end.
process.once("SIGTERM", () => {
	server.close(async () => {
		await pool.end();
		process.exit(0);
	});
});
