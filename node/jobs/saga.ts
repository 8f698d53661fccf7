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
	/**
	 * Of a pivot: a failure that waiting will not heal still takes everything back. For a hand-over that only the other
	 * side can refuse: nobody here can cancel it, and nothing but that refusal undoes it.
	 */
	readonly refusable?: true;
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
	/**
	 * Waits for somebody else, such as another node, and leaves the job's place to other jobs meanwhile. Goes on when there
	 * is a place again, which older jobs get first; at once when it is told to stop.
	 */
	aside<Result>(waiting: () => Promise<Result>): Promise<Result>;
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

/** Why something failed, fit for a customer to read. `code` is a Problem's, or `bug`. */
export interface FailureView {
	readonly code: string;
	readonly detail: string;
	readonly params: Readonly<Record<string, string>>;
}

/** What the journal says of one step. Each is written down before what follows from it happens. */
export type StepEvent =
	| { readonly type: "started" }
	| { readonly type: "progress"; readonly fraction: number | null; readonly note: string | null }
	/** It is tried again; `nextAt` (ms) is for people to read, the wait itself does not trust the clock. */
	| { readonly type: "retrying"; readonly problem: FailureView; readonly nextAt: number }
	| { readonly type: "done"; readonly result: object }
	| { readonly type: "failed"; readonly problem: FailureView }
	| { readonly type: "undo-started" }
	| { readonly type: "undone" }
	| { readonly type: "stuck"; readonly problem: FailureView };

/** What the journal says of the job as a whole. A job is stuck by a step, or by itself when no step is to blame. */
export type JobEvent =
	| { readonly type: "cancel-requested" }
	| { readonly type: "retry-requested" }
	| { readonly type: "ended"; readonly outcome: "done" | "undone" }
	| { readonly type: "stuck"; readonly problem: FailureView };

export type StepState = "waiting" | "running" | "retrying" | "done" | "failed" | "undoing" | "undone" | "stuck";

const moves: Record<StepState, Partial<Record<StepEvent["type"], StepState>>> = {
	waiting: { started: "running" },
	// Started again while running: the node was switched off in between.
	running: {
		started: "running",
		progress: "running",
		retrying: "retrying",
		done: "done",
		failed: "failed",
		stuck: "stuck",
	},
	retrying: { started: "running", failed: "failed" },
	done: { "undo-started": "undoing" },
	failed: { "undo-started": "undoing" },
	undoing: { "undo-started": "undoing", progress: "undoing", retrying: "undoing", undone: "undone", stuck: "stuck" },
	undone: {},
	stuck: { started: "running", "undo-started": "undoing" },
};

/** The only way a step changes state; undefined: the event cannot happen to a step in this state. */
export function next(state: StepState, event: StepEvent["type"]): StepState | undefined {
	return moves[state][event];
}
