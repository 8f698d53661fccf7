import { join } from "node:path";
import { openSource, openTarget } from "../volumes/open.ts";
import { Line } from "./line.ts";
import { takeTurn } from "./turn.ts";
import type { AgentTools } from "./verbs.ts";
import { answerSource, answerTarget } from "./volume-server.ts";

export interface VolumeAsked {
	readonly end: string;
	readonly service: string;
	readonly volume: string;
	readonly move: string;
	readonly seeds: readonly string[];
}

/** Serves one end of one volume until the line ends. Nothing but frames leaves by the output. */
export async function serveVolume({ declaration, line }: AgentTools, asked: VolumeAsked): Promise<void> {
	const { end, service, volume, move, seeds } = asked;
	const folder = declaration.moveFolder(move);
	const place = declaration.place(service, volume);
	await takeTurn(folder);
	const scratch = join(folder, "scratch");
	const { input, output } = line();
	if (end !== "target") {
		const source = await openSource(place, { scratch });
		await new Line(input, output, answerSource(source, folder)).ended;
		return source.close();
	}
	const target = await openTarget(place, { scratch, seeds: seeds.map((seed) => declaration.place(seed, volume)) });
	const copyTo = (signal: AbortSignal) => target.copyTo(declaration.rehearsal(service, volume), signal);
	await new Line(input, output, answerTarget({ target, folder, copyTo })).ended;
	await target.close();
}
