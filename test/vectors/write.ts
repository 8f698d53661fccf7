/** Writes the vectors down, for when the protocol changes: node test/vectors/write.ts */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vectors } from "./migration.ts";

const folder = join(import.meta.dirname, "../../specs/vectors/migration");
mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(await vectors()))
	writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(content, null, "\t")}\n`);
