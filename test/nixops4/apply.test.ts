/** The root, the stand-in, the real provider and the node's side, all as they are started in earnest. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { membersOf } from "#protocol/nixops4/plan.ts";
import { NixopsState } from "#protocol/nixops4/state.ts";
import { nix } from "../nix/get-nix.ts";
import { named } from "./program.ts";
import { choir, Yard } from "./yard.ts";

const program = await nix();

describe.skipIf(program === null)(`A deployment by ${named} (needs Nix)`, { timeout: 120_000 }, () => {
	let yard: Yard;
	beforeEach(() => {
		yard = new Yard(program ?? "");
	});
	afterEach(() => yard.remove());

	const recorded = () => yard.states((states) => states.read("d1"));
	const kinds = (deeds: readonly string[]) => [...deeds].sort();

	test("is made in the order that its members need, and nothing is done again when nothing has changed", async () => {
		yard.plan(choir());
		const first = await yard.apply();
		expect(first, first.errors).toMatchObject({ code: 0, output: "" });
		const { deeds, ...made } = yard.world.contents;
		expect(deeds[0]).toBe("reserve d1");
		expect(made.machines).toEqual({ d1: "m1" });
		expect(made.records).toEqual([{ name: "social.choir.example", type: "A", value: "192.0.2.7", ttl: 300 }]);
		expect(Object.keys(made.delivered).map((path) => path.split("/").at(-1))).toHaveLength(3);
		expect(Object.values(made.buckets)).toEqual([
			expect.objectContaining({ keys: Object.keys(made.keys), isPublic: true }),
		]);
		expect(NixopsState.parse(recorded())).toEqual(recorded());

		const second = await yard.apply();
		expect(second.code).toBe(0);
		expect(yard.world.contents.deeds).toEqual(deeds);
		expect(second.errors).toContain("Skipping update for resource services.mastodon.secrets.vapid: inputs unchanged");
		// Steps are told every time, with all that lies before them.
		const steps = second.events.flatMap((event) => (event.kind === "step" ? [`${event.step} ${event.event}`] : []));
		expect(steps).toEqual(["mastodon begun", "mastodon done"]);
	});

	test("has just the members that are told of it", async () => {
		const services = choir().services;
		yard.plan(choir());
		await yard.apply();
		const side = await yard.side();
		try {
			const dump = await yard.nixops4(["state", "dump", "state"], side);
			expect(JSON.parse(dump.output)).toEqual(recorded());
			const names = await yard.nixops4(["members", "list", "services.mastodon"], side);
			const told = membersOf(choir()).flatMap((path) => path.split(".")[2] ?? []);
			expect(names.output.trim().split("\n")).toEqual([...new Set(told)].sort());
			expect(Object.keys(services)).toEqual(["mastodon"]);
		} finally {
			await side.close();
		}
	});

	test("lets no secret out: not into what is said, nor into the state, nor into the provider's environment", async () => {
		yard.plan(choir());
		const { errors } = await yard.apply();
		const state = JSON.stringify([recorded(), yard.states((states) => states.history("d1"))]);
		const values = Object.values(yard.world.contents.delivered);
		expect(values).toHaveLength(3);
		for (const value of values) {
			expect(value.length).toBeGreaterThan(30);
			expect(errors).not.toContain(value);
			expect(state).not.toContain(value);
		}
		expect(state).toContain("fediversity:d1/mastodon/password");
	});

	test("is looked at anew when its generation is raised", async () => {
		yard.plan(choir());
		await yard.apply();
		const before = yard.world.contents.deeds.length;
		yard.plan(choir({ generation: 1 }));
		expect((await yard.apply()).code).toBe(0);
		const again = yard.world.contents.deeds.slice(before);
		expect(again).toContain("reserve d1");
		expect(again.filter((deed) => deed.startsWith("deliver"))).toHaveLength(3);
	});

	test("is taken away in two runs, the machine last, and leaves nothing in the world", async () => {
		yard.plan(choir());
		await yard.apply();
		yard.plan(choir({ mode: "absent" }));
		const emptied = await yard.apply();
		expect(emptied.code, emptied.errors).toBe(0);
		expect(yard.world.contents).toMatchObject({
			machines: { d1: "m1" },
			delivered: {},
			records: [],
			buckets: {},
			keys: {},
		});
		yard.plan(choir({ mode: "absent", machine: { ...choir().machine, ensure: "absent" } }));
		expect((await yard.apply()).code).toBe(0);
		expect(yard.world.contents.machines).toEqual({});
	});

	test("waits until its services answer", async () => {
		let asked = 0;
		const server = createServer((_, response) => void response.writeHead(++asked < 3 ? 503 : 200).end());
		await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
		const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
		const mastodon = { ...choir().services["mastodon"], probe: { url, below: 400, seconds: 60 } };
		yard.plan({ ...choir(), services: { mastodon } } as ReturnType<typeof choir>);
		const { code, errors } = await yard.apply();
		server.close();
		expect(code, errors).toBe(0);
		expect(asked).toBe(3);
		expect(errors).toContain("output status: 200");
	});

	test("fails in plain words, keeps what was done, and goes on from there", async () => {
		const mastodon = choir().services["mastodon"];
		const records = { social: { name: "social.other.example", type: "A", ttl: 300, values: null } };
		yard.plan({ ...choir(), services: { mastodon: { ...mastodon, records } } } as ReturnType<typeof choir>);
		const failed = await yard.apply();
		expect(failed.code).toBe(1);
		expect(failed.errors).toContain(
			"nixops4 error: Failed to create resource services.mastodon.records.social: social.other.example is not under choir.example",
		);
		expect(failed.events).toContainEqual(expect.objectContaining({ type: "dns_record", event: "failed" }));
		yard.plan(choir());
		expect((await yard.apply()).code).toBe(0);
		expect(kinds(yard.world.contents.deeds.filter((deed) => deed.startsWith("reserve")))).toEqual(["reserve d1"]);
	});
});
