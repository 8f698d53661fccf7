/** The demo's mailbox: pictures, what axe knows, and a hostile mail in a real browser. */
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CaughtMail } from "../../node/demo/mailbox.ts";
import { mailRoom } from "../../node/demo/page/mailbox-page.ts";
import { mailingOf } from "../../node/notices/wording.ts";
import { executable, openBrowser } from "./gallery/browser.ts";

const pictures = join(import.meta.dirname, "pictures");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const panel = "http://north.localhost:8080";
const mailing = mailingOf({
	...{ kind: "remove-done", params: { domain: "choir.localhost", date: "2026-12-22" }, language: "en" },
	...{ link: `${panel}/d/choir.localhost`, settings: `${panel}/account`, provider: "North" },
});
const mail = (id: string, change: Partial<CaughtMail> = {}): CaughtMail => ({
	...{ id, at: Date.UTC(2026, 10, 22, 12, Number(id)), messageId: null, to: ["ada@choir.example"] },
	...{ from: "North <panel@north.localhost>", subject: mailing.subject, text: mailing.text, ...change },
});
const evil = `</bdi><script>document.title="hacked"</script><img src=x onerror='document.title="hacked"'>\u202e`;
const mails = [
	mail("4", { subject: evil, from: evil, text: `${evil} javascript:document.title="hacked"` }),
	mail("3", {
		subject: `Your services under ${"a-very-long-name-".repeat(6)}choir.localhost are ready`,
		to: ["bob@band.example", "eve@band.example"],
	}),
	mail("2"),
	mail("1", { subject: "", text: "", from: "" }),
];

describe.skipIf(!executable)("the demo's mailbox (needs Chromium)", () => {
	let server: Server;
	let browser: Browser;
	let address: string;
	let shown: readonly CaughtMail[] = mails;

	beforeAll(async () => {
		mkdirSync(pictures, { recursive: true });
		const mailbox = { list: () => shown, get: (id: string) => shown.find((one) => one.id === id) };
		server = createServer(mailRoom({ mailbox, home: "http://localhost:8080/" })).listen(0, "127.0.0.1");
		await once(server, "listening");
		address = `http://localhost:${(server.address() as AddressInfo).port}`;
		browser = await openBrowser();
	});
	afterAll(async () => {
		await browser?.close();
		server?.close();
	});

	test.each([
		["list", "/", 320, "light", "de"],
		["list", "/", 1280, "dark", "en"],
		["mail", "/mail/2", 320, "dark", "en"],
		["mail", "/mail/2", 1280, "light", "de"],
		["bare", "/mail/1", 320, "light", "en"],
		["hostile", "/mail/4", 320, "light", "en"],
		["empty", "/", 320, "light", "en"],
	] as const)("%s (%s), %i px, %s, %s", async (name, path, width, colorScheme, locale) => {
		shown = name === "empty" ? [] : mails;
		const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, locale });
		const page = await context.newPage();
		const complaints: string[] = [];
		page.on("console", (message) => complaints.push(message.text()));
		page.on("requestfailed", (request) => complaints.push(request.url()));
		await page.goto(address + path);
		await page.evaluate(() => document.fonts.ready);
		await page.screenshot({ path: join(pictures, `mailbox-${name}-${width}-${colorScheme}.png`), fullPage: true });
		expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
		expect(await page.title()).not.toBe("hacked");
		await page.evaluate(axe);
		const { violations }: AxeResults = await page.evaluate(
			(values) => (window as never as { axe: typeof import("axe-core") }).axe.run({ runOnly: { type: "tag", values } }),
			rules,
		);
		expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
		expect(complaints).toEqual([]);
		await context.close();
	});

	test("by keyboard alone one gets to a mail and back", async () => {
		shown = mails;
		const page = await browser.newPage();
		await page.goto(`${address}/?lang=en`);
		await page.getByRole("link", { name: "was removed" }).focus();
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "was removed" }).waitFor();
		expect(await page.getByRole("link", { name: `${panel}/d/choir.localhost` }).count()).toBe(1);
		await page.getByRole("link", { name: "All mail" }).focus();
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "4 mails" }).waitFor();
		await page.close();
	});
});
