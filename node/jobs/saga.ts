/**
 * A saga is a long piece of work cut into named steps, each of which can be undone.
 * The runner writes down every step before and after it runs, so a node that is
 * switched off in the middle picks up where it was.
 */
export interface Step<Data, Tools> {
	/** What is done, for translation, such as `start`; and to which service, if to one. */
	readonly verb: string;
	readonly service?: string;
	/** What the customer reads while the step runs, in English. */
	readonly title: string;
	/** How long it usually takes, in seconds, for "about 2 minutes left". */
	readonly seconds: number;
	/** After this many seconds one attempt is stopped and counts as failed. Default: 600. */
	readonly deadline?: number;
	/** How often it is tried before it has failed, in all. Default: 3, waiting 1 s, then twice as long each time. */
	readonly attempts?: number;
	/** May run twice: after a crash nobody knows whether the first run finished. */
	do(data: Data, tools: Tools, work: Work): Promise<Partial<Data> | void>;
	/** Takes `do` back. Also may run twice, also after a `do` that got only half way. */
	undo?(data: Data, tools: Tools, work: Work): Promise<void>;
	/** From here on there is no way back: failures are retried, never undone, and nobody can cancel. */
	readonly pivot?: true;
}

/** What a running step may use besides its tools. */
export interface Work {
	/** The job, and a key for external effects that is the same in every attempt. */
	readonly job: string;
	readonly key: string;
	/** Aborted by cancel, by the deadline, when the lease is lost and when the node closes. */
	readonly signal: AbortSignal;
	/** How far it is. Shown, and thinned out before it is written down. */
	progress(fraction: number | null, note?: string): void;
	/** A line for the raw log. Never a secret. */
	log(line: string): void;
}

export interface Saga<Data, Tools> {
	readonly name: string;
	/** The steps for this input, in order; the same input must always give the same steps. */
	steps(input: Data): Readonly<Record<string, Step<Data, Tools>>>;
}

/** A failure that waiting will not heal; it is not tried again. Problems with a 4xx status count as such too. */
export class Final extends Error {
	override readonly name = "Final";
}
