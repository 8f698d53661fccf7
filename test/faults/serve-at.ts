/**
 * `fediversity serve` by another clock: `serve-at.ts CONFIG MILLISECONDS` runs the same command so many milliseconds
 * ahead of this machine, and `{ ahead: MILLISECONDS }` over its channel lets the clock jump. A third argument, the JSON of
 * `{ file, given }`, has services run as `recipes(given)` of that file says.
 */
import { setFlagsFromString } from "node:v8";

const [file, first = "0", kitchen] = process.argv.slice(2);
const RealDate = Date;
let ahead = Number(first);

class ShiftedDate extends RealDate {
	constructor(...given: []) {
		if (given.length === 0) super(RealDate.now() + ahead);
		else super(...given);
	}
	static override now = () => RealDate.now() + ahead;
}
globalThis.Date = ShiftedDate as DateConstructor;

process.on("message", (message: { ahead?: number }) => {
	if (message.ahead !== undefined) ahead = message.ahead;
});
// The channel is no reason to go on once the node has stopped.
process.channel?.unref();

// As main.ts does.
setFlagsFromString("--semi-space-growth-factor=1");
const { configuration } = await import("../../node/commands/configuration.ts");
const { serve } = await import("../../node/commands/serve.ts");
process.exit(await serve(configuration(file, process.env), kitchen ? await recipesOf(JSON.parse(kitchen)) : undefined));

async function recipesOf({ file, given }: { file: string; given: unknown }) {
	const { recipes } = await import(file);
	return recipes(given);
}
