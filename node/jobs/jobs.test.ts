import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { never, Yard } from "../../test/jobs/yard.ts";

let yard: Yard;
beforeEach(() => {
	yard = new Yard();
});
afterEach(() => yard.close());

const refused = (code: string) => expect.objectContaining({ code });

function customerWith(id: string, deployment: string, domain: string) {
	yard.db.run(
		`INSERT INTO customer (id, name, email, email_key, password, language, created_at)
		VALUES (:id, :id, :id, :id, '', 'en', 0)`,
		{ id },
	);
	yard.db.run("INSERT INTO deployment VALUES (:deployment, :id, :domain, '{}', 'starting', 0, NULL)", {
		deployment,
		id,
		domain,
	});
}

describe("starting", () => {
	test("gives a job that waits, with what is to be done", () => {
		customerWith("ada", "d1", "choir.example");
		const id = yard.build({ deployment: "d1", customer: "ada" });
		const view = yard.jobs.view(id, "ada");
		expect(view).toMatchObject({
			id,
			kind: "build",
			deployment: "d1",
			domain: "choir.example",
			state: "waiting",
			startedAt: null,
			endedAt: null,
			expectedSeconds: 180,
			canCancel: true,
			canRetry: false,
			seq: 0,
		});
		expect(view.steps[0]).toEqual({
			step: "ground",
			verb: "build",
			service: null,
			title: "Build the ground",
			state: "waiting",
			startedAt: null,
			endedAt: null,
			expectedSeconds: 60,
			fraction: null,
			note: null,
			problem: null,
			attempt: 0,
			nextAttemptAt: null,
		});
	});

	test("a second job of the deployment is refused until the first has ended, whatever else is written with it", async () => {
		const first = yard.build({ deployment: "d1" });
		const asked = () =>
			yard.db.transaction(() => {
				yard.db.run("INSERT INTO secret VALUES ('half', x'00', 0)");
				return yard.build({ deployment: "d1" });
			});
		expect(asked).toThrow(refused("deployment-busy"));
		expect(yard.db.all("SELECT * FROM secret")).toEqual([]);
		expect(yard.jobs.ofDeployment("d1")).toEqual({ id: first, busy: true });
		yard.build({ deployment: "d2" });
		yard.build();
		yard.build();

		yard.work();
		expect((await yard.ended(first)).state).toBe("done");
		expect(yard.jobs.ofDeployment("d1")).toEqual({ id: first, busy: false });
		yard.site.house.clear();
		const second = asked();
		expect(yard.jobs.ofDeployment("d1")).toEqual({ id: second, busy: true });
		expect(yard.jobs.ofDeployment("d3")).toBeUndefined();
	});

	test("a stuck job still keeps others from its deployment", async () => {
		yard.site.broken = { part: "roof", undo: "walls" };
		yard.work();
		expect((await yard.ended(yard.build({ deployment: "d1" }))).state).toBe("stuck");
		expect(() => yard.build({ deployment: "d1" })).toThrow(refused("deployment-busy"));
	});

	test("a job in a transaction that is taken back was never there", () => {
		yard.work();
		const failing = () =>
			yard.db.transaction(() => {
				yard.build();
				throw new Error("no");
			});
		expect(failing).toThrow("no");
		expect(yard.db.all("SELECT * FROM job")).toEqual([]);
	});

	test("an unknown kind is a bug", () => {
		expect(() => yard.jobs.start("dance", {})).toThrow("dance");
	});
});

test("somebody else's job is as good as none, in every way of asking", () => {
	const id = yard.build({ customer: "ada" });
	for (const ask of [
		() => yard.jobs.head(id, "eve"),
		() => yard.jobs.view(id, "eve"),
		() => yard.jobs.cancel(id, "eve"),
		() => yard.jobs.retry(id, "eve"),
		() => yard.jobs.log(id, 0, "eve"),
		() => yard.jobs.events(id, 0, never, "eve"),
		() => yard.jobs.head("nothing", "ada"),
		() => yard.jobs.head("nothing", null),
		() => yard.jobs.head(yard.build(), "ada"),
	])
		expect(ask).toThrow(refused("not-found"));
	expect(yard.jobs.head(id, "ada").id).toBe(id);
	expect(yard.jobs.head(id, null).id).toBe(id);
	expect(yard.jobs.head(id, null).state).toBe("waiting");
});

