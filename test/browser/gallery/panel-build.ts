import { join } from "node:path";
import { buildPanel } from "../../../node/demo/panel.ts";

/** Where the built panel is, built anew if it is older than what it is made of. */
export async function builtPanel(): Promise<string> {
	await buildPanel(() => {}, process.env);
	return join(import.meta.dirname, "../../../dist/ui");
}
