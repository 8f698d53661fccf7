/** A deployment moves from North to South, as far as the two panels go: picked or pasted, agreed on, watched, proved. */
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";
import { token } from "./gallery/migrations.ts";
import { type MovingStory, openMovingStory } from "./gallery/moving-story.ts";
import { builtPanel } from "./gallery/panel-build.ts";
import { type Gallery, openGallery } from "./gallery/server.ts";

describe.skipIf(!executable)("between two panels", () => {
	let panel: string;
	let browser: Browser;
	let gallery: Gallery;
	let context: BrowserContext;
	let page: Page;
	let story: MovingStory;

	beforeAll(async () => {
		panel = await builtPanel();
		browser = await openBrowser();
	});

	afterAll(async () => {
		await browser?.close();
	});

	beforeEach(async () => {
		story = openMovingStory();
		gallery = await openGallery(panel, { north: story.north, south: story.south });
		story.southAt = gallery.originOf("south");
		context = await browser.newContext(viewer);
		page = await context.newPage();
		page.setDefaultTimeout(10_000);
	});

	afterEach(async () => {
		await context?.close();
		await gallery?.close();
	});

	const north = (path: string) => gallery.originOf("north") + path;
	const south = (path: string) => gallery.originOf("south") + path;
	const move = "/d/choir.localhost/move";

	test("a provider is picked, agrees after a sign-in there, and the move begins with a password and the name", async () => {
		await page.goto(north("/d/choir.localhost"));
		await page.getByRole("link", { name: "Move choir.localhost …" }).click();
		await page.getByRole("link", { name: "Move to South" }).click();
		await page.getByLabel("E-mail").fill("anna@choir.example");
		await page.getByLabel("Password", { exact: true }).fill("a candle in the harbour");
		await page.locator("form").getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("heading", { name: /^north\.localhost:\d+ asks to move choir\.localhost here$/ }).waitFor();
		await page.getByText("Agree only if you came from there").waitFor();
		await page.getByRole("button", { name: "Agree and go back" }).click();
		await page.getByText("Nothing happens until you start").waitFor();
		expect(page.url()).toBe(north(move));
		expect(story.asked).toEqual([
			["south", "POST /move-ins", { domain: "choir.localhost", entitlement: "e2" }],
			["north", "POST /deployments/{id}/move-plan", { token }],
		]);
		expect(await page.getByRole("list", { name: "Six words" }).getByRole("listitem").allInnerTexts()).toHaveLength(6);
		await page.getByRole("button", { name: "Move choir.localhost to South" }).click();
		await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("move-password");
		await page.keyboard.type("a candle in the harbour");
		await page.getByLabel("Type choir.localhost to confirm").fill("choir.localhost");
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "Moving away: choir.localhost" }).waitFor();
		expect(story.asked.at(-1)).toEqual([
			"north",
			"POST /deployments/{id}/move",
			{ token, domain: "choir.localhost", password: "a candle in the harbour" },
		]);
		expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("v1.");
	});

	test("a token outlives a reload, and a change of mind", async () => {
		await page.goto(north(move));
		await page.getByLabel("Token of the new provider").fill(` ${token}\n`);
		await page.getByRole("button", { name: "See what will happen" }).click();
		await page.getByText("Nothing happens until you start").waitFor();
		expect(story.asked.at(-1)).toEqual(["north", "POST /deployments/{id}/move-plan", { token }]);
		await page.reload();
		await page.getByText("Nothing happens until you start").waitFor();
		await page.getByRole("button", { name: "Change Where to" }).click();
		expect(await page.getByLabel("Token of the new provider").inputValue()).toBe(token);
	});

	test("nobody is sent with a token where no move was begun", async () => {
		for (const back of ["https://evil.example/", "https://evil.example/d/other.example/move", "javascript:alert(1)"]) {
			await page.goto(south(`/move-in?${new URLSearchParams({ domain: "choir.localhost", back })}`));
			story.southSignedIn = true;
			await page.reload();
			expect(await page.getByLabel("Which domain?").inputValue()).toBe("choir.localhost");
			expect(await page.getByText("Agree and go back").count()).toBe(0);
			expect(await page.locator("a[href*=evil]").count()).toBe(0);
		}
	});

	test("a token is shown once, and what it brings is there as it comes, by word and by sight", async () => {
		story.southSignedIn = true;
		await page.goto(south("/move-in"));
		await page.getByRole("button", { name: "Make a token" }).click();
		await page.getByText(token).waitFor();
		await expect.poll(() => page.evaluate(() => document.activeElement?.matches("[data-arrival]"))).toBe(true);
		const side = await page.locator("svg.qr").evaluate((svg) => (svg as SVGSVGElement).viewBox.baseVal.width);
		expect((side - 8 - 17) % 4).toBe(0);
		story.offer();
		await page.getByRole("heading", { name: "North asks to move choir.localhost here" }).waitFor();
		const spoken = page.locator("fediverse-panel > [aria-live=polite]");
		expect(await spoken.innerText()).toBe("North asks to move choir.localhost here");
		expect(await page.getByText(token).count()).toBe(0);
		await page.getByRole("button", { name: "Agree", exact: true }).click();
		await page.getByText("You agreed.").waitFor();
		story.begin();
		await page.getByRole("link", { name: "Watch it" }).click();
		await page.getByRole("heading", { name: "Moving in: choir.localhost" }).waitFor();
	});

	test("a token that is revoked is gone from the page", async () => {
		story.southSignedIn = true;
		await page.goto(south("/move-in"));
		await page.getByRole("button", { name: "Make a token" }).click();
		await page.getByRole("button", { name: "Revoke it" }).click();
		await page.getByText("revoked", { exact: true }).waitFor();
		expect(await page.getByText(token).count()).toBe(0);
		await page.getByRole("button", { name: "Make a token" }).waitFor();
	});

	test("seconds of rest are counted, and the receipt is kept as a file", async () => {
		story.state = "resting";
		await page.goto(north("/d/choir.localhost/jobs/j2"));
		await page
			.getByRole("timer")
			.getByText(/^[3-9] seconds$/)
			.waitFor();
		story.state = "left";
		await page.reload();
		await page.getByRole("heading", { name: "choir.localhost now runs at South" }).waitFor();
		const link = page.getByRole("link", { name: "Go to South" });
		expect(await link.getAttribute("href")).toBe("https://south.example/d/choir.localhost");
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.getByRole("button", { name: "Keep the receipt" }).click(),
		]);
		expect(download.suggestedFilename()).toBe("choir.localhost-receipt.json");
		expect(JSON.parse(await readFile(await download.path(), "utf8"))).toEqual({ receipt: [1, 2, 3] });
	});

	test("a page that cannot be fetched says so, and is there once it can", async () => {
		await page.route(/\/assets\/move-/, (route) => route.abort());
		await page.goto(north(move));
		await page.getByText("The node does not answer").waitFor();
		await page.unroute(/\/assets\/move-/);
		await page.getByRole("button", { name: "Try again" }).click();
		await page.getByRole("heading", { name: "Move choir.localhost to another provider" }).waitFor();
	});
});
