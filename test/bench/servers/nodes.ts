import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../../../node/volumes/volume.ts";
import { asNode, cpuWithChildren, freePort, type Peer, startPeer } from "./peer.ts";

/** Two nodes that run already, as nodes do, and all that one gives the other. */
export class Nodes {
	readonly #source: Peer;
	readonly #target: Peer;
	readonly #tree: string;
	readonly #copy: string;

	private constructor(peers: readonly [Peer, Peer], tree: string, copy: string) {
		[this.#source, this.#target] = peers;
		this.#tree = tree;
		this.#copy = copy;
	}

	/** A folder, and a database from one place to another. What comes and what is remembered goes into `folder`. */
	static async start(tree: string, folder: string, database: readonly [from: Place, to: Place]): Promise<Nodes> {
		const [from, to] = [await freePort(), await freePort()];
		mkdirSync(folder, { recursive: true });
		const copy = join(folder, "copy");
		const node = (file: string, port: number, place: Place, ...args: string[]) => {
			const all = [asNode, join(import.meta.dirname, file), `${port}`, ...args, "c2lk", JSON.stringify(place)];
			return startPeer(process.execPath, all, port);
		};
		const source = await node("copy-source.ts", from, database[0], tree, join(folder, "source"));
		try {
			const target = await node("copy-target.ts", to, database[1], `${from}`, copy, join(folder, "target"));
			return new Nodes([source, target], tree, copy);
		} catch (error) {
			await source.stop();
			throw error;
		}
	}

	/** The source looks what there is, and the target fetches what it lacks. */
	async round(final: boolean): Promise<void> {
		const answer = await ask(this.#target.port, final ? "/final" : "/round");
		const { damaged } = (await answer.json()) as { damaged: number };
		if (damaged > 0) throw new Error(`${damaged} pieces were damaged`);
	}

	/** What has come takes its place. */
	async swap(): Promise<void> {
		await ask(this.#target.port, "/swap");
	}

	/** Removes what the move has left at the source. */
	async forget(): Promise<void> {
		await ask(this.#source.port, "/forget");
	}

	/** Throws unless the files that came are those that were there. */
	check(): void {
		const { status, stdout } = spawnSync("diff", ["-rq", this.#tree, this.#copy], { encoding: "utf8" });
		if (status !== 0) throw new Error(`The copy is not the same: ${stdout.slice(0, 500)}`);
	}

	/** Processor seconds of both, with the programs that they call. */
	cpu(): number {
		return cpuWithChildren(this.#source.pid) + cpuWithChildren(this.#target.pid);
	}

	/** The most memory that either has held, in MB. */
	peak(): number {
		return Math.max(this.#source.peak(), this.#target.peak());
	}

	async stop(): Promise<void> {
		await this.#target.stop();
		await this.#source.stop();
	}
}

/** By a connection of its own: another one would be closed while a peer copies. */
async function ask(port: number, path: string): Promise<Response> {
	const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
	if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
	return answer;
}
