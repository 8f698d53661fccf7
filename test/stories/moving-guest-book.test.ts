/** A service with its rows in PostgreSQL, its pictures in S3 and its cards in a folder moves there and back, while it is used. */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Pair } from "../faults/pair.ts";
import { hasPostgres } from "../postgres.ts";
import { Rooms } from "./guest-book/rooms.ts";
import { beginMove, bothEnded, passwordOf, statesOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person } from "./world.ts";

const domain = "choir.localhost";
/** Entries of earlier years, without pictures: straight into the database. */
const old = 5000;

interface Entry {
	readonly id: string;
	readonly guest: string;
	readonly words: string;
	readonly picture: string | null;
}

interface Kept {
	readonly guest: string;
	readonly words: string;
	/** SHA-256 of the picture. */
	readonly picture: string;
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Whoever writes into the guest book, and remembers what it has said yes to. */
class Writer {
	/** By the number of the entry. */
	readonly acknowledged = new Map<string, Kept>();
	readonly #origin: string;
	readonly #authorization: string;
	readonly #over = new AbortController();
	#writing: Promise<void> = Promise.resolve();
	#count = 0;

	constructor(origin: string, { username, password }: { username: string; password: string }) {
		this.#origin = origin;
		this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
	}

	/** Throws when nobody said yes. */
	async write(bytes: number): Promise<void> {
		const picture = randomBytes(bytes);
		const entry = { guest: `guest ${this.#count % 7}`, words: `We sang, for the ${++this.#count}th time` };
		const body = JSON.stringify({ ...entry, picture: picture.toString("base64") });
		const headers = { authorization: this.#authorization };
		const answer = await reach(`${this.#origin}/entries`, { method: "POST", headers, body });
		const text = await answer.text();
		if (answer.status !== 201) throw new Error(`${answer.status}: ${text}`);
		this.acknowledged.set(String(JSON.parse(text).id), { ...entry, picture: hashOf(picture) });
	}

	/** Goes on until `rest`, whatever comes back. */
	begin(): void {
		this.#writing = (async () => {
			while (!this.#over.signal.aborted) {
				await this.write(20_000).catch(() => {});
				await pause(100);
			}
		})();
	}

	async rest(): Promise<void> {
		this.#over.abort();
		await this.#writing;
	}
}

/** Everything that the guest book shows, as `Writer` remembers it, with the number of old entries beside. */
async function shown(origin: string): Promise<{ entries: Map<string, Kept>; old: number; cards: string[] }> {
	const get = async (path: string) => Buffer.from(await (await reach(origin + path)).arrayBuffer());
	const { entries } = JSON.parse((await get("/book")).toString()) as { entries: Entry[] };
	const found = new Map<string, Kept>();
	const cards: string[] = [];
	for (const { id, guest, words, picture } of entries)
		if (picture !== null) {
			found.set(id, { guest, words, picture: hashOf(await get(`/pictures/${id}`)) });
			cards.push((await get(`/cards/${id}`)).toString());
		}
	return { entries: found, old: entries.length - found.size, cards };
}

describe.skipIf(!hasPostgres)("a guest book (needs PostgreSQL)", () => {
	test("with rows, pictures and cards moves there and back while it is written to; nothing that was kept is lost", async () => {
		await using yards = new AsyncDisposableStack();
		const open = async () => yards.adopt(await Rooms.open(), (rooms) => rooms.close());
		const [north, south] = await Promise.all([open(), open()]);
		const given = { north: { rooms: north.address }, south: { rooms: south.address } };
		const recipes = { file: join(import.meta.dirname, "guest-book/recipe.ts"), given };
		await Pair.with({ recipes }, async (pair) => {
			const origin = `http://photos.${domain}:${pair.port}`;
			const [ada, adaThere] = [await pair.customer("north", "ada"), await pair.customer("south", "ada")];
			const { id } = await ada.deploy(domain, ["pixelfed", "garage"], "ada");
			const room = await north.of("postgres", `${id}/pixelfed/database`);
			await north.cluster.sql(room.database, earlierYears, room.user);
			const writer = new Writer(origin, { ...(await ada.credentials(id, "pixelfed")), username: "ada" });
			await writer.write(6 * 1024 * 1024);
			for (let n = 0; n < 30; n++) await writer.write(200_000);
			const sign = async () => (await reach(`${origin}/sign?text=Tuesday`)).text();
			const signed = await sign();

			writer.begin();
			const there = await move(ada, adaThere);
			await eventually("it is written to at the new provider", growing(writer));
			await writer.rest();
			const after = await shown(origin);
			expect(missing(writer.acknowledged, after.entries)).toEqual([]);
			expect([after.old, after.cards.toSorted()]).toEqual([old, words(after.entries)]);
			expect(await sign()).toBe(signed);
			expect(await statesOf(adaThere, domain)).toEqual(["serving"]);
			// The trial's database and bucket are gone with it.
			expect(south.volumes.filter((volume) => volume.includes("rehearsal"))).toEqual([]);

			await writer.write(30_000);
			const back = await move(adaThere, ada);
			await eventually("it can be written to at home", async () => {
				await writer.write(30_000);
				return true;
			});
			const home = await shown(origin);
			expect(missing(writer.acknowledged, home.entries)).toEqual([]);
			expect([home.old, home.cards.toSorted()]).toEqual([old, words(home.entries)]);
			const moved = async (migration: string) => {
				const { rounds } = await ada.api("GET /migrations/{id}", { path: { id: migration } });
				return rounds.reduce((sum, { moved }) => sum + (moved ?? 0), 0);
			};
			expect(await moved(back)).toBeLessThan((await moved(there)) / 4);
		});
	}, 240_000);
});

const earlierYears = `INSERT INTO guests VALUES ('somebody', ${old});
	INSERT INTO entries (guest, words, bytes, at) SELECT 'somebody', md5(i::text), 0, timestamptz '2020-01-01' + i * interval '1 hour'
		FROM generate_series(1, ${old}) AS i`;

const job = (person: Person, id: string) => person.api("GET /jobs/{id}", { path: { id } });

async function move(from: Person, to: Person): Promise<string> {
	const begun = await beginMove(from, to, domain, passwordOf("ada"));
	const ends = await bothEnded(begun, from, to);
	const jobs = [await job(from, begun.leave), await job(to, begun.arrive)];
	const problems = jobs.flatMap(({ steps }) => steps.flatMap(({ problem }) => problem ?? []));
	expect([ends, problems]).toEqual([["done", "done"], []]);
	return begun.id;
}

/** Becomes true when something more has been acknowledged. */
function growing({ acknowledged }: Writer) {
	const before = acknowledged.size;
	return async () => acknowledged.size > before;
}

/** What was acknowledged and is not there as it was. */
function missing(acknowledged: ReadonlyMap<string, Kept>, found: ReadonlyMap<string, Kept>): string[] {
	const same = (id: string, kept: Kept) => JSON.stringify(found.get(id)) === JSON.stringify(kept);
	return [...acknowledged].flatMap(([id, kept]) => (same(id, kept) ? [] : [`${id}: ${JSON.stringify(found.get(id))}`]));
}

const words = (entries: ReadonlyMap<string, Kept>) => [...entries.values()].map((one) => one.words).toSorted();
