/** Test equipment: finds secrets where they must not be, in files and in what can be seen of processes. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What anybody on this machine can see of its processes, and what their own user can. */
export function everyProcess(): string[] {
	return readdirSync("/proc").flatMap((pid) => {
		try {
			return Number(pid)
				? [readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8")]
				: [];
		} catch {
			return [];
		}
	});
}

/** Looks at all processes again and again, since who is given a secret may not have it yet when it is seen. */
export class Lookout {
	readonly #seen = new Set<string>();
	readonly #timer = setInterval(() => {
		for (const one of everyProcess()) this.#seen.add(one);
	}, 250);

	/** Whose words or environment have one of these texts; it looks no more. */
	with(texts: readonly string[]): string[] {
		clearInterval(this.#timer);
		return [...this.#seen].filter((one) => texts.some((text) => one.includes(text)));
	}

	/** How many different ones it has seen. */
	get count(): number {
		return this.#seen.size;
	}
}

/** Files in which one of these texts stands, but for those that machines keep secrets in. */
export function filesWith(folder: string, texts: readonly string[]): string[] {
	return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
		const file = join(folder, name);
		if (/(^|\/)state\/secrets\//.test(name)) return false;
		try {
			const content = statSync(file).isFile() && readFileSync(file);
			return content && texts.some((text) => content.includes(text));
		} catch {
			// It has gone meanwhile.
			return false;
		}
	});
}
