/**
 * `npm test`: everything but the services that take long to build. `npm test services` tries those. Names of projects
 * (unit, stories, browser, services) choose; all else goes to Vitest: `npm test unit zone -- -t "compare-and-swap"`.
 */
import { join } from "node:path";
import { parseCLI, startVitest } from "vitest/node";
import { buildPanel } from "../node/demo/panel.ts";
import { Tally } from "./tally.ts";
import { provideTools } from "./tools.ts";

const projects = ["unit", "stories", "browser", "services"];
const always = ["unit", "stories", "browser"];

const words = process.argv.slice(2).filter((word) => word !== "--");
const chosen = words.filter((word) => projects.includes(word));
const { filter, options } = parseCLI(["vitest", "run", ...words.filter((word) => !projects.includes(word))]);

const tally = new Tally();
try {
	provideTools(console.error);
	await buildPanel(console.error, process.env);
	const vitest = await startVitest("test", filter, {
		...options,
		watch: false,
		config: join(import.meta.dirname, "vitest.config.ts"),
		project: chosen.length > 0 ? chosen : always,
		reporters: ["default", tally],
	});
	await vitest.close();
} catch (error) {
	tally.failed++;
	console.error(error);
}

// With a pattern most are left out on purpose.
if (!options.testNamePattern) for (const name of tally.skipped) console.log(`skipped: ${name}`);
if (tally.passed + tally.failed === 0) console.log("No test matches; nothing was tried");
console.log(tally.line);
process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0);
