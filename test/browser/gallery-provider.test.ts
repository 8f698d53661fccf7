/** What staff of a provider does in the panel: by keyboard alone, with the password asked for in between. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import type { Answers } from "./gallery/answers.ts";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";
import { builtPanel } from "./gallery/panel-build.ts";
import { machine } from "./gallery/provider.ts";
import { type Gallery, openGallery } from "./gallery/server.ts";
import { worlds } from "./gallery/worlds.ts";

describe.skipIf(!executable)("staff in the panel", () => {
	let panel: string;
	let browser: Browser;
	let gallery: Gallery;
	let context: BrowserContext;
	let page: Page;
	let asked: { name: string; body: unknown }[];

	beforeAll(async () => {
		panel = await builtPanel();
		browser = await openBrowser();
	});
	afterAll(() => browser?.close());

	beforeEach(async () => {
		asked = [];
		gallery = await openGallery(panel, { pool: { answers: { ...worlds.staff.answers, ...pool() } } });
		context = await browser.newContext(viewer);
		page = await context.newPage();
		page.setDefaultTimeout(30_000);
	});
	afterEach(async () => {
		await context?.close();
		await gallery?.close();
	});

	/** A pool that remembers, and a password that has to be said before it is changed. */
	function pool(): Answers {
		let machines = [machine("oak")];
		let sure = false;
		const changed = <Result>(name: string, body: unknown, change: () => Result) => {
			if (!sure) return new Problem("confirm-needed");
			asked.push({ name, body });
			return change();
		};
		return {
			"GET /staff/machines": () => ({ items: machines }),
			"POST /me/confirm": ({ body }) => {
				sure = (body as { password: string }).password === "a candle in the harbour";
				return sure ? undefined : new Problem("wrong-credentials");
			},
			"PATCH /staff/machines/{id}": ({ body, path }) =>
				changed("drain", body, () => {
					machines = machines.map((one) => (one.id === path["id"] ? { ...one, state: "draining" as const } : one));
					return machine("oak", { state: "draining" });
				}),
			"POST /staff/machines": ({ body }) =>
				changed("add", body, () => {
					machines = [...machines, machine("ash")];
					return machine("ash");
				}),
			"DELETE /staff/machines/{id}": ({ path }) =>
				changed("remove", path, () => {
					machines = machines.filter(({ id }) => id !== path["id"]);
					return undefined;
				}),
		};
	}

	const tabTo = async (name: string) => {
		for (let presses = 0; presses < 60; presses++) {
			const words = await page.evaluate(() => {
				const at = document.activeElement as HTMLElement;
				const labels = (at as HTMLInputElement).labels;
				return (labels?.[0]?.textContent ?? at.textContent ?? "").replaceAll(/\s+/g, " ").trim();
			});
			if (words === name) return;
			await page.keyboard.press("Tab");
		}
		throw new Error(`nothing is called ${name}`);
	};

	test("drains a machine by keyboard alone, and says the password once for all that follows", async () => {
		await page.goto(`${gallery.originOf("pool")}/home`);
		await page.getByRole("link", { name: "Provider" }).waitFor();
		await tabTo("Provider");
		await page.keyboard.press("Enter");
		await page.getByRole("button", { name: "Take nothing more oak" }).waitFor();
		await tabTo("Take nothing more oak");
		await page.keyboard.press("Enter");
		await say(page, "not this one");
		await page.getByText("This is not your password").waitFor();
		await page.keyboard.press("Control+A");
		await say(page, "a candle in the harbour");
		await page.getByRole("button", { name: "Take deployments again oak" }).waitFor();
		await tabTo("Remove oak …");
		await page.keyboard.press("Enter");
		await page.keyboard.type("oak");
		await page.keyboard.press("Enter");
		await page.getByText("None yet.").waitFor();
		expect(asked).toEqual([
			{ name: "drain", body: { state: "draining" } },
			{ name: "remove", body: { id: "oak" } },
		]);
	});

	test("who leaves the password out changes nothing, and is told why", async () => {
		await page.goto(`${gallery.originOf("pool")}/provider`);
		await page.getByRole("button", { name: "Take nothing more oak" }).click();
		await page.getByRole("dialog").waitFor();
		await page.keyboard.press("Escape");
		await page.getByText("Please say your password again").waitFor();
		expect(asked).toEqual([]);
	});

	test("adds a machine by the key that was compared, not by one asked for something else", async () => {
		await page.goto(`${gallery.originOf("pool")}/provider`);
		await page.getByText("Add a machine").click();
		const fill = (label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value);
		await fill("Name", "ash");
		await fill("Address", "192.0.2.9");
		await fill("Memory for services, GiB", "16");
		await fill("Disk for services, GiB", "400");
		await fill("Public address", "http://m9");
		await page.getByRole("button", { name: "Ask for its host key" }).click();
		await page.getByText("Write a host name or an IP address").waitFor();
		await fill("Public address", "m9.north.example ");
		await page.getByRole("button", { name: "Ask for its host key" }).click();
		await page.getByText("192.0.2.9 shows this host key").waitFor();
		await fill("Address", "192.0.2.10");
		await page.getByText("192.0.2.9 shows this host key").waitFor({ state: "detached" });
		await page.getByRole("button", { name: "Ask for its host key" }).click();
		await page.getByRole("button", { name: "It is the same: add ash" }).click();
		await page.getByRole("dialog").waitFor();
		await say(page, "a candle in the harbour");
		await page.getByRole("heading", { name: "ash" }).waitFor();
		expect(asked).toMatchObject([
			{ name: "add", body: { id: "ash", address: "192.0.2.10", publicAddress: "m9.north.example", memoryMiB: 16_384 } },
		]);
	});
});

/** Types where the focus is, and sends. */
async function say(page: Page, typed: string): Promise<void> {
	await page.getByRole("dialog").waitFor();
	await page.keyboard.type(typed);
	await page.keyboard.press("Enter");
}
