import { beforeEach, describe, expect, test } from "vitest";
import type { Plan } from "../engines/engine.ts";
import { Database } from "../store/database.ts";
import type { DeploymentState } from "./deployment.ts";
import { Deployments } from "./deployments.ts";

let db: Database;
let deployments: Deployments;
let time: number;

beforeEach(() => {
	time = Date.parse("2026-05-01");
	db = new Database(":memory:");
	db.run(
		`INSERT INTO customer (id, name, email, email_key, password, language, created_at) VALUES ('ada', '', '', 'ada', '', 'en', 0)`,
	);
	deployments = new Deployments(db, () => ++time);
});

const host = "social.choir.localhost";

function plan(deployment: string): Plan {
	const services = [
		{ name: "snac", hosts: [host], origin: `http://${host}`, owner: { username: "ada", email: "ada@example.org" } },
	];
	return { deployment, domain: "choir.localhost", services, mode: "serving" };
}

/** Through these states, one after the other. */
function walk(id: string, ...states: DeploymentState[]) {
	for (const state of states) deployments.move(id, state);
}

const taken = expect.objectContaining({ code: "domain-taken" });

describe("at one domain", () => {
	test("there is one deployment, until it is gone", () => {
		deployments.add(plan("first"), "ada");
		expect(() => deployments.add(plan("second"), "ada")).toThrow(taken);
		expect(() => deployments.add(plan("second"), "ada", "arriving")).toThrow(taken);
		walk("first", "gone");
		expect(deployments.add(plan("second"), "ada", "arriving")).toMatchObject({
			state: "arriving",
			plan: { mode: "stopped" },
		});
		for (const state of ["starting", "arriving"] as const)
			expect(() => deployments.add(plan("third"), "ada", state)).toThrow(taken);
	});

	test("one that comes back finds the copy that was left, and is the one to go by once it serves", () => {
		deployments.add(plan("first"), "ada");
		walk("first", "serving", "frozen", "moved");
		expect(deployments.at("choir.localhost")?.id).toBe("first");
		expect(() => deployments.add(plan("new"), "ada")).toThrow(taken);

		deployments.add(plan("back"), "ada", "arriving");
		expect(deployments.at("choir.localhost")?.id).toBe("back");
		walk("back", "serving");
		expect(deployments.at("choir.localhost")?.id).toBe("back");
		expect(deployments.ofHost(host)?.id).toBe("back");

		walk("back", "frozen", "moved");
		deployments.add(plan("again"), "ada", "arriving");
		walk("again", "serving");
		walk("back", "erasing");
		expect(deployments.inState("erasing", "moved").map(({ id }) => id)).toEqual(["first", "back"]);
	});

	test("the one that serves comes first, also when a copy was left later", () => {
		deployments.add(plan("old"), "ada");
		walk("old", "serving");
		db.run(
			"INSERT INTO deployment SELECT 'left', customer, domain, plan, 'moved', created_at + 1000, NULL FROM deployment",
		);
		expect(deployments.at("choir.localhost")?.id).toBe("old");
		expect(deployments.ofHost(host)?.id).toBe("old");
		walk("old", "removing", "kept", "erasing", "gone");
		expect(deployments.ofHost(host)?.id).toBe("left");
		expect(deployments.hasHost("social.band.localhost")).toBe(false);
	});

	test("the database itself keeps two from serving", () => {
		deployments.add(plan("first"), "ada");
		walk("first", "serving", "frozen", "moved");
		deployments.add(plan("second"), "ada", "arriving");
		walk("second", "serving");
		expect(() => db.run("UPDATE deployment SET state = 'frozen' WHERE id = 'first'")).toThrow("UNIQUE");
	});
});
