/** Story 2 in a real browser against the real demo: a deployment moves to another provider by clicking, and back. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { World } from "../stories/world.ts";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";

/** The README's own pictures are made anew with UPDATE_PICTURES=1. */
const pictures = process.env["UPDATE_PICTURES"]
	? join(import.meta.dirname, "../../specs/pictures")
	: join(import.meta.dirname, "pictures");
const domain = "choir.localhost";
const password = "ada has a long password";

describe.skipIf(!executable)("a move in the demo, in a browser", () => {
	let world: World;
	let browser: Browser;
	let north: Page;
	let south: Page;

	beforeAll(async () => {
		mkdirSync(pictures, { recursive: true });
		[world, browser] = await Promise.all([new World().open(), openBrowser()]);
		[north, south] = await Promise.all([customer("north"), customer("south")]);
	});
	afterAll(async () => {
		await browser?.close();
		await world?.[Symbol.asyncDispose]();
	});

	const shot = (page: Page, what: string) =>
		page.screenshot({ path: join(pictures, `move-${what}.png`), animations: "disabled", fullPage: true });

	/** A new customer of a provider, signed in. */
	async function customer(provider: "north" | "south"): Promise<Page> {
		const context = await browser.newContext({ ...viewer, viewport: { width: 1280, height: 860 } });
		const page = await context.newPage();
		page.setDefaultTimeout(30_000);
		await page.goto(`${world.panel(provider)}/sign-up`);
		await page.getByLabel("Voucher").fill(world.voucher(provider));
		await page.getByLabel("Your name").fill("Ada");
		await page.getByLabel("E-mail").fill(`ada@${provider}.example`);
		await page.getByRole("textbox", { name: "Password" }).fill(password);
		await page.getByRole("button", { name: "Open the account" }).click();
		await page.getByText("Nothing runs here yet").waitFor();
		return page;
	}

	test("somebody moves from North to South by pasting a token, and both panels tell the same", async () => {
		await north.getByRole("link", { name: "Set up your first one" }).click();
		await north.getByLabel("Your domain").fill(domain);
		await north.getByRole("button", { name: "Go on" }).click();
		await north.getByRole("checkbox", { name: "snac" }).check();
		await north.getByRole("button", { name: "Go on" }).click();
		await north.getByRole("button", { name: `Set up ${domain}` }).click();
		await north.getByRole("heading", { name: `${domain} is ready` }).waitFor({ timeout: 120_000 });
		await north.getByRole("link", { name: `Everything about ${domain}` }).click();

		await south.getByRole("link", { name: "move one here" }).click();
		await south.getByRole("button", { name: "Make a token" }).click();
		const token = await south.locator("move-token copy-text .mono").innerText();
		await shot(south, "token");
		await paste(north, token);
		await shot(north, "plan");
		const words = await six(north);
		await start(north, "South");
		await south.getByRole("heading", { name: `North asks to move ${domain} here` }).waitFor();
		expect(await six(south)).toEqual(words);
		await shot(south, "asked");
		await south.getByRole("button", { name: "Agree", exact: true }).click();
		await south.getByRole("link", { name: "Watch it" }).click();
		await south.getByRole("heading", { name: `${domain} now runs here` }).waitFor({ timeout: 180_000 });
		await north.getByRole("heading", { name: `${domain} now runs at South` }).waitFor({ timeout: 60_000 });
		await shot(south, "arrived");
		await shot(north, "left");
		const digests = [north, south].map((page) => page.locator(".digest .mono").innerText());
		expect(new Set(await Promise.all(digests)).size).toBe(1);
	});

	test("whoever keeps the receipt can check it, and the page is where it was", async () => {
		const [download] = await Promise.all([
			south.waitForEvent("download"),
			south.getByRole("button", { name: "Keep the receipt" }).click(),
		]);
		const boot = join(import.meta.dirname, "../../node/boot.mjs");
		const { stdout } = await run(process.execPath, [boot, "receipt", "verify", await download.path()]);
		expect(stdout).toContain("This receipt holds");
		const reader = await browser.newPage(viewer);
		const answer = await reader.goto(`http://social.${domain}:${world.port}/admin`);
		expect(answer?.status()).toBe(200);
		await reader.close();
	});

	test("and back again, by picking the provider, agreeing there and coming back", async () => {
		await north.getByRole("link", { name: domain }).first().click();
		await north.getByRole("link", { name: "Move it back" }).waitFor();
		await south.getByRole("link", { name: `Everything about ${domain}` }).click();
		await south.getByText("It came here from North.").waitFor();
		await south.getByRole("link", { name: `Move ${domain} …` }).click();
		await south.getByRole("link", { name: "Move to North" }).waitFor();
		await shot(south, "providers");
		await south.getByRole("link", { name: "Move to North" }).click();
		await south.getByLabel("E-mail").fill("ada@north.example");
		await south.getByRole("textbox", { name: "Password" }).fill(password);
		await south.locator("form").getByRole("button", { name: "Sign in" }).click();
		await south.getByText(`asks to move ${domain} here`).waitFor();
		await shot(south, "errand");
		await south.getByRole("button", { name: "Agree and go back" }).click();
		await south.getByText("Nothing happens until you start").waitFor();
		expect(south.url()).toBe(`${world.panel("south")}/d/${domain}/move`);
		await start(south, "North");
		await south.getByRole("heading", { name: `${domain} now runs at North` }).waitFor({ timeout: 180_000 });
		await north.goto(`${world.panel("north")}/d/${domain}`);
		await north.getByText("all well").first().waitFor({ timeout: 60_000 });
		await north.getByText("It came here from South.").waitFor();
	});

	/** From the page of a deployment to the plan of its move. */
	async function paste(page: Page, token: string): Promise<void> {
		await page.getByRole("link", { name: `Move ${domain} …` }).click();
		await page.getByLabel("Token of the new provider").fill(token);
		await page.getByRole("button", { name: "See what will happen" }).click();
		await page.getByText("Nothing happens until you start").waitFor();
	}

	async function start(page: Page, provider: string): Promise<void> {
		await page.getByLabel("Your password", { exact: true }).fill(password);
		await page.getByLabel(`Type ${domain} to confirm`).fill(domain);
		await page.getByRole("button", { name: `Move ${domain} to ${provider}` }).click();
		await page.getByRole("heading", { name: /^Mov(ing|ed) away/ }).waitFor();
	}
});

const run = promisify(execFile);

function six(page: Page): Promise<string[]> {
	return page.getByRole("list", { name: "Six words" }).getByRole("listitem").allInnerTexts();
}
