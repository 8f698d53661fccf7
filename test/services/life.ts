/** What every service must go through, whatever it is: the same tests for all, each service on one site from birth to end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PlacedVolume } from "../../node/engines/engine.ts";
import { copySecrets, copyVolume } from "../contracts/moving.ts";
import { eventually, listenersAt, running } from "../contracts/tiny/world.ts";
import type { Site } from "./site.ts";

/** How one service is used. */
export interface Use<Memory> {
	/** Signs in (where there is an account) and makes something that must not be lost. */
	make(site: Site): Promise<Memory>;
	/** Throws unless it is still there, seen from outside. */
	find(site: Site, made: Memory): Promise<void>;
	/** Whether somebody gets in with this password; services without an account have none. */
	letsIn?(site: Site, password: string): Promise<boolean>;
	/** What else is to be seen of it, as long as it is there. */
	besides?(site: Site): Promise<void>;
}

export function life<Memory>(site: () => Site, use: Use<Memory>): void {
	let made: Memory | undefined;
	const find = async () => {
		if (made === undefined) throw new Error("nothing was made that could be found");
		await use.find(site(), made);
	};

	test("is deployed, and well by every probe", async () => {
		await site().apply();
		await site().well();
		const [seen] = await site().engine.look(site().plan());
		expect(seen?.sizeBytes).toBeGreaterThan(0);
		expect(await site().leaders()).toHaveLength(1);
	});

	test("listens on loopback only", async () => {
		for (const port of Object.values(site().ports))
			expect(listenersAt(port).filter((address) => address !== "0100007F")).toEqual([]);
	});

	test("is used through the gateway", async () => {
		made = await use.make(site());
		await find();
	});

	test("keeps its secrets: they are in no argument, no environment and no log", async () => {
		const secrets = [...site().vault.secrets.values()];
		for (const { pid } of await running(site().nodeId))
			for (const file of ["cmdline", "environ"]) {
				const text = readFileSync(`/proc/${pid}/${file}`, "latin1");
				expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
			}
		const log = readFileSync(join(site().home, "log/service.log"), "utf8") + site().lines.join("\n");
		expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
	});

	test("applied again, nothing changes", async () => {
		const before = await site().leaders();
		await site().apply();
		expect(await site().leaders()).toEqual(before);
		await find();
	});

	test("restarted, it is another process with the same state", async () => {
		const before = await site().leaders();
		await site().engine.restart(site().plan(), site().service, site().report());
		expect(await site().leaders()).toHaveLength(1);
		expect(await site().leaders()).not.toEqual(before);
		await find();
	});

	if (use.letsIn)
		test("lets in whoever has the password, and after a change only the new one", async () => {
			const letsIn = use.letsIn as NonNullable<Use<Memory>["letsIn"]>;
			const before = site().password;
			expect(await letsIn(site(), before)).toBe(true);
			expect(await letsIn(site(), "a guess at something")).toBe(false);
			await site().setPassword("quite another password 7");
			await site().well();
			expect(await letsIn(site(), "quite another password 7")).toBe(true);
			expect(await letsIn(site(), before)).toBe(false);
			await find();
		});

	test("killed, it comes back by itself", async () => {
		const [before] = await site().leaders();
		if (!before) throw new Error("it does not run");
		process.kill(before, "SIGKILL");
		await eventually(async () => expect(await site().leaders()).not.toContain(before), 60);
		await site().well();
		await find();
	});

	test("after the node has ended and begun again, it is back", async () => {
		await site().reopen();
		await site().well();
		await find();
	});

	test("moves to another node after a trial there, with all it holds, and leaves what it was", async () => {
		await site().apply("frozen");
		expect((await site().fetch("/")).status).toBe(503);
		const there = site().elsewhere();
		const mine = await site().engine.places(site().plan());
		const fill = async (volumes: readonly PlacedVolume[]) => {
			for (const volume of mine) copyVolume(volume, volumes);
		};
		const { tried, checks } = await there.engine.rehearse(there.plan("stopped"), fill, there.report());
		expect(checks.filter(({ ok }) => !ok && tried)).toEqual([]);

		await fill(await there.engine.places(there.plan("stopped")));
		copySecrets(site().vault.secrets, there.vault.secrets, [site().deployment, there.deployment]);
		const before = new Map(there.vault.secrets);
		await there.engine.adopt(there.plan("stopped"));
		await there.apply();
		await there.well();
		expect(there.vault.secrets).toEqual(before);
		await use.find(there, made as Memory);
		if (use.letsIn) expect(await use.letsIn(there, there.password)).toBe(true);
		await there.apply("absent");

		await site().apply();
		await site().well();
		await find();
	});

	if (use.besides) test("shows what else it has", () => use.besides?.(site()));

	test("stopped, it says so and keeps its state; removed, nothing of it is left", async () => {
		await site().apply("stopped");
		expect((await site().fetch("/")).status).toBe(503);
		await site().apply();
		await find();
		await site().apply("absent");
		expect(await running(site().nodeId)).toEqual([]);
		expect(site().isThere).toBe(false);
		expect([...site().vault.secrets]).toEqual([]);
		expect((await site().fetch("/")).status).toBe(421);
	});
}
