/** What a command may use of the outside world: where it was started, whom it talks to, how it ends. */
export interface Terminal {
	/** Data, for people or the next program. */
	out(text: string): void;
	/** Messages about the work. */
	err(text: string): void;
	/** Asks the person; undefined when there is nobody to ask. */
	ask(question: string): Promise<string | undefined>;
	readonly environment: NodeJS.ProcessEnv;
	/** Whether `out` goes to a screen that shows colours. */
	readonly colour: boolean;
}

/** How a command ends, for scripts; the help lists them. */
export const exitCodes = {
	ok: 0,
	failure: 1,
	usage: 2,
	notRunning: 3,
	configuration: 78,
} as const;

/** Ends the command with a message for the person and a code for the script. */
export class Exit extends Error {
	override readonly name = "Exit";
	readonly code: number;
	constructor(code: keyof typeof exitCodes, message: string) {
		super(message);
		this.code = exitCodes[code];
	}
}

/** Something dangerous: goes on if the person types `expected`, or said `--yes` before. */
export async function confirm(terminal: Terminal, yes: boolean, warning: string, expected: string): Promise<void> {
	if (yes) return;
	terminal.err(warning);
	const typed = await terminal.ask(`Type ${expected} to go on: `);
	if (typed === undefined) throw new Exit("usage", "Nobody is here to confirm; add --yes if you are sure");
	if (typed.trim() !== expected) throw new Exit("failure", "That does not match; nothing was changed");
}
