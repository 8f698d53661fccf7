/** Story 1 in a real browser against the real demo: by clicking, at the width of a phone and of a desk. Makes the README's pictures. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import AxeBuilderSource from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database } from "../../node/store/database.ts";
import { eventually, Poster, World } from "../stories/world.ts";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";

/** The README's own pictures are made anew with UPDATE_PICTURES=1. */
const pictures = process.env["UPDATE_PICTURES"]
	? join(import.meta.dirname, "../../specs/pictures")
	: join(import.meta.dirname, "pictures");

describe.skipIf(!executable)("the demo in a browser", () => {
	let world: World;
	let browser: Browser;
	const accounts: Record<string, { address: string; username: string; password: string }> = {};

	beforeAll(async () => {
		mkdirSync(pictures, { recursive: true });
		[world, browser] = await Promise.all([new World().open(), openBrowser()]);
	});
	afterAll(async () => {
		await browser?.close();
		await world?.[Symbol.asyncDispose]();
	});

	test.each([
		{ width: 1280, provider: "north", domain: "choir.localhost", name: "ada" },
		{ width: 320, provider: "south", domain: "band.localhost", name: "ben" },
	] as const)(
		"somebody deploys snac and the wiki by clicking, $width px wide",
		async ({ width, provider, domain, name }) => {
			const context = await browser.newContext({ ...viewer, viewport: { width, height: width > 600 ? 860 : 640 } });
			const page = await context.newPage();
			page.setDefaultTimeout(30_000);
			const foreign = foreignRequests(page, world.port);
			const shot = (what: string) =>
				page.screenshot({ path: join(pictures, `${what}-${width}.png`), animations: "disabled" });

			await page.goto(world.panel(provider));
			await page.getByLabel("Have a voucher?").fill(world.voucher(provider));
			await page.getByRole("button", { name: "Begin" }).click();
			await page.getByLabel("Your name").fill(name);
			await page.getByLabel("E-mail").fill(`${name}@${provider}.example`);
			await page.getByRole("textbox", { name: "Password" }).fill(`${name} has a long password`);
			await page.getByRole("button", { name: "Open the account" }).click();
			await page.getByRole("link", { name: "Set up your first one" }).click();

			await page.getByLabel("Your domain").fill(domain);
			await page.getByRole("button", { name: "Go on" }).click();
			await page.getByRole("checkbox", { name: "snac" }).check();
			await page.getByRole("checkbox", { name: "Federated Wiki" }).check();
			await shot("services");
			await page.getByRole("button", { name: "Go on" }).click();
			await page.getByLabel("Name of your first account").fill(name);
			await shot("check");
			await page.getByRole("button", { name: `Set up ${domain}` }).click();
			await page.getByRole("heading", { name: `Setting up: ${domain}` }).waitFor();
			await page.reload();
			await page.getByText("Start snac").waitFor();
			await shot("progress");
			await page.getByRole("heading", { name: `${domain} is ready` }).waitFor({ timeout: 120_000 });
			await shot("ready");
			expect(await violations(page)).toEqual([]);

			await page.getByRole("button", { name: "Show the first password snac" }).click();
			await page.getByRole("button", { name: "Show it now" }).click();
			const password = await page.locator("dt:has-text('Password') + dd").innerText();
			const address = `http://social.${domain}:${world.port}`;
			accounts[name] = { address, username: name, password: password.split("\n")[0]?.trim() ?? "" };
			await page.getByRole("button", { name: "I have kept it" }).click();

			await page.getByRole("link", { name: `Everything about ${domain}` }).click();
			await page.getByRole("heading", { name: "History" }).waitFor();
			await page.getByText("all well").first().waitFor({ timeout: 60_000 });
			await shot("deployment");
			expect(await violations(page)).toEqual([]);
			expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
			expect(foreign).toEqual([]);
			await context.close();
		},
	);

	test("the passwords shown work, and a post of the one reaches the other at the other provider", async () => {
		const { ada, ben } = accounts;
		if (!ada || !ben) throw new Error("The stories before did not come to their end");
		const [writer, reader] = await Promise.all([Poster.signIn(ada), Poster.signIn(ben)]);
		await reader.follow(`@ada@${new URL(ada.address).host}`);
		let posts = 0;
		await eventually("the post arrives", async () => {
			await writer.post(`We sing on Tuesdays, ${++posts}`);
			return (await reader.timeline()).some(({ content }) => content.includes("We sing on Tuesdays"));
		});
		const page = await browser.newPage({ ...viewer, viewport: { width: 1280, height: 860 } });
		await page.goto(`${ada.address}/ada`);
		await page.getByText("We sing on Tuesdays").first().waitFor();
		await page.goto(`http://localhost:${world.port}/`);
		await page.screenshot({ path: join(pictures, "demo-1280.png") });
		await page.goto(`http://mail.localhost:${world.port}/`);
		await page.getByText("choir.localhost").first().waitFor();
		await page.close();
	});

	test("what has not answered for long is set up again by a click; what is removed says so, is kept, and comes back", async () => {
		const context = await browser.newContext({ ...viewer, viewport: { width: 1280, height: 860 } });
		const page = await context.newPage();
		page.setDefaultTimeout(30_000);
		await page.goto(`${world.panel("north")}/sign-in`);
		await page.getByLabel("E-mail").fill("ada@north.example");
		await page.getByRole("textbox", { name: "Password" }).fill("ada has a long password");
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("link", { name: "choir.localhost" }).first().click();

		await page.getByRole("heading", { name: "History" }).waitFor();
		const again = page.getByRole("button", { name: "Set up again" });
		expect(await again.count()).toBe(0);
		await eventually("it is offered", async () => {
			await spoilt(world, "snac");
			await page.reload();
			await page.getByRole("heading", { name: "History" }).waitFor();
			return (await again.count()) === 1;
		});
		await again.click();
		await page.getByText("Put snac right").waitFor();
		await page.getByRole("heading", { name: "Set up anew: choir.localhost" }).waitFor({ timeout: 60_000 });
		await page.getByRole("link", { name: "Go on" }).click();
		await eventually("it is offered no more", async () => {
			await page.reload();
			await page.getByRole("heading", { name: "History" }).waitFor();
			return (await page.getByText("all well").count()) > 0 && (await again.count()) === 0;
		});
		await page.getByRole("button", { name: "Remove choir.localhost" }).click();
		await page.getByLabel("Type choir.localhost to confirm").fill("choir.localhost");
		await page.getByRole("button", { name: "Remove choir.localhost" }).click();
		await page.getByRole("link", { name: "Go on" }).click();
		await page.getByRole("button", { name: "Bring it back" }).click();
		await page.getByRole("heading", { name: "choir.localhost is ready" }).waitFor({ timeout: 60_000 });
		await page.goto(`${accounts["ada"]?.address}/ada`);
		await page.getByText("We sing on Tuesdays").first().waitFor();
		await context.close();
	});
});

