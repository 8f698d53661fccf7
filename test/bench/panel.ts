import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildPanel } from "../../node/demo/panel.ts";
import { panelFolder } from "../../node/web/panel-files.ts";
import type { Bench } from "./bench.ts";

export const bench: Bench = {
	name: "panel",
	goals: "the first page at most 100 kB gzipped, with everything it needs to be usable",
	async run(say) {
		if (!existsSync(join(panelFolder, "index.html"))) await buildPanel(say, process.env);
		const page = readFileSync(join(panelFolder, "index.html"), "utf8");
		const named = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
		const kB = (paths: readonly string[]) =>
			paths.reduce((sum, path) => sum + weight(join(panelFolder, path)), 0) / 1000;
		const of = (ending: RegExp) => kB(named.filter((path) => ending.test(path)));
		const all = readdirSync(join(panelFolder, "assets")).map((name) => `/assets/${name}`);
		return [
			{
				what: "what the page names: all of it",
				unit: "kB",
				measured: kB(["/index.html", ...named]),
				goal: { atMost: 100 },
			},
			{ what: "of that scripts", unit: "kB", measured: of(/\.js$/) },
			{ what: "of that styles", unit: "kB", measured: of(/\.css$/) },
			{ what: "of that typefaces", unit: "kB", measured: of(/\.woff2$/) },
			{ what: "everything the panel has, all pages and languages", unit: "kB", measured: kB(["/index.html", ...all]) },
		];
	},
};

/** Bytes on the wire; typefaces are packed already. */
function weight(file: string): number {
	const bytes = readFileSync(file);
	return file.endsWith(".woff2") ? bytes.length : gzipSync(bytes, { level: 6 }).length;
}
