/**
 * `npm test`: everything but the services that take long to build. `npm test services` tries those. Names of projects
 * (unit, stories, browser, services) choose; all else goes to Vitest: `npm test unit zone -- -t "compare-and-swap"`.
 */
import { join, relative } from "node:path";
import { parseCLI, startVitest } from "vitest/node";
import { buildPanel } from "../node/demo/panel.ts";
import { provideBuilt } from "./services/programs.ts";
import { Tally } from "./tally.ts";
import { provideTools } from "./tools.ts";

const root = join(import.meta.dirname, "..");
const projects = ["unit", "stories", "browser", "services"];
const always = ["unit", "stories", "browser"];

const words = process.argv.slice(2).filter((word) => word !== "--");
const chosen = words.filter((word) => projects.includes(word));
const { filter, options } = parseCLI(["vitest", "run", ...words.filter((word) => !projects.includes(word))]);

const tally = new Tally();
let shaky: readonly string[] = [];
try {
	provideTools(console.error);
	// A real certificate authority takes a minute to build, the first time.
	provideBuilt(["pebble"]);
	await buildPanel(console.error, process.env);
	await run(filter, tally);
	shaky = tally.shaky;
	if (shaky.length > 0) await secondTry();
} catch (error) {
	tally.failed++;
	console.error(error);
}

async function run(files: string[], into: Tally) {
	const vitest = await startVitest("test", files, {
		...options,
		watch: false,
		config: join(import.meta.dirname, "vitest.config.ts"),
		project: chosen.length > 0 ? chosen : always,
		reporters: ["default", into],
	});
	await vitest.close();
}

/** Whole nodes and browsers on a busy machine fail now and then; what passes alone is told by name, and is worth a look. */
async function secondTry() {
	const second = new Tally();
	await run([...shaky], second);
	if (second.failed === 0 && second.passed > 0) tally.mend();
}

if (tally.failed === 0) for (const file of shaky) console.log(`needed a second try: ${relative(root, file)}`);
// With a pattern most are left out on purpose.
if (!options.testNamePattern) for (const name of tally.skipped) console.log(`skipped: ${name}`);
if (tally.passed + tally.failed === 0) console.log("No test matches; nothing was tried");
console.log(tally.line);
process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0);
