/** A GoToSocial in daily use moves from one whole node to another and back. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Pair } from "../faults/pair.ts";
import { beginMove, bothEnded, passwordOf, statesOf } from "../stories/moving.ts";
import { reach } from "../stories/reach.ts";
import { eventually } from "../stories/world.ts";
import { App, type Door } from "./app.ts";
import { picture } from "./picture.ts";
import { canRun } from "./site.ts";

const can = await canRun("gotosocial");
const domain = "choir.localhost";

interface Status {
	readonly id: string;
	readonly content: string;
	readonly favourites_count: number;
	readonly media_attachments: readonly { readonly url: string }[];
}

/** Somebody with an app, who posts all the time and remembers what was taken. */
class Singer {
	readonly app: App;
	readonly #over = new AbortController();
	readonly taken: string[] = [];
	#posting: Promise<void> = Promise.resolve();

	constructor(app: App) {
		this.app = app;
	}

	begin(): void {
		this.#posting = (async () => {
			for (let n = 1; !this.#over.signal.aborted; n++) {
				const status = `Song ${n}.`;
				await this.app.call("POST", "/api/v1/statuses", { status, visibility: "public" }).then(
					() => this.taken.push(status),
					() => {},
				);
				await pause(300);
			}
		})();
	}

	async rest(): Promise<void> {
		this.#over.abort();
		await this.#posting;
	}

	/** Everything of hers, the newest first. */
	async statuses(): Promise<readonly Status[]> {
		const { id } = (await this.app.call("GET", "/api/v1/accounts/verify_credentials")) as { id: string };
		const all: Status[] = [];
		for (;;) {
			const before = all.length === 0 ? "" : `&max_id=${all.at(-1)?.id}`;
			const page = (await this.app.call("GET", `/api/v1/accounts/${id}/statuses?limit=40${before}`)) as Status[];
			if (page.length === 0) return all;
			all.push(...page);
		}
	}

	/** What she was told is kept, and is not there exactly once. */
	async losses(): Promise<string[]> {
		const texts = (await this.statuses()).map(({ content }) => content);
		return this.taken.filter((status) => texts.filter((text) => text.includes(status)).length !== 1);
	}
}

describe.skipIf(!can)("GoToSocial on the move (needs Go to be built, or itself on the search path)", () => {
	test("goes there and back while it is used: posts, pictures, favourites, keys and the app's token come along", async () => {
		await Pair.with({}, async (pair) => {
			const origin = `http://social.${domain}:${pair.port}`;
			const door: Door = { fetch: (path, init = {}) => reach(origin + path, { redirect: "manual", ...init }) };
			const [ada, adaThere] = [await pair.customer("north", "ada"), await pair.customer("south", "ada")];
			const { id } = await ada.deploy(domain, ["gotosocial"], "ada");
			const { username, password } = await ada.credentials(id, "gotosocial");
			const singer = new Singer(await App.signIn(door, username, password));
			const uploaded = await singer.app.upload("/api/v2/media", picture(randomBytes(3)), "image/png");
			const media = uploaded as { id: string };
			const shown = { status: "The score", visibility: "public", "media_ids[]": media.id };
			const score = (await singer.app.call("POST", "/api/v1/statuses", shown)) as Status;
			await singer.app.call("POST", `/api/v1/statuses/${score.id}/favourite`, {});
			const path = new URL(score.media_attachments[0]?.url ?? "").pathname;
			const seen = async () => {
				const actor = await door.fetch("/users/ada/main-key", { headers: { accept: "application/activity+json" } });
				const { favourites_count } = (await singer.app.call("GET", `/api/v1/statuses/${score.id}`)) as Status;
				const bytes = Buffer.from(await (await door.fetch(path)).arrayBuffer());
				return { actor: await actor.json(), favourites_count, picture: bytes.toString("base64url") };
			};
			const before = await seen();
			expect(before).toMatchObject({ favourites_count: 1, actor: { preferredUsername: "ada" } });

			singer.begin();
			const there = await beginMove(ada, adaThere, domain, passwordOf("ada"));
			expect(await bothEnded(there, ada, adaThere, 400)).toEqual(["done", "done"]);
			const taken = singer.taken.length;
			await eventually("posts are taken at the new provider", async () => singer.taken.length > taken);
			expect(await statesOf(adaThere, domain)).toEqual(["serving"]);
			expect(await seen()).toEqual(before);

			const back = await beginMove(adaThere, ada, domain, passwordOf("ada"));
			expect(await bothEnded(back, adaThere, ada, 400)).toEqual(["done", "done"]);
			const takenThere = singer.taken.length;
			await eventually("posts are taken at home", async () => singer.taken.length > takenThere);
			await singer.rest();
			expect(await seen()).toEqual(before);
			expect(await singer.losses()).toEqual([]);
			expect(singer.taken.length).toBeGreaterThan(10);
			await App.signIn(door, username, password);
		});
	});
});
