/** The gallery to leaf through by hand: `node test/browser/gallery/serve.ts`. */
import { builtPanel } from "./panel-build.ts";
import { openGallery } from "./server.ts";
import { worlds } from "./worlds.ts";

const { port } = await openGallery(await builtPanel(), worlds, Number(process.env["PORT"] ?? 8090));
console.log(`http://localhost:${port}/`);
