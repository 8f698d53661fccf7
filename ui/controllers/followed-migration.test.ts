import { expect, test, vi } from "vitest";
import type { Client } from "#protocol/client.ts";
import type { Job, Migration } from "../views.ts";
import { FollowedMigration } from "./followed-migration.ts";

const host = () => ({
	addController: vi.fn(),
	removeController: vi.fn(),
	requestUpdate: vi.fn(),
	updateComplete: Promise.resolve(true),
});
const job = (more: Partial<Job> = {}) =>
	({ id: "j1", deployment: "d1", state: "running", steps: [], ...more }) as unknown as Job;

/** A node that has one deployment with one migration. */
function node(migration: Partial<Migration> = {}) {
	const asked: string[] = [];
	const api = (async (name: string) => {
		asked.push(name);
		return name === "GET /deployments/{id}"
			? { migration: "m1" }
			: { id: "m1", job: "j1", erasedAt: null, ...migration };
	}) as unknown as Client;
	return { asked, api };
}

test("finds the migration by the deployment, and asks for that only once", async () => {
	const { asked, api } = node();
	const followed = new FollowedMigration(host(), () => api, job);
	await followed.task.run();
	await followed.task.run();
	expect(followed.migration?.id).toBe("m1");
	expect(asked).toEqual(["GET /deployments/{id}", "GET /migrations/{id}", "GET /migrations/{id}"]);
});

test("says nothing of a migration that is not this job's", async () => {
	const { api } = node({ job: "j9" });
	const followed = new FollowedMigration(host(), () => api, job);
	await followed.task.run();
	expect(followed.migration).toBe(null);
});

test("asks again when the job changes its state at once, when it only goes on not all the time", async () => {
	const { asked, api } = node();
	const followed = new FollowedMigration(host(), () => api, job);
	await followed.task.run();
	for (let n = 0; n < 5; n++) followed.hear(job(), job());
	expect(asked).toHaveLength(2);
	followed.hear(job(), job({ state: "done" }));
	await vi.waitFor(() => expect(asked).toHaveLength(3));
});