/** Takes from North's service what it cannot start without, and its process; as if that had been so for longer than two minutes. */
async function spoilt(world: World, service: string): Promise<void> {
	const folder = join(world.folder, "north/services");
	for (const { pid, unit } of await world.processes()) {
		const [, deployment = "", name] = unit.split("/");
		if (name !== service || !existsSync(join(folder, deployment))) continue;
		rmSync(join(folder, deployment, service, "state/data/server.json"), { force: true });
		process.kill(pid, "SIGKILL");
	}
	const database = new Database(join(world.folder, "north/node.sqlite"));
	const ago = Date.now() - 10 * 60_000;
	database.run("UPDATE sighting SET health = 'unwell', since = $ago WHERE service = $service", { ago, service });
	database.close();
}

/** Requests that leave this world: there must be none. */
function foreignRequests(page: Page, port: number): string[] {
	const foreign: string[] = [];
	page.on("request", (request) => {
		const { hostname, port: to, protocol } = new URL(request.url());
		if (protocol !== "data:" && !(hostname.endsWith(".localhost") && to === String(port))) foreign.push(request.url());
	});
	return foreign;
}

/** What axe finds against WCAG 2.2 AA. */
async function violations(page: Page): Promise<string[]> {
	await page.evaluate(AxeBuilderSource.source);
	const tags = JSON.stringify(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);
	return (await page.evaluate(
		`axe.run(document, { runOnly: ${tags} }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map((n) => n.target).join(", ")))`,
	)) as string[];
}
