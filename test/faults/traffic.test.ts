/** Nobody who comes while a deployment moves is lost: who posts, who follows, who reads. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { reach } from "../stories/reach.ts";
import { eventually } from "../stories/world.ts";
import { Choir, twoAdas } from "./choir.ts";
import { Fans } from "./fans.ts";
import { Pair } from "./pair.ts";

test("whatever is posted, delivered and asked for all through a migration arrives, once, and is accounted for", async () => {
	await Pair.with({}, async (pair) => {
		const fans = await Fans.open();
		try {
			const people = await twoAdas(pair);
			const choir = await Choir.found(pair, people, "traffic");
			const over = new AbortController();
			const all = async (each: (n: number) => Promise<unknown>) => {
				for (let n = 0; !over.signal.aborted; n++) {
					await each(n);
					await pause(50);
				}
			};
			const whom = `http://${choir.host}:${pair.port}/ada`;
			const followers: string[] = [];
			const pages: { status: number; retryAfter: string | null }[] = [];
			// All of them have looked the name up before, and keep that for as long as this lasts.
			pair.internet.cached.set(choir.host, "north");
			const traffic = Promise.all([
				all(() => choir.post().catch(() => pause(200))),
				all(async (n) => followers.push(await fans.follow(n, whom, 200))),
				all(async () => {
					const { status, headers, ...answer } = await reach(whom);
					pages.push({ status, retryAfter: headers.get("retry-after") });
					await answer.text?.();
				}),
			]);
			await pause(500);
			const begun = await choir.begin();
			expect(await choir.ended(begun)).toEqual(["done", "done"]);
			const handedOn = () => pair.internet.visits.filter((visit) => visit.handedOn && visit.host === choir.host);
			await eventually("some are handed on", async () => handedOn().length > 20);
			over.abort();
			await traffic;

			const answers = [...pages, ...fans.answers];
			// 502 is the gateway's word for a service that hung up, which snac does now and then; others try again after it, too.
			const statuses = new Set(answers.map(({ status }) => status));
			expect([...statuses].filter((status) => status !== 502).sort()).toEqual([200, 202, 503]);
			expect(answers.filter(({ status, retryAfter }) => status >= 500 && !retryAfter)).toEqual([]);
			expect(pages.at(-1)?.status).toBe(200);
			expect(choir.acknowledged.length).toBeGreaterThan(10);
			expect(await choir.losses("south")).toEqual([]);
			await eventually("every follow is accepted", async () => followers.every((id) => fans.accepted.has(id)));
			expect(fans.accepted.size).toBe(followers.length);

			const put = pair.internet.visits.filter(
				({ host, by, status }) => host === choir.host && by === "north" && status === 503,
			);
			await eventually("the migration's account agrees with ours", async () => {
				const seen = await people.north.api("GET /migrations/{id}", { path: { id: begun.id } });
				expect([seen.deferred, seen.forwarded]).toEqual([put.length, handedOn().length]);
				return true;
			});
		} finally {
			fans.close();
		}
	});
}, 180_000);
