/** Two providers whose services run on machines, by NixOps4: both stories through its stand-in, real ssh and machines of straw. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runningNode } from "../../node/commands/running-node.ts";
import type { Provider } from "../faults/internet.ts";
import { Pair } from "../faults/pair.ts";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { Straw } from "../nixops4/straw/straw.ts";
import { hasPostgres } from "../postgres.ts";
import { beginMove, bothEnded, passwordOf, statesOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person } from "./world.ts";

const canRun = (await nix()) !== null && hasSshd && hasPostgres;
/** Each on a machine of its own. */
const picked = [["mastodon", "garage"], ["peertube", "garage"], ["pixelfed", "garage"], ["galene"], ["gotosocial"]];
const labels: Record<string, string> = { mastodon: "social", peertube: "videos", pixelfed: "photos", galene: "meet" };

describe.skipIf(!canRun)("services on machines (needs Nix, sshd and PostgreSQL)", { timeout: 400_000 }, () => {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-machines-"));
	let straws: Record<Provider, Straw>;
	let pair: Pair;
	let ada: Person;
	let adaThere: Person;

	beforeAll(async () => {
		const [north, south] = await Promise.all([
			Straw.open(picked.length, join(folder, "north.key")),
			Straw.open(2, join(folder, "south.key")),
		]);
		straws = { north, south };
		pair = await Pair.open({
			settings: { north: north.settings, south: south.settings },
			environments: { north: north.environment, south: south.environment },
		});
		for (const provider of ["north", "south"] as const) {
			const node = runningNode(join(pair.folderOf(provider), "node.sock"));
			for (const body of straws[provider].pool) await node("POST /staff/machines", { body: body as never });
		}
		[ada, adaThere] = [await pair.customer("north", "ada"), await pair.customer("south", "ada")];
	}, 120_000);

	afterAll(async () => {
		await pair?.[Symbol.asyncDispose]();
		await Promise.all(Object.values(straws ?? {}).map((straw) => straw.close()));
		rmSync(folder, { recursive: true, force: true });
	});

	const domainOf = ([service]: readonly string[]) => `${service}.localhost`;
	const originOf = (service = "") => `http://${labels[service] ?? "social"}.${service}.localhost:${pair.port}`;
	const read = async (service: string, path: string) => {
		const answer = await reach(originOf(service) + path);
		return `${answer.status} ${await answer.text()}`;
	};
	const write = async (service: string, words: string, password: string) => {
		const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
		const body = JSON.stringify({ words });
		return (await reach(`${originOf(service)}/notes`, { method: "POST", headers: { authorization }, body })).status;
	};
	const passwords: Record<string, string> = {};

	test("a customer picks any of five, sees each step of its deployment, and uses it", async () => {
		for (const services of picked) {
			const [service = ""] = services;
			if (service !== "mastodon") await pair.allow("north", ada);
			const wish = { domain: domainOf(services), services, username: "ada" };
			const { deployment, job } = await ada.api("POST /deployments", { body: wish });
			const { state, steps } = await ada.ended(job);
			expect([service, state, steps.flatMap(({ problem }) => problem ?? [])]).toEqual([service, "done", []]);
			expect(steps.map(({ verb }) => verb)).toEqual(["records", "machine", "system", ...services.map(() => "check")]);
			expect(await read(service, "/")).toBe(`200 straw ${service} with 0 notes`);
			const { password } = await ada.credentials(deployment, service);
			passwords[service] = password;
			if (service !== "galene") expect([service, await write(service, "In tune", password)]).toEqual([service, 201]);
		}
		expect(await ada.api("GET /deployments").then(({ items }) => items.map(({ state }) => state))).toEqual(
			picked.map(() => "serving"),
		);
	});

	test.each(["mastodon", "gotosocial"])("%s moves to another provider's machine with all it has", async (service) => {
		if (service !== "mastodon") await pair.allow("south", adaThere);
		const signed = await read(service, "/sign?text=Tuesday");
		const notes = await read(service, "/notes");
		expect(notes).toContain("In tune");
		const begun = await beginMove(ada, adaThere, `${service}.localhost`, passwordOf("ada"));
		if (service === "gotosocial") {
			// In the middle of setting a machine up.
			await eventually("NixOps4 is at work at the new provider", async () => {
				const runs = pair.rows<{ n: number }>("south", "SELECT count(*) AS n FROM machine_reservation");
				return runs[0]?.n === 2;
			});
			await pair.kill("south");
			await pair.start("south");
		}
		expect(await bothEnded(begun, ada, adaThere)).toEqual(["done", "done"]);
		expect(await statesOf(adaThere, `${service}.localhost`)).toEqual(["serving"]);
		await eventually("it serves there with what it had", async () => (await read(service, "/notes")) === notes);
		expect(await read(service, "/sign?text=Tuesday")).toBe(signed);
		await eventually(
			"its owner is known there",
			async () => (await write(service, "Moved", passwords[service] ?? "")) === 201,
		);
		expect(await pair.servesItself("south", new URL(originOf(service)).hostname)).toBe(true);
	});
});
