/** Two providers whose services run on machines, by NixOps4: both stories through its stand-in, real ssh and machines of straw. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDeclaration } from "../../node/agent/declaration.ts";
import { runningNode } from "../../node/commands/running-node.ts";
import { serviceNamed } from "../../node/services/catalogue.ts";
import { type Provider, providers } from "../faults/internet.ts";
import { Pair } from "../faults/pair.ts";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { filesWith, Lookout } from "../nixops4/leaks.ts";
import { fill, holdings, machineWith, secretsOn } from "../nixops4/straw/holdings.ts";
import { Straw } from "../nixops4/straw/straw.ts";
import { hasPostgres } from "../postgres.ts";
import { beginMove, bothEnded, passwordOf, statesOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person } from "./world.ts";

const canRun = (await nix()) !== null && hasSshd && hasPostgres;
/** Each on a machine of its own. */
const picked = [["mastodon", "garage"], ["peertube", "garage"], ["pixelfed", "garage"], ["galene"], ["gotosocial"]];
const mains = picked.map(([service = ""]) => service);
const keeping = mains.filter((service) => serviceNamed(service)?.volumes.length);
const keepDays = 30;

describe.skipIf(!canRun)("services on machines (needs Nix, sshd and PostgreSQL)", { timeout: 400_000 }, () => {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-machines-"));
	const lookout = new Lookout();
	const passwords: Record<string, string> = {};
	const before: Record<string, unknown> = {};
	let straws: Record<Provider, Straw>;
	let pair: Pair;
	let ada: Person;
	let adaThere: Person;

	beforeAll(async () => {
		const open = (provider: Provider) => Straw.open(picked.length, join(folder, `${provider}.key`));
		const [north, south] = await Promise.all([open("north"), open("south")]);
		straws = { north, south };
		mkdirSync(join(folder, "tmp"));
		const environmentOf = (straw: Straw) => ({ ...straw.environment, TMPDIR: join(folder, "tmp") });
		pair = await Pair.open({
			settings: { north: north.settings, south: south.settings },
			environments: { north: environmentOf(north), south: environmentOf(south) },
		});
		for (const provider of providers)
			for (const body of straws[provider].pool) await staff(provider)("POST /staff/machines", { body: body as never });
		[ada, adaThere] = [await pair.customer("north", "ada"), await pair.customer("south", "ada")];
		for (let n = 1; n < picked.length; n++) {
			await pair.allow("north", ada);
			await pair.allow("south", adaThere);
		}
	}, 120_000);

	afterAll(async () => {
		lookout.with([]);
		await pair?.[Symbol.asyncDispose]();
		await Promise.all(Object.values(straws ?? {}).map((straw) => straw.close()));
		rmSync(folder, { recursive: true, force: true });
	});

	const staff = (provider: Provider) => runningNode(join(pair.folderOf(provider), "node.sock"));
	const hostOf = (service: string) => `${serviceNamed(service)?.hosts[0]}.${service}.localhost`;
	const read = async (service: string, path: string, host = hostOf(service)) => {
		const answer = await reach(`http://${host}:${pair.port}${path}`);
		return `${answer.status} ${await answer.text()}`;
	};
	const write = async (service: string, words: string) => {
		const authorization = `Basic ${Buffer.from(`ada:${passwords[service]}`).toString("base64")}`;
		const address = `http://${hostOf(service)}:${pair.port}/notes`;
		return (await reach(address, { method: "POST", headers: { authorization }, body: JSON.stringify({ words }) }))
			.status;
	};
	/** What a service shows, what only its secrets can say, what its machine holds, and the secrets themselves. */
	const everythingOf = async (provider: Provider, service: string) => {
		const machine = machineWith(straws[provider], service);
		return {
			notes: await read(service, "/notes"),
			signed: await read(service, "/sign?text=Tuesday"),
			holdings: await holdings(straws[provider], machine),
			secrets: secretsOn(machine),
		};
	};
	const deploy = async (services: readonly string[]) => {
		const [service = ""] = services;
		const wish = { domain: `${service}.localhost`, services: [...services], username: "ada" };
		const { deployment, job } = await ada.api("POST /deployments", { body: wish });
		const { state, steps } = await ada.ended(job);
		expect([service, state, steps.flatMap(({ problem }) => problem ?? [])]).toEqual([service, "done", []]);
		expect(steps.map(({ verb }) => verb)).toEqual(["records", "machine", "system", ...services.map(() => "check")]);
		expect(await read(service, "/")).toBe(`200 straw ${service} with 0 notes`);
		passwords[service] = (await ada.credentials(deployment, service)).password;
		expect([service, await write(service, "In tune")]).toEqual([service, 201]);
	};

	test("a customer picks any of them, sees each step of its deployment, and uses it", async () => {
		await Promise.all(picked.map(deploy));
		for (const service of ["mastodon", "peertube", "pixelfed"])
			expect(await read(service, "/", `media.${service}.localhost`)).toBe("200 straw garage with 0 notes");
		const { items } = await ada.api("GET /deployments");
		expect(items.map(({ state }) => state)).toEqual(picked.map(() => "serving"));
	});

	test("all of them move to another provider's machines at once with every row, file, object and secret, also when its node is killed", async () => {
		for (const machine of straws.north.machines) await fill(machine);
		for (const service of mains) before[service] = await everythingOf("north", service);
		const move = (service: string) => beginMove(ada, adaThere, `${service}.localhost`, passwordOf("ada"));
		const begun = await Promise.all(mains.map(move));
		await eventually("NixOps4 is at work for several at the new provider", async () => {
			const [taken] = pair.rows<{ n: number }>("south", "SELECT count(*) AS n FROM machine_reservation");
			return (taken?.n ?? 0) >= 2;
		});
		await pair.kill("south");
		await pair.start("south");
		for (const one of begun) expect(await bothEnded(one, ada, adaThere, 300)).toEqual(["done", "done"]);
		for (const service of mains) {
			expect(await statesOf(adaThere, `${service}.localhost`)).toEqual(["serving"]);
			await eventually(`${service} serves there`, () => pair.servesItself("south", hostOf(service)));
			expect(await everythingOf("south", service)).toEqual(before[service]);
			await eventually(`${service} knows its owner there`, async () => (await write(service, "Moved")) === 201);
		}
	});

	test("what the old provider kept is erased when its time is over, and its machines are free again", async () => {
		await pair.kill("north");
		pair.setClock("north", (keepDays + 1) * 86_400_000);
		await pair.start("north");
		await eventually(
			"nothing has a machine at the old provider",
			async () => (await staff("north")("GET /staff/machines")).items.every(({ deployment }) => deployment === null),
			300,
		);
		for (const machine of straws.north.machines) {
			expect(readDeclaration(machine.at("agent.json")).services).toEqual({});
			const left = readdirSync(machine.at("state"), { recursive: true, withFileTypes: true });
			expect(left.filter((one) => one.isFile()).map(({ name }) => name)).toEqual([]);
		}
		expect(straws.north.rooms.volumes).toEqual([]);
		for (const service of keeping) expect(await read(service, "/notes")).toContain("Moved");
	});

	test("no secret of any service has been in a plan, a state, a log, a journal, or the words and environment of a process", () => {
		const secrets = mains.flatMap(
			(service) => Object.values((before[service] as { secrets: object }).secrets) as string[],
		);
		const meant = picked.flat().flatMap((service) => serviceNamed(service)?.secrets ?? []);
		expect(secrets).toHaveLength(meant.length);
		for (const secret of secrets) expect(secret.length).toBeGreaterThan(15);
		const folders = [
			pair.folder,
			folder,
			...providers.flatMap((one) => straws[one].machines.map((machine) => machine.folder)),
		];
		expect(folders.flatMap((one) => filesWith(one, secrets))).toEqual([]);
		expect(lookout.with(secrets)).toEqual([]);
		expect(lookout.count).toBeGreaterThan(100);
	});
});
