import { stripVTControlCharacters } from "node:util";
import { redactedText } from "../../secrets/redaction.ts";

/** So many lines are kept for those who come to listen later, and so many of the last ones. */
const mostLines = 2000;
const lastLines = 200;
/** Longer lines are cut. */
const longestLine = 4000;
/** That it begins and ends something: several lines an input, which say nothing to anybody. */
const aside = /^\d{4}-\S+Z +INFO .*: nixops4(_eval)?::\w+: (new|close time\.busy=.*)$/;
const evaluating = "Evaluation error: ";
/** In the words of newer and older Nix. */
const unbuilt = /^Evaluation error: (error: )?(Cannot build '|builder for '|\d+ dependenc\w+ of derivation ')/;

/** What NixOps4 and all it starts say in a run. */
export class Said {
	/** Those that are kept, without colours and without what looks like a secret. */
	readonly lines: string[] = [];
	/** The last of those for which there was no more room, and how many these were. */
	readonly #later: string[] = [];
	#more = 0;
	#last = "";
	#trouble: string | undefined;

	hear(line: string): void {
		const bare = stripVTControlCharacters(line.slice(0, longestLine));
		if (aside.test(bare)) return;
		if (bare.trim() !== "") this.#last = bare;
		this.#trouble = troubleIn(bare, this.#trouble);
		if (this.lines.length < mostLines) return void this.lines.push(redactedText(bare));
		// There may be very many of them.
		this.#more++;
		this.#later.push(bare);
		if (this.#later.length > lastLines) this.#later.shift();
	}

	/** Nothing more comes. Why a run has failed is said last, so that is kept. */
	end(): void {
		const left = this.#more - this.#later.length;
		if (left > 0) this.lines.push(`(${left} lines are left out here)`);
		this.lines.push(...this.#later.splice(0).map(redactedText));
	}

	/** Why it has failed, in one sentence; `how` it ended, for where it has said nothing of that. */
	reason(how: string): string {
		const last = this.#last && `: ${this.#last.replaceAll(/\w+:\/\/\S+/g, "…")}`;
		const said = redactedText(this.#trouble ?? `${how}${last}`);
		// Of a switch it says no more than that its program has failed; what is built for it is built while it evaluates.
		return / system\.switch\b/.test(said) || unbuilt.test(said)
			? "its NixOS could not be built, or it could not be switched to that; the log has why"
			: said;
	}
}

/** What a line says of why a run fails; else what has been said of that before. */
function troubleIn(line: string, before: string | undefined): string | undefined {
	const broken = /^\S+Z +ERROR .*: (panicked at .*?):?$/.exec(line)?.[1];
	if (broken) return `it broke down itself, it ${broken}`;
	const said = /(?:nixops4|Provider) error: *(.+)$/.exec(line)?.[1];
	// Nix says in its last line what is wrong, and before that where.
	const nix = before?.startsWith(evaluating) && /^ +error: *(.+)$/.exec(line)?.[1];
	return nix ? evaluating + nix : (said ?? before);
}
