/**
 * Brings the panel's translations up to date, by hand after a text has changed: `node test/translate.ts`.
 * Takes the node's sentences to where translators find them, extracts all messages, builds what is shipped,
 * and names what still lacks its German: fill that in in ui/locales/de.xlf and run it again.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { problems } from "#protocol/problem.ts";
import { records } from "../node/deployments/deploy.ts";
import { erase, remove } from "../node/deployments/remove.ts";
import { stagesTo } from "../node/engines/nixops4/stages.ts";
import { arrive } from "../node/migrations/arrive.ts";
import { leave } from "../node/migrations/leave.ts";
import { catalogue } from "../node/services/catalogue.ts";

const root = join(import.meta.dirname, "..");
const ui = join(root, "ui");

const lists = {
	problemSentences: Object.values(problems).map(([, sentence]) => sentence),
	stepSentences: [
		...new Set([
			records.title,
			...[remove, erase, leave, arrive].flatMap(({ steps }) =>
				Object.values(steps({} as never)).map(({ title }) => title),
			),
			...["serving", "stopped", "absent"].flatMap((mode) =>
				stagesTo({ mode, services: [] } as never, async () => {}).map(({ title }) => title),
			),
		]),
	],
	catalogueSentences: catalogue.flatMap(({ promise, goodFor, size }) => [promise, goodFor, size.growth]),
};

writeSentences();
run(root, "node_modules/@biomejs/biome/bin/biome", "format", "--write", "ui/words/from-the-node.ts");
const localize = join(root, "node_modules/@lit/localize-tools/bin/lit-localize.js");
run(ui, localize, "extract");
run(ui, localize, "build");
for (const source of untranslated()) console.log(`lacks its German: ${source}`);

/** Keeps the file as it is but for the lists in it. */
function writeSentences() {
	const file = join(ui, "words/from-the-node.ts");
	let text = readFileSync(file, "utf8");
	for (const [name, sentences] of Object.entries(lists)) {
		const items = sentences.map((sentence) => `\tmsg(${JSON.stringify(sentence)}),\n`).join("");
		text = text.replace(new RegExp(`(${name} = \\(\\) => \\[)[^\\]]*\\]`), (_, start: string) => `${start}\n${items}]`);
	}
	writeFileSync(file, text);
}

function untranslated(): string[] {
	const units = readFileSync(join(ui, "locales/de.xlf"), "utf8").matchAll(/<trans-unit[^>]*>(.*?)<\/trans-unit>/gs);
	return [...units]
		.filter(([, unit = ""]) => !unit.includes("<target>"))
		.map(([, unit = ""]) => /<source>(.*?)<\/source>/s.exec(unit)?.[1] ?? unit);
}

function run(cwd: string, ...command: string[]) {
	const { status, stderr } = spawnSync(process.execPath, command, { cwd, encoding: "utf8" });
	if (status !== 0) throw new Error(`${command.join(" ")} failed:\n${stderr}`);
}
