/** What somebody does in the panel, from beginning to end: by keyboard alone, over lost connections and ended sessions. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";
import { builtPanel } from "./gallery/panel-build.ts";
import { type Gallery, openGallery } from "./gallery/server.ts";
import { openStory, type Story } from "./gallery/story.ts";

describe.skipIf(!executable)("in the panel", () => {
	let panel: string;
	let browser: Browser;
	let gallery: Gallery;
	let context: BrowserContext;
	let page: Page;
	let story: Story;

	beforeAll(async () => {
		panel = await builtPanel();
		browser = await openBrowser();
	});

	afterAll(async () => {
		await browser?.close();
	});

	beforeEach(() => enter(true));

	afterEach(async () => {
		await context?.close();
		await gallery?.close();
	});

	async function enter(signedIn: boolean): Promise<void> {
		await context?.close();
		await gallery?.close();
		story = openStory({ signedIn });
		gallery = await openGallery(panel, { story });
		context = await browser.newContext(viewer);
		page = await context.newPage();
		page.setDefaultTimeout(10_000);
	}

	const at = (path: string) => gallery.originOf("story") + path;
	const jobPage = "/d/choir.localhost/jobs/j2";

	test("one deploys by keyboard alone, and always sees where one is", async () => {
		await page.goto(at("/home"));
		await tabTo("Set up your first one");
		await page.keyboard.press("Enter");
		// Its code is fetched when somebody goes there.
		await page.getByLabel("Your domain").waitFor();
		await tabTo("Your domain");
		await page.keyboard.type("choir.localhost");
		await page.keyboard.press("Enter");
		await focusIs("Services");
		await tabTo("snac");
		await page.keyboard.press("Space");
		await tabTo("Federated Wiki");
		await page.keyboard.press("Space");
		await tabTo("Go on");
		await page.keyboard.press("Enter");
		await focusIs("Check and start");
		await tabTo("Name of your first account");
		await page.keyboard.press("Control+A");
		await page.keyboard.type("anna");
		await tabTo("Set up choir.localhost");
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "Setting up: choir.localhost" }).waitFor();
		const asked = story.asked.find(({ name }) => name === "POST /deployments");
		expect(asked?.body).toEqual({
			domain: "choir.localhost",
			services: ["snac", "wiki"],
			username: "anna",
			entitlement: "e1",
		});
		expect(asked?.key).toMatch(/^[0-9a-f]{32}$/);
		story.advance(99);
		await page.getByRole("heading", { name: "choir.localhost is ready" }).waitFor();
		await tabTo("Show the first password snac");
		await page.keyboard.press("Enter");
		await tabTo("Show it now");
		await page.keyboard.press("Enter");
		await page.getByText("wren-Il1O0-harbour-candle-58").waitFor();
		await tabTo("I have kept it");
		await page.keyboard.press("Enter");
		await page.getByText("wren-Il1O0-harbour-candle-58").waitFor({ state: "detached" });
	});

	test("the timeline goes on where it was after a lost connection, and tells only changes of step", async () => {
		await page.goto(at(jobPage));
		await page.getByText("Point the domain here").waitFor();
		const heard: string[] = [];
		await page.exposeFunction("heard", (text: string) => heard.push(text));
		await page.evaluate(() => {
			const region = document.querySelector("fediverse-panel > [aria-live=polite]") as HTMLElement;
			new MutationObserver(() => (window as never as { heard(text: string): void }).heard(region.innerText)).observe(
				region,
				{
					childList: true,
					characterData: true,
					subtree: true,
				},
			);
		});
		story.advance(2);
		await page.getByRole("progressbar").and(page.locator('[aria-valuetext="2 of 8 steps done"]')).waitFor();
		story.cut();
		story.advance(1);
		await page.locator('[aria-valuetext="3 of 8 steps done"]').waitFor();
		expect(story.resumed.slice(0, 2)).toEqual([100, 104]);
		expect(await page.title()).toMatch(/^● \d+ % choir\.localhost · North$/);
		story.advance(99);
		await page.getByRole("heading", { name: "choir.localhost is ready" }).waitFor();
		expect(await page.title()).toBe("✓ done: choir.localhost · North");
		expect(heard.length).toBeLessThan(12);
		expect(heard.at(-1)).toBe("choir.localhost: done");
	});

	test("after a reload the timeline is the same", async () => {
		await page.goto(at(jobPage));
		await page.getByText("Point the domain here").waitFor();
		story.advance(3);
		await page.locator('[aria-valuetext="3 of 8 steps done"]').waitFor();
		const before = await steps(page);
		await page.reload();
		await page.locator('[aria-valuetext="3 of 8 steps done"]').waitFor();
		expect(await steps(page)).toEqual(before);
	});

	test("a session that ends in the middle loses nothing that was typed", async () => {
		await page.goto(at("/new"));
		await page.getByLabel("Your domain").fill("choir.localhost");
		story.signedIn = false;
		await page.getByRole("button", { name: "Go on" }).click();
		await page.getByText("Your session has ended").waitFor();
		expect(new URL(page.url()).pathname).toBe("/new");
		await page.getByLabel("E-mail").fill("anna@choir.example");
		await page.getByLabel("Password", { exact: true }).fill("a candle in the harbour");
		await page.locator("form").getByRole("button", { name: "Sign in" }).click();
		expect(await page.getByLabel("Your domain").inputValue()).toBe("choir.localhost");
	});

	test("what was chosen is there after a reload, and Back opens the section before", async () => {
		await page.goto(at("/new"));
		await page.getByLabel("Your domain").fill("choir.localhost");
		await page.getByRole("button", { name: "Go on" }).click();
		await page.getByRole("checkbox", { name: "snac" }).check();
		await page.reload();
		await page.getByRole("button", { name: "Set up choir.localhost" }).waitFor();
		await page.getByRole("button", { name: "Change Services" }).click();
		expect(await page.getByRole("checkbox", { name: "snac" }).isChecked()).toBe(true);
		await page.getByRole("button", { name: "Change Domain" }).click();
		await page.goBack();
		await page.getByRole("checkbox", { name: "snac" }).waitFor();
	});

	test("a voucher given on the front page is there on the next one, and the first mistake gets the focus", async () => {
		await enter(false);
		await page.goto(at("/"));
		await page.getByLabel("Have a voucher?").fill("NORTH-7Q2P");
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "Open an account" }).waitFor();
		expect(await page.getByLabel("Voucher").inputValue()).toBe("NORTH-7Q2P");
		expect(page.url()).not.toContain("7Q2P");
		await page.getByRole("button", { name: "Open the account" }).click();
		await focusIs("Your name");
		await page.keyboard.type("Anna");
		await page.getByLabel("E-mail").fill("anna@choir.example");
		await page.getByLabel("Password", { exact: true }).fill("short");
		await page.keyboard.press("Enter");
		await page.getByText("At least 12 characters; this has 5").waitFor();
		await page.getByLabel("Password", { exact: true }).fill("a candle in the harbour");
		await page.keyboard.press("Enter");
		await page.getByText("Nothing runs here yet").waitFor();
		expect(story.asked[0]?.body).toMatchObject({ voucher: "NORTH-7Q2P", name: "Anna", language: "en" });
	});

	test("the language that was chosen stays, in this browser and in the account", async () => {
		await page.goto(at("/home"));
		await page.getByRole("button", { name: "Deutsch" }).click();
		await page.getByRole("heading", { name: "Installationen" }).waitFor();
		expect(story.asked).toContainEqual(expect.objectContaining({ name: "PATCH /me", body: { language: "de" } }));
		await page.reload();
		await page.getByRole("heading", { name: "Installationen" }).waitFor();
		expect(await page.getAttribute("html", "lang")).toBe("de");
	});

	test("a connection that is gone is said, and so is its return", async () => {
		await page.goto(at("/home"));
		await page.getByText("Nothing runs here yet").waitFor();
		await context.setOffline(true);
		await page.getByText("You are offline. What you see may be old").waitFor();
		await context.setOffline(false);
		await page.getByText("You are offline. What you see may be old").waitFor({ state: "detached" });
		await page.getByText("Nothing runs here yet").waitFor();
	});

	/** Presses Tab until the focus is on what bears this name; on the way every stop must be visible. */
	async function tabTo(name: string): Promise<void> {
		for (let stops = 0; stops < 60; stops++) {
			await page.keyboard.press("Tab");
			const { named, seen } = await page.evaluate(focused);
			expect(seen, `the focus on "${named}" can be seen`).toBe(true);
			if (named === name) return;
		}
		throw new Error(`Tab never came to "${name}"`);
	}

	async function focusIs(name: string): Promise<void> {
		await expect.poll(async () => (await page.evaluate(focused)).named).toBe(name);
	}
});

const steps = (page: Page) =>
	page.locator(".timeline > li").evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset["state"]));

/** What the focus is on, and whether anything is drawn around it or around what holds it. */
function focused(): { named: string; seen: boolean } {
	const element = document.activeElement as HTMLElement;
	const labelled = document.getElementById(element.getAttribute("aria-labelledby") ?? "");
	const label = (element as HTMLInputElement).labels?.[0]?.textContent;
	const named = (labelled?.textContent ?? label ?? element.textContent ?? "").replaceAll(/\s+/g, " ").trim();
	const outlined = (one: Element | null) => one !== null && getComputedStyle(one).outlineStyle !== "none";
	const nearby = [element, element.closest("label"), element.closest("article")];
	return { named, seen: element === document.body || nearby.some(outlined) };
}
