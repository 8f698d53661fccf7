/** The demo's own page: pictures, what axe knows, and the one thing it does by script. */
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { World } from "../../node/demo/page/page.ts";
import { reception } from "../../node/demo/page/reception.ts";
import { hostOf, providers } from "../../node/demo/providers.ts";
import { executable, openBrowser } from "./gallery/browser.ts";

const pictures = join(import.meta.dirname, "pictures");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const voucher = "north-9F6Q-7G5K-G3E5-WDSJ-91DV";

const world: World = {
	port: 8080,
	zone: "localhost",
	mailbox: "http://mail.localhost:8080/",
	stateFolder: "/home/anna/fediversity-node/.state/demo",
	providers: providers.map((provider, at) => ({
		...provider,
		panel: `http://${hostOf(provider)}:8080/`,
		voucher: at === 0 ? voucher : undefined,
	})),
	names: [
		{ host: "social.choir.localhost", provider: "North" },
		{ host: `wiki.${"a-very-long-name-".repeat(3)}choir.localhost`, provider: "South" },
	],
};

describe.skipIf(!executable)("the demo's page (needs Chromium)", () => {
	let server: Server;
	let browser: Browser;
	let address: string;

	beforeAll(async () => {
		mkdirSync(pictures, { recursive: true });
		server = createServer(reception({ id: "demo", world: async () => world })).listen(0, "127.0.0.1");
		await once(server, "listening");
		address = `http://localhost:${(server.address() as AddressInfo).port}/`;
		browser = await openBrowser();
	});
	afterAll(async () => {
		await browser?.close();
		server?.close();
	});

	test.each([
		[320, "light", "en"],
		[320, "dark", "de"],
		[768, "light", "de"],
		[1280, "light", "en"],
		[1280, "dark", "de"],
	] as const)("%i px, %s, %s", async (width, colorScheme, locale) => {
		const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, locale });
		const page = await context.newPage();
		const complaints: string[] = [];
		page.on("console", (message) => complaints.push(message.text()));
		page.on("requestfailed", (request) => complaints.push(request.url()));
		await page.goto(address);
		await page.evaluate(() => document.fonts.ready);
		await page.screenshot({ path: join(pictures, `demo-${width}-${colorScheme}.png`), fullPage: true });
		expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
		expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
		await page.evaluate(axe);
		const { violations }: AxeResults = await page.evaluate(
			(values) => (window as never as { axe: typeof import("axe-core") }).axe.run({ runOnly: { type: "tag", values } }),
			rules,
		);
		expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
		expect(complaints).toEqual([]);
		await context.close();
	});

	test("a click puts the voucher into the clipboard and says so", async () => {
		const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
		const page = await context.newPage();
		await page.goto(address);
		await page.getByRole("button", { name: "Copy" }).click();
		await page.getByRole("status").getByText("Copied").waitFor({ state: "attached" });
		expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(voucher);
		await context.close();
	});
});
