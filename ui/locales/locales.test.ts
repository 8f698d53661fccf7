/** Every text of the panel is translated, and what is shipped is what the translation says. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const ui = join(import.meta.dirname, "..");

async function localizer(outputDir: string) {
	const { readConfigFileAndWriteSchema } = await import("@lit/localize-tools/lib/config.js");
	const { RuntimeLitLocalizer } = await import("@lit/localize-tools/lib/modes/runtime.js");
	const config = readConfigFileAndWriteSchema(join(ui, "lit-localize.json"));
	return new RuntimeLitLocalizer({
		...config,
		output: { ...config.output, outputDir, localeCodesModule: undefined },
	} as never);
}

test("German has every message, none too many, and was built after the last change", async () => {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-locales-"));
	const our = await localizer(folder);
	const messages: string[] = our.extractSourceMessages().messages.map(({ name }) => name);
	const german = [...our.readTranslationsSync().translations.values()].flat().map(({ name }) => name);
	const how = "run lit-localize extract in ui/, fill in the targets in locales/de.xlf, then lit-localize build";
	expect(german.toSorted(), how).toEqual(messages.toSorted());
	expect(our.validateTranslations().errors, how).toEqual([]);
	await our.build();
	const [built, shipped] = [folder, join(ui, "locales/generated")].map((from) =>
		readFileSync(join(from, "de.ts"), "utf8"),
	);
	rmSync(folder, { recursive: true });
	expect(shipped, how).toBe(built);
});

test("no translation is empty or has lost a parameter", () => {
	const xliff = readFileSync(join(ui, "locales/de.xlf"), "utf8");
	const units = [...xliff.matchAll(/<source>(.*?)<\/source>\s*<target>(.*?)<\/target>/gs)];
	expect(units.length).toBeGreaterThan(300);
	for (const [, source = "", target = ""] of units) expect(paramsOf(target), source).toEqual(paramsOf(source));
});

function paramsOf(text: string): string[] {
	return [...text.matchAll(/<x id="\d+"|\{\w+\}/g)].map(([found]) => found).sort();
}
