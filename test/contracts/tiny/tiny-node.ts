import { afterEach, beforeEach, expect } from "vitest";
import type { LocalEngine, LocalEngineOptions } from "../../../node/engines/local/local-engine.ts";
import { tiny } from "./tiny.ts";
import { engineIn, MemoryVault, running, scratch, someNode } from "./world.ts";

/** One node with a tiny service, for the tests of one file: made anew for each test, and looked through at its end. */
export class TinyNode {
	#at = { folder: "", remove: () => {} };
	nodeId = someNode();
	vault = new MemoryVault();
	/** What is to be undone after the test, latest first. */
	readonly ends: (() => unknown)[] = [];
	readonly #engines: LocalEngine[] = [];

	constructor() {
		beforeEach(() => {
			[this.#at, this.nodeId, this.vault] = [scratch(), someNode(), new MemoryVault()];
		});
		afterEach(async () => {
			for (const engine of this.#engines.splice(0)) await engine.close();
			for (const end of this.ends.splice(0).reverse()) await end();
			expect(await running(this.nodeId), "nothing is left running").toEqual([]);
			this.#at.remove();
		});
	}

	get folder(): string {
		return this.#at.folder;
	}

	/** A new life of the node; of the earlier ones' programs it knows nothing. */
	engine(options: Partial<LocalEngineOptions> = {}): LocalEngine {
		const { nodeId, vault } = this;
		const engine = engineIn(this.folder, { nodeId, vault, recipes: [tiny()], ...options });
		this.#engines.push(engine);
		return engine;
	}

	/** The numbers of its programs, without their children. */
	async leaders(): Promise<number[]> {
		return (await running(this.nodeId)).filter(({ pid, group }) => pid === group).map(({ pid }) => pid);
	}
}
