/** NixOps4's headless log on standard error: tracing-subscriber's text format, spans with NEW and CLOSE; part of the stand-in. */
import { writeSync } from "node:fs";
import type { Path } from "./evaluator.ts";

export class Log {
	readonly #flood: number;

	/** `flood`: so many bytes are written around every span, for tests of those who read it. */
	constructor(flood: number) {
		this.#flood = flood;
	}

	/** A line without a time. Where it cannot be written at once, the real one breaks down too. */
	plain(line: string): void {
		try {
			for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) rest = rest.subarray(writeSync(2, rest));
		} catch {
			process.exit(101);
		}
	}

	info(message: string): void {
		this.#timed(`nixops4::work: ${message}`);
	}

	span(...names: readonly string[]) {
		const began = performance.now();
		this.#timed(`${names.join(":")}: nixops4::work: new`);
		if (this.#flood > 0)
			this.plain(
				"x"
					.repeat(79)
					.concat("\n")
					.repeat(this.#flood / 80),
			);
		return {
			close: () => {
				const busy = (performance.now() - began).toFixed(2);
				this.#timed(`${names.join(":")}: nixops4::work: close time.busy=${busy}ms time.idle=0.01ms`);
			},
		};
	}

	path(path: Path): string {
		return `ComponentPath([${path.map((name) => JSON.stringify(name)).join(", ")}])`;
	}

	#timed(text: string): void {
		this.plain(`${new Date().toISOString().replace("Z", "000Z")}  INFO ${text}`);
	}
}
