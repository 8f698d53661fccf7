/** The gallery to leaf through by hand: `node test/browser/gallery/serve.ts`, after a build of the panel. */
import { join } from "node:path";
import { openGallery } from "./server.ts";
import { worlds } from "./worlds.ts";

const { port } = await openGallery(
	join(import.meta.dirname, "../../../dist/ui"),
	worlds,
	Number(process.env["PORT"] ?? 8090),
);
console.log(`http://localhost:${port}/`);
