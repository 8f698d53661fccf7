import { expect, test } from "vitest";
import type { Sighting } from "../engines/engine.ts";
import type { Notice } from "../notices/notice.ts";
import { Database } from "../store/database.ts";
import { Deployments } from "./deployments.ts";
import { History } from "./history.ts";
import { viewOf } from "./views.ts";
import { lookAround } from "./watch.ts";

function world() {
	let time = Date.parse("2026-01-01");
	const now = () => time;
	const db = new Database(":memory:");
	db.run(
		"INSERT INTO customer (id, name, email, email_key, password, language, created_at) VALUES ('c', 'Ada', 'a', 'a', '', 'en', 0)",
	);
	const deployments = new Deployments(db, now);
	const owner = { username: "ada", email: "" };
	const services = [{ name: "chat", hosts: ["chat.choir.example"], origin: "https://chat.choir.example", owner }];
	deployments.add({ deployment: "d", domain: "choir.example", services, mode: "serving" }, "c");
	deployments.move("d", "serving");
	const told: Notice[] = [];
	let health: Sighting["health"] = "well";
	const parts = {
		...{ deployments, now, history: new History(db, now) },
		engine: { look: async () => [{ service: "chat", health, probes: [], sizeBytes: 7 }] } as never,
		notices: { tell: (notice: Notice) => void told.push(notice) },
	};
	const view = {
		...{ deployments, now, catalogue: [], jobOf: () => undefined, migrationOf: () => undefined },
		engine: { signIn: () => null },
	};
	return {
		told,
		/** Whether the panel offers to set it up again, and since when that would have been worth it. */
		offered: () => viewOf(view, deployments.known("d")).unwellSince,
		now,
		deployments,
		/** Looks every half minute, for so many minutes. */
		async see(next: Sighting["health"], minutes: number) {
			health = next;
			for (let n = 0; n <= minutes * 2; n++) {
				await lookAround(parts);
				time += 30_000;
			}
		},
	};
}

test("a service that is ill for a moment is nobody's worry; for two minutes it is told, once; and when it is well again too", async () => {
	const w = world();
	await w.see("well", 5);
	await w.see("unwell", 1);
	await w.see("well", 5);
	expect(w.told).toEqual([]);
	await w.see("unwell", 20);
	expect(w.told.map(({ kind }) => kind)).toEqual(["service-unwell"]);
	await w.see("well", 5);
	await w.see("stopped", 5);
	expect(w.told.map(({ kind }) => kind)).toEqual(["service-unwell", "service-well", "service-unwell"]);
	expect(new Set(w.told.map(({ key }) => key)).size).toBe(3);
	expect(w.deployments.sightings("d")).toMatchObject([{ health: "stopped", sizeBytes: 7, told: true }]);
});

test("setting up again is offered while a service has been ill for two minutes, and only while it serves", async () => {
	const w = world();
	await w.see("well", 5);
	expect(w.offered()).toBeNull();
	const since = w.now();
	await w.see("unwell", 1);
	expect(w.offered()).toBeNull();
	await w.see("unwell", 1);
	expect(w.offered()).toBe(new Date(since).toISOString());
	w.deployments.move("d", "frozen");
	expect(w.offered()).toBeNull();
	w.deployments.move("d", "serving");
	await w.see("well", 0);
	expect(w.offered()).toBeNull();
});
