import type { Readable, Writable } from "node:stream";
import { Problem } from "#protocol/problem.ts";
import type { Declaration } from "./declaration.ts";

/** What a verb may use of the outside. */
export interface AgentTools {
	readonly declaration: Declaration;
	readonly version: string;
	readonly input: Readable;
	/** For who talks both ways. */
	line(): { readonly input: Readable; readonly output: Writable };
}

/** Does what was asked; answers what is to be printed as JSON, or nothing. */
type Verb = (tools: AgentTools, ...words: string[]) => Promise<unknown>;

/** Everything that can be asked of a machine. Whatever it does not declare is refused. */
export const verbs: Readonly<Record<string, Verb>> = {
	async describe({ declaration, version }) {
		return (await import("./look.ts")).describe(declaration, version);
	},
	async size({ declaration }, service = "") {
		return { bytes: await (await import("./look.ts")).sizeOf(declaration, service) };
	},
	async probe({ declaration }, service = "") {
		return (await import("./look.ts")).probe(declaration, service);
	},
	async freeze({ declaration }, service = "") {
		await (await import("./units.ts")).hold(declaration, service, "frozen");
	},
	async stop({ declaration }, service = "") {
		await (await import("./units.ts")).hold(declaration, service, "stopped");
	},
	async thaw({ declaration }, service = "") {
		await (await import("./units.ts")).letGo(declaration, service);
	},
	async start({ declaration }, service = "") {
		await (await import("./units.ts")).letGo(declaration, service);
	},
	/** Its state is gone afterwards, its secrets too; it stays stopped. */
	async erase({ declaration }, service = "") {
		await (await import("./erasure.ts")).erase(declaration, service);
	},
	async account({ declaration }, service = "") {
		await (await import("./units.ts")).renewAccount(declaration, service);
	},
	async "secret-put"({ declaration, input }, service = "", secret = "") {
		declaration.secretFile(service, secret);
		const value = Buffer.concat(await input.toArray());
		(await import("./secrets.ts")).putSecret(declaration, service, secret, value);
	},
	async "secret-remove"({ declaration }, service = "", secret = "") {
		(await import("./secrets.ts")).removeSecret(declaration, service, secret);
	},
	/** `volume source|target VERSION SERVICE VOLUME MOVE [SERVICE…]`: the last ones may hold much of the same. */
	async volume(tools, end = "", version = "", service = "", volume = "", move = "", ...seeds) {
		// What goes over the line is agreed on by both ends being the same program.
		if (version !== tools.version)
			throw new Problem("machine-version", { machine: "The machine", version: tools.version, needed: version });
		const { serveVolume } = await import("./serve-volume.ts");
		await serveVolume(tools, { end, service, volume, move, seeds });
	},
};
