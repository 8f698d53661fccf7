/** What holds for every recipe, whether its program is on this machine or not. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { listening, scratch } from "../../../test/contracts/tiny/world.ts";
import { catalogue, serviceNamed } from "../../services/catalogue.ts";
import type { Answer, Hands, Home, Recipe, RunOptions } from "./recipe.ts";
import { recipes } from "./recipes.ts";
import { LocalWorkshop } from "./workshop.ts";

interface Done {
	readonly run: { command: readonly string[]; options: RunOptions }[];
	readonly written: Map<string, string>;
}

/** Hands that only write down what they are told to do; as programs that count, they find nothing the first time. */
function notingHands(home: Home): { hands: Hands; done: Done } {
	const done: Done = { run: [], written: new Map() };
	const nothing: Answer = { status: 200, headers: {}, body: "{}" };
	const hands: Hands = {
		report: listening(),
		run: async (command, options = {}) => {
			const isNew = !done.run.some((one) => String(one.command) === String(command));
			done.run.push({ command, options });
			return isNew ? "0" : "1";
		},
		write: async (path, contents) => void done.written.set(path, contents),
		read: async (path) => done.written.get(path),
		secret: home.secret,
		ask: async () => nothing,
	};
	return { hands, done };
}

function homeOf({ service, ports }: Recipe): Home {
	const at = scratch();
	onTestFinished(() => at.remove());
	for (const folder of ["web", "static"]) mkdirSync(join(at.folder, folder));
	const host = `${serviceNamed(service)?.hosts[0]}.choir.example`;
	return {
		...{ name: service, hosts: [host], host, domain: "choir.example", origin: `https://${host}`, deployment: "dep-1" },
		owner: { username: "alice", email: "alice@choir.example" },
		state: join(at.folder, "state"),
		program: { path: join(at.folder, service), folder: at.folder },
		port: (name = ports[0]) => {
			if (!ports.includes(name)) throw new Error(`there is no port ${name}`);
			return 24_000 + ports.indexOf(name);
		},
		place: async (volume) => {
			throw new Error(`${volume} is asked for`);
		},
		secret: async (name) => `${name}-secret`.padEnd(64, "0"),
	};
}

/** A shop with this search path, and a cache that can be filled. */
function shopWith(path: string): { shop: LocalWorkshop; folder: string } {
	const at = scratch();
	onTestFinished(() => at.remove());
	return { shop: new LocalWorkshop(join(at.folder, "cache"), { PATH: path }), folder: at.folder };
}

test("every recipe belongs to a service that can be picked, once", () => {
	const names = recipes.map(({ service }) => service);
	expect(new Set(names).size).toBe(names.length);
	expect(names.filter((name) => !serviceNamed(name))).toEqual([]);
	// The others are what the local engine cannot run.
	expect(catalogue.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([
		...["mastodon", "pixelfed", "peertube"],
	]);
});

describe.each(recipes.map((recipe) => [recipe.service, recipe] as const))("%s", (_name, recipe) => {
	const described = serviceNamed(recipe.service);
	const password = "the-password-of-alice-7";

	test("keeps the volumes that the catalogue names, each in a place of its own inside its state", () => {
		expect(recipe.volumes.map(({ name, kind }) => ({ name, kind }))).toEqual(described?.volumes);
		const paths = recipe.volumes.flatMap((volume) => ("path" in volume ? [volume.path] : []));
		for (const path of paths) expect(join("/state", path)).toMatch(/^\/state\/\w/);
		expect(new Set(paths).size).toBe(recipe.volumes.length);
	});

	test("has an account exactly if the catalogue says so", () => {
		expect(recipe.account !== undefined).toBe(described?.account !== "none");
	});

	test("is set up the same way every time, so that a second time changes nothing", async () => {
		const home = homeOf(recipe);
		const [first, second] = [notingHands(home), notingHands(home)];
		for (const { hands } of [first, second]) await recipe.configure(home, hands);
		expect([...second.done.written]).toEqual([...first.done.written]);
		expect(recipe.command(home)).toEqual(recipe.command(home));
		expect(recipe.probes(home).length).toBeGreaterThan(1);
	});

	test("tells its password to no argument and no environment, also when it is changed", async () => {
		const home = homeOf(recipe);
		const { hands, done } = notingHands(home);
		await recipe.configure(home, hands);
		await recipe.account?.create(home, password, hands);
		await recipe.account?.setPassword(home, password, hands);
		const seen = done.run.map(({ command, options }) => JSON.stringify([command, options.env ?? {}]));
		expect(seen.filter((text) => text.includes(password))).toEqual([]);
		expect(JSON.stringify(recipe.command(home))).not.toContain("secret");
		const spoken = done.run.filter(({ options }) => options.input?.includes(password) && !options.quiet);
		expect(spoken).toEqual([]);
	});

	test("listens on loopback only, as far as its settings say where", async () => {
		const home = homeOf(recipe);
		const { hands, done } = notingHands(home);
		await recipe.configure(home, hands);
		const texts = [...done.written.values(), recipe.command(home).argv.join(" ")].join("\n");
		expect(texts).not.toMatch(/0\.0\.0\.0|\[::\]/);
	});
});

describe("a program that somebody must have installed", () => {
	const theirs = recipes.filter(({ service }) => ["gotosocial", "garage", "galene"].includes(service));

	test.each(theirs.map((recipe) => [recipe.service, recipe] as const))(
		"%s: without it the card says what to do",
		async (name, recipe) => {
			const { shop } = shopWith("/nowhere");
			const ability = await recipe.able(shop);
			expect(ability).toMatchObject({ can: false, code: "needs-program", missing: name });
			expect(!ability.can && ability.why).toMatch(
				new RegExp(`^${serviceNamed(name)?.title} is not installed on this node; put \`${name}\` on its search path`),
			);
			await expect(recipe.obtain(shop, listening())).rejects.toMatchObject({ code: "program-missing" });
		},
	);

	test.each(theirs.map((recipe) => [recipe.service, recipe] as const))(
		"%s is found in the cache and on the search path, with what comes beside it",
		async (name, recipe) => {
			const { shop, folder } = shopWith("/nowhere");
			const install = (where: string) => {
				mkdirSync(where, { recursive: true });
				writeFileSync(join(where, name), "#!/bin/sh\n", { mode: 0o755 });
			};
			const own = join(shop.cache, name);
			install(own);
			const beside = { gotosocial: "web", galene: "static" }[name];
			if (beside) {
				expect(await recipe.find(shop)).toBeUndefined();
				mkdirSync(join(own, beside));
			}
			expect(await recipe.find(shop)).toEqual({ path: join(own, name), folder: own });
			expect(await recipe.able(shop)).toEqual({ can: true });

			const bin = join(folder, "opt/bin");
			install(bin);
			if (beside) mkdirSync(join(folder, `opt/share/${name}`, beside), { recursive: true });
			const another = new LocalWorkshop(join(folder, "empty"), { PATH: bin });
			expect(await recipe.find(another)).toEqual({ path: join(bin, name), folder: bin });
			rmSync(bin, { recursive: true });
			expect(await recipe.find(another)).toBeUndefined();
		},
	);
});
