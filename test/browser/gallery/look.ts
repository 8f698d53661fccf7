/** Takes pictures of some scenes, by hand: `node test/browser/gallery/look.ts home,job 320,1280 light,dark`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, viewer } from "./browser.ts";
import { builtPanel } from "./panel-build.ts";
import { scenes } from "./scenes.ts";
import { openGallery } from "./server.ts";
import { worlds } from "./worlds.ts";

const [names = "", widths = "320,1280", schemes = "light"] = process.argv.slice(2);
const wanted = scenes.filter(({ name }) => names.split(",").some((start) => name.startsWith(start)));
const folder = join(import.meta.dirname, "../pictures");
mkdirSync(folder, { recursive: true });

const panel = await builtPanel();
const gallery = await openGallery(panel, worlds);
const browser = await openBrowser();
const context = await browser.newContext({ ...viewer, viewport: { width: 1280, height: 800 } });
for (const scene of wanted) {
	const page = await context.newPage();
	page.on("console", (message) => console.log(scene.name, message.text()));
	page.on("pageerror", (error) => console.log(scene.name, error.stack));
	await page.goto(gallery.originOf(scene.world) + scene.path);
	await scene.act?.(page).catch((error: Error) => console.log(scene.name, error.message));
	await page
		.getByText(scene.shows)
		.first()
		.waitFor({ state: "attached", timeout: 5000 })
		.catch(() => console.log(scene.name, "does not show", scene.shows));
	await page.evaluate(() => document.fonts.ready);
	for (const colorScheme of schemes.split(",") as ("light" | "dark")[])
		for (const width of widths.split(",").map(Number)) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: width === 320 ? 640 : 800 });
			await page.evaluate(() => scrollTo(0, 0));
			await page.screenshot({ path: join(folder, `${scene.name}-${width}-${colorScheme}.png`), fullPage: true });
		}
	await page.close();
}
await browser.close();
await gallery.close();
