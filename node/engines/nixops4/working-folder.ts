import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Plan as NixPlan } from "#protocol/nixops4/plan.ts";

/** What the node remembers of a deployment on this engine. */
export interface Standing {
	/** The plan that NixOps4 has last made true; null: none yet. */
	readonly applied: NixPlan | null;
	/** A run to another plan has begun since, and has not come to its end. */
	readonly isHalfway: boolean;
	/** Why its services rest without NixOps4 knowing of it; null: they do not. */
	readonly hold: "frozen" | "stopped" | null;
	/** Of the run that was begun last. */
	readonly generation: number;
}

const nothing: Standing = { applied: null, isHalfway: false, hold: null, generation: 0 };

/** The same for every deployment: what differs is data beside it. */
const entry = "import ./root { plan = ./plan.json; }\n";

/** The folder in which `nixops4` runs for one deployment; what is read there is all that it knows. */
export class WorkingFolder {
	readonly path: string;

	/** Nothing is made yet. */
	constructor(folder: string, deployment: string) {
		this.path = join(folder, deployment);
	}

	/** As it was last written, also before this process began. */
	get standing(): Standing {
		try {
			return JSON.parse(readFileSync(join(this.path, "standing.json"), "utf8")) as Standing;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return nothing;
			throw error;
		}
	}

	/** Whole or not at all, also when the power fails. */
	async remember(change: Partial<Standing>): Promise<Standing> {
		mkdirSync(this.path, { recursive: true, mode: 0o700 });
		const standing = { ...this.standing, ...change };
		await this.#write("standing.json", standing);
		return standing;
	}

	/** Makes ready for a run: the plan as data, and `root` to lead to the Nix code. */
	async prepare(plan: NixPlan, root: string): Promise<void> {
		mkdirSync(this.path, { recursive: true, mode: 0o700 });
		await this.#write("plan.json", plan);
		await this.#write("nixops4.nix", entry);
		rmSync(join(this.path, "root"), { force: true });
		symlinkSync(root, join(this.path, "root"));
	}

	/** Twice is fine. */
	remove(): void {
		rmSync(this.path, { recursive: true, force: true });
	}

	async #write(name: string, content: unknown): Promise<void> {
		const file = join(this.path, name);
		const handle = await open(`${file}.new`, "w", 0o600);
		try {
			await handle.writeFile(typeof content === "string" ? content : `${JSON.stringify(content, null, "\t")}\n`);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(`${file}.new`, file);
	}
}