describe("lists", () => {
	test("come in pages, newest first, of one customer, of one deployment, or of all", () => {
		const ids = ["ada", "eve", "ada", "ada", "eve"]
			.map((customer, n) => yard.build({ customer, deployment: `d${n}` }))
			.reverse();
		const walk = (customer: string | null) => {
			const seen: string[] = [];
			let after: string | undefined;
			do {
				const page = yard.jobs.list({ customer, limit: 2, after });
				seen.push(...page.items.map(({ id }) => id));
				after = page.next ?? undefined;
			} while (after);
			return seen;
		};
		expect(walk(null).sort()).toEqual([...ids].sort());
		expect(walk("ada").length).toBe(3);
		expect(walk("nobody")).toEqual([]);
		expect(yard.jobs.list({ customer: "ada", deployment: "d0", limit: 9 }).items.map(({ id }) => id)).toEqual([ids[4]]);
		expect(yard.jobs.list({ customer: "ada", deployment: "d1", limit: 9 }).items).toEqual([]);
	});

	test("say of each job what its head says", async () => {
		yard.site.broken = { part: "roof", undo: "walls" };
		yard.work();
		await yard.ended(yard.build());
		const done = yard.build({}, "settle");
		await yard.ended(done);
		for (const item of yard.jobs.list({ customer: null, limit: 9 }).items)
			expect(item).toEqual(yard.jobs.head(item.id, null));
	});
});

describe("cancelling", () => {
	test("a job that waits undoes nothing, but is undone by the worker", async () => {
		const id = yard.build();
		expect(yard.jobs.cancel(id, null)).toMatchObject({ state: "cancelling", canCancel: false });
		expect(yard.jobs.cancel(id, null).state).toBe("cancelling");
		yard.work();
		expect((await yard.ended(id)).state).toBe("undone");
		expect(() => yard.jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
	});

	test("is refused once a job turned back by itself", async () => {
		yard.site.broken = { part: "walls", undo: "ground" };
		yard.work();
		const id = yard.build();
		expect(await yard.ended(id)).toMatchObject({ state: "stuck", canCancel: false, canRetry: true });
		expect(() => yard.jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
	});

	test("is refused past the pivot, while it runs and when it is stuck", async () => {
		yard.site.broken = { part: "walls" };
		const inside: unknown[] = [];
		yard.site.during = (what) => {
			if (what === "do ground") inside.push(yard.jobs.head(id, null).canCancel);
			if (what !== "do walls") return;
			inside.push(yard.jobs.head(id, null).canCancel);
			expect(() => yard.jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
		};
		yard.work();
		const id = yard.build({}, "settle");
		expect(await yard.ended(id)).toMatchObject({ state: "stuck", canCancel: false, canRetry: true });
		expect(inside).toEqual([true, false, false, false]);
	});

	test("reaches the step that runs, at once, and is over when that is undone", async () => {
		const told = Promise.withResolvers<unknown>();
		yard.site.during = (what, { signal }) =>
			what === "do walls" &&
			new Promise((_, reject) => {
				signal.addEventListener("abort", () => {
					told.resolve(signal.reason);
					reject(signal.reason);
				});
				queueMicrotask(() => yard.jobs.cancel(id, null));
			});
		yard.work({ beat: 1_000_000 });
		const id = yard.build();
		expect(await told.promise).toEqual(new Problem("cancelled"));
		expect((await yard.ended(id)).state).toBe("undone");
		expect(yard.site.house.size).toBe(0);
		expect(yard.jobs.view(id, null).steps.map(({ state, problem }) => [state, problem?.code])).toEqual([
			["undone", undefined],
			["undone", "cancelled"],
			["waiting", undefined],
		]);
	});
});

describe("trying again", () => {
	test("a stuck job goes on where it was", async () => {
		yard.site.broken = { part: "roof" };
		yard.work();
		const id = yard.build({}, "settle");
		expect((await yard.ended(id)).state).toBe("stuck");
		delete yard.site.broken.part;
		expect(yard.jobs.retry(id, null)).toMatchObject({ state: "running", canRetry: false });
		expect((await yard.state(id, "done")).state).toBe("done");
	});

	test("a stuck cancel goes on backwards, still cancelling", async () => {
		yard.site.broken = { undo: "ground" };
		yard.site.during = (what) => what === "do walls" && yard.jobs.cancel(id, null) && undefined;
		yard.work();
		const id = yard.build();
		expect((await yard.ended(id)).state).toBe("stuck");
		yard.site.broken = {};
		expect(yard.jobs.retry(id, null).state).toBe("cancelling");
		expect((await yard.state(id, "undone")).state).toBe("undone");
	});

	test("is for stuck jobs only", async () => {
		const id = yard.build();
		expect(() => yard.jobs.retry(id, null)).toThrow(refused("job-not-retryable"));
		yard.site.broken = { part: "walls" };
		yard.work();
		expect((await yard.ended(id)).state).toBe("undone");
		expect(() => yard.jobs.retry(id, null)).toThrow(refused("job-not-retryable"));
	});
});
