/** The first page: what it costs, and that nothing has to be asked for twice before it can be used. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executable, openBrowser, viewer } from "./gallery/browser.ts";
import { builtPanel } from "./gallery/panel-build.ts";
import { type Gallery, openGallery } from "./gallery/server.ts";
import { worlds } from "./gallery/worlds.ts";

const kilobyte = 1000;

describe("the first page", () => {
	let panel: string;

	beforeAll(async () => {
		panel = await builtPanel();
	});

	test("weighs at most 100 kB gzipped: the page, its two scripts, its styles and its typeface", () => {
		const page = readFileSync(join(panel, "index.html"));
		const files = [...page.toString().matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
		expect(files.filter((path) => /\.(js|css|woff2)$/.test(path))).toHaveLength(4);
		const sizes = [page, ...files.map((path) => readFileSync(join(panel, path)))].map(
			(file) => gzipSync(file, { level: 9 }).length,
		);
		const total = sizes.reduce((sum, size) => sum + size, 0);
		console.log(`first page: ${Math.round(total / kilobyte)} kB gzipped, of these ${sizes.join(" + ")} bytes`);
		expect(total).toBeLessThanOrEqual(100 * kilobyte);
	});

	test("asks no other origin for anything, not even a picture in its styles", () => {
		const assets = join(panel, "assets");
		const texts = readdirSync(assets)
			.filter((name) => /\.(js|css)$/.test(name))
			.map((name) => readFileSync(join(assets, name), "utf8"));
		const addresses = texts.join("\n").match(/(?:url\(|import\(?|fetch\()\s*["'`]?https?:[^"'`)]*/g) ?? [];
		expect(addresses).toEqual([]);
	});

	describe.skipIf(!executable)("in a browser", () => {
		let gallery: Gallery;
		let browser: Browser;

		beforeAll(async () => {
			[gallery, browser] = await Promise.all([openGallery(panel, worlds), openBrowser()]);
		});

		afterAll(async () => {
			await browser?.close();
			await gallery?.close();
		});

		test.each(["visitor", "customer"] as const)("of a %s can be used after one round of requests", async (world) => {
			const context = await browser.newContext(viewer);
			const page = await context.newPage();
			const named = readFileSync(join(panel, "index.html"), "utf8");
			const asked: string[] = [];
			page.on("request", (request) => asked.push(new URL(request.url()).pathname));
			await page.goto(`${gallery.originOf(world)}/`);
			await page.getByRole("heading", { name: "What you can run here" }).waitFor();
			const before = asked.filter((path) => path !== "/" && !path.startsWith("/api/v1/notices"));
			expect(before.filter((path) => !named.includes(path))).toEqual([]);
			expect(before.toSorted()).toEqual([...new Set(before)].toSorted());
			await context.close();
		});
	});
});
