/**
 * Every page in every state, at three widths, light and dark: pictures to leaf through (test/browser/pictures),
 * no accessibility violation that axe knows, nothing wider than the window, nothing the content policy had to stop.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";
import { builtPanel } from "./gallery/panel-build.ts";
import { type Scene, scenes } from "./gallery/scenes.ts";
import { type Gallery, openGallery } from "./gallery/server.ts";
import { worlds } from "./gallery/worlds.ts";

const pictures = join(import.meta.dirname, "pictures");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Every look at a scene; axe runs once in each scheme, at the narrowest and at the widest window. */
const looks = [
	{ width: 320, colorScheme: "light", axe: true },
	{ width: 768, colorScheme: "light", axe: false },
	{ width: 1280, colorScheme: "light", axe: false },
	{ width: 1280, colorScheme: "dark", axe: true },
	{ width: 320, colorScheme: "dark", axe: false },
] as const;

describe.skipIf(!executable)("the gallery", () => {
	let panel: string;
	let gallery: Gallery;
	let browser: Browser;
	let context: BrowserContext;

	beforeAll(async () => {
		mkdirSync(pictures, { recursive: true });
		panel = await builtPanel();
		[gallery, browser] = await Promise.all([openGallery(panel, worlds), openBrowser()]);
		context = await browser.newContext({ ...viewer, viewport: { width: 1280, height: 800 } });
	});

	afterAll(async () => {
		await browser?.close();
		await gallery?.close();
	});

	test("would notice an input without a label, and letters that are too pale", async () => {
		const page = await context.newPage();
		await page.goto(`${gallery.originOf("visitor")}/sign-in`);
		await page.getByLabel("E-mail").waitFor();
		await page.evaluate(() => {
			document.querySelector("label")?.removeAttribute("for");
			document.documentElement.style.setProperty("--ink", "#bbb");
		});
		const found = (await violations(page)).map((violation) => violation.split(":")[0]);
		expect(found).toEqual(expect.arrayContaining(["label", "color-contrast"]));
		await page.close();
	});

	test.concurrent.each(scenes)("$name", async (scene) => {
		const page = await context.newPage();
		const complaints = listen(page);
		await enter(page, scene, gallery);
		for (const wanted of looks) await look(page, scene, wanted);
		expect(complaints).toEqual([]);
		await page.close();
	});
});

async function enter(page: Page, scene: Scene, gallery: Gallery): Promise<void> {
	await page.goto(gallery.originOf(scene.world) + scene.path);
	await scene.act?.(page);
	await page.getByText(scene.shows).first().waitFor({ state: "attached", timeout: 60_000 });
	await page.evaluate(() => document.fonts.ready);
}

/** One picture, and what can be told from it. */
async function look(page: Page, scene: Scene, { width, colorScheme, axe }: (typeof looks)[number]): Promise<void> {
	await page.emulateMedia({ colorScheme });
	await page.setViewportSize({ width, height: width === 320 ? 640 : 800 });
	await page.evaluate(() => scrollTo(0, 0));
	const path = join(pictures, `${scene.name}-${width}-${colorScheme}.png`);
	await page.screenshot({ path, fullPage: true, animations: "disabled" });
	const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	expect(overflow, `wider than ${width}px by`).toBeLessThanOrEqual(0);
	if (axe) expect(await violations(page), `axe at ${width}px, ${colorScheme}`).toEqual([]);
}

async function violations(page: Page): Promise<string[]> {
	const known = await page.evaluate(() => "axe" in window);
	if (!known) await page.evaluate(axe);
	const results: AxeResults = await page.evaluate(
		(values) => (window as never as { axe: typeof import("axe-core") }).axe.run({ runOnly: { type: "tag", values } }),
		rules,
	);
	return results.violations.flatMap(({ id, nodes }) =>
		nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
	);
}

/** What the console and the content policy have to say; a 4xx or a 504 that the scene is about is no complaint. */
function listen(page: Page): string[] {
	const complaints: string[] = [];
	page.on("pageerror", (error) => complaints.push(`${error}`));
	page.on("console", (message) => {
		if (
			["error", "warning"].includes(message.type()) &&
			!/status of (4\d\d|504)|ERR_EMPTY_RESPONSE/.test(message.text())
		)
			complaints.push(message.text());
	});
	return complaints;
}
