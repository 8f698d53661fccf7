// Test equipment: a service of straw. It stands for any in the catalogue: what that keeps in PostgreSQL, SQLite, folders and
// buckets, this one does too. Its settings are in the file named by the first argument. It does not start without its secrets.
// GET /            how many notes there are
// GET /notes       all, with what folders and buckets have of them
// GET /sign?text=  what only who has the secrets can say, by their names
// POST /notes      { words }, by the owner; 201 when it is kept
// POST /owner      { name, password }: from the machine alone
import { createHash, createHmac } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { Storage } from "../../stories/guest-book/storage.mjs";

const { service, port, volumes, secrets } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const secret = Object.fromEntries(Object.entries(secrets).map(([name, file]) => [name, readFileSync(file, "utf8")]));
for (const [name, value] of Object.entries(secret)) if (value === "") throw new Error(`the secret ${name} is empty`);
const digest = (text) => createHash("sha256").update(text).digest("hex");
const places = Object.values(volumes);
const folders = places.filter(({ kind }) => kind === "directory").map(({ path }) => path);
for (const folder of folders) mkdirSync(folder, { recursive: true });
const storages = places
	.filter(({ kind }) => kind === "bucket")
	.map(({ accessKeyIdFile, secretAccessKeyFile, ...place }) => {
		const accessKeyId = readFileSync(accessKeyIdFile, "utf8");
		return new Storage({ ...place, accessKeyId, secretAccessKey: readFileSync(secretAccessKeyFile, "utf8") });
	});
const rows = await openRows();

const routes = {
	"GET /": async () => `straw ${service} with ${(await rows.all()).length} notes`,
	"GET /notes": async () => JSON.stringify(await Promise.all((await rows.all()).map(whole))),
	"GET /sign": async ({ url }) => {
		const text = new URL(url, "http://x").searchParams.get("text");
		const { password: _, ...kept } = secret;
		const signed = ([name, value]) => [name, createHmac("sha256", value).update(text).digest("hex")];
		return JSON.stringify(Object.fromEntries(Object.entries(kept).map(signed)));
	},
	"POST /notes": async (request) => {
		const { words } = JSON.parse(await bodyOf(request));
		const [name, ...password] = Buffer.from((request.headers.authorization ?? "").slice(6), "base64")
			.toString()
			.split(":");
		if (!(await rows.owns(name, digest(password.join(":")))))
			throw Object.assign(new Error("not the owner"), { status: 401 });
		const key = digest(`${words} ${Math.random()}`).slice(0, 20);
		for (const folder of folders) writeFileSync(join(folder, `${key}.txt`), words);
		for (const storage of storages) await storage.put(`${key}.txt`, Buffer.from(words), "text/plain");
		await rows.add(key, words);
		return key;
	},
	"POST /owner": async (request) => {
		const { name, password } = JSON.parse(await bodyOf(request));
		await rows.own(name, digest(password));
		return "";
	},
};

async function whole({ key, words }) {
	const inFolders = folders.map((folder) => readFileSync(join(folder, `${key}.txt`), "utf8"));
	const inBuckets = await Promise.all(storages.map(async (storage) => (await storage.get(`${key}.txt`)).toString()));
	return { key, words, kept: [...inFolders, ...inBuckets] };
}

async function openRows() {
	const tables = `CREATE TABLE IF NOT EXISTS notes (key text PRIMARY KEY, words text NOT NULL);
		CREATE TABLE IF NOT EXISTS owner (name text PRIMARY KEY, password text NOT NULL)`;
	const own = "INSERT INTO owner VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET password = $2";
	const add = "INSERT INTO notes VALUES ($1, $2)";
	const owns = "SELECT 1 AS one FROM owner WHERE name = $1 AND password = $2";
	const place = places.find(({ kind }) => kind === "postgres" || kind === "sqlite");
	if (place?.kind === "postgres") {
		const { host, port, database, user } = place;
		const pool = new pg.Pool({ host, port, database, user, max: 3 });
		pool.on("error", (error) => console.error(error.message));
		await pool.query(tables);
		return {
			all: async () => (await pool.query("SELECT * FROM notes ORDER BY key")).rows,
			add: (...given) => pool.query(add, given),
			own: (...given) => pool.query(own, given),
			owns: async (...given) => (await pool.query(owns, given)).rows.length > 0,
			end: () => pool.end(),
		};
	}
	if (place) {
		mkdirSync(dirname(place.path), { recursive: true });
		const database = new DatabaseSync(place.path);
		database.exec("PRAGMA journal_mode = WAL");
		database.exec(tables);
		return {
			all: async () => database.prepare("SELECT * FROM notes ORDER BY key").all(),
			add: async (...given) => database.prepare(lite(add)).run(...given),
			own: async (...given) => database.prepare(lite(own)).run(...given),
			owns: async (...given) => database.prepare(lite(owns)).all(...given).length > 0,
			end: async () => database.close(),
		};
	}
	// Without a database there are the files only, and the password among the secrets.
	const [first] = folders;
	return {
		all: async () =>
			(first ? readdirSync(first) : [])
				.filter((name) => name.endsWith(".txt"))
				.map((name) => ({ key: name.slice(0, -4), words: readFileSync(join(first, name), "utf8") })),
		add: async () => {},
		own: async () => {},
		owns: async (_name, password) => digest(readFileSync(secrets.password ?? secrets.admin, "utf8")) === password,
		end: async () => {},
	};
}

const lite = (sql) => sql.replaceAll("$", "?");

async function bodyOf(request) {
	return Buffer.concat(await request.toArray()).toString();
}

const server = createServer(async (request, response) => {
	const { pathname } = new URL(request.url, "http://x");
	try {
		const route = routes[`${request.method} ${pathname}`];
		if (!route) throw Object.assign(new Error("no such page"), { status: 404 });
		const answer = await route(request);
		response.writeHead(request.method === "POST" ? 201 : 200).end(answer);
	} catch (error) {
		console.error(`${request.method} ${request.url}: ${error.message}`);
		response.writeHead(error.status ?? 500).end(error.message);
	}
}).listen(port, "127.0.0.1");

// What has been begun is brought to its end.
process.once("SIGTERM", () => {
	server.close(async () => {
		await rows.end();
		process.exit(0);
	});
	server.closeIdleConnections();
});
