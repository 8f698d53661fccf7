import type { Service } from "../services/service.ts";
import type { Place } from "../volumes/volume.ts";

/** What should be true of one deployment on this node. Plain data: it is written to journals and to plan.json. */
export interface Plan {
	readonly deployment: string;
	readonly domain: string;
	readonly services: readonly PlannedService[];
	/** `frozen` keeps the state but lets nobody change it; `stopped` keeps it for the days of grace; `absent` erases it. */
	readonly mode: "serving" | "frozen" | "stopped" | "absent";
}

export interface PlannedService {
	readonly name: string;
	/** Full host names, the main one first. */
	readonly hosts: readonly string[];
	/** The origin people use, such as `http://social.choir.localhost:8080`. */
	readonly origin: string;
	/** The first account. Its password lies in the vault under `<deployment>/<service>/password`. */
	readonly owner: { readonly username: string; readonly email: string };
}

/** What the customer may know before picking: whether this engine can run a service here, and what would help. */
export type Ability =
	| { can: true; version?: string }
	| { can: false; code: "needs-engine" | "needs-program" | "needs-platform"; missing: string; why: string };

/** One stretch of the way to a plan. Running it again changes nothing. */
export interface Stage {
	/** Unique in its plan, such as `start:snac`. */
	readonly name: string;
	readonly verb: string;
	/** Undefined: it is for all of them. */
	readonly service?: string;
	readonly title: string;
	/** How long it usually takes. */
	readonly seconds: number;
	/** When to give up. */
	readonly deadline: number;
	run(report: Report): Promise<void>;
}

export interface Report {
	readonly signal: AbortSignal;
	progress(fraction: number | null, note?: string): void;
	log(line: string): void;
}

/** What the engine sees of one service right now, by asking the service itself. */
export interface Sighting {
	readonly service: string;
	readonly health: "well" | "starting" | "unwell" | "stopped";
	readonly probes: readonly { what: string; ok: boolean; detail: string; milliseconds: number }[];
	readonly sizeBytes: number | null;
}

/** Where a volume of one service is on this node. */
export interface PlacedVolume {
	readonly service: string;
	/** As the catalogue names it. */
	readonly name: string;
	readonly place: Place;
}

/** What services said when they ran for a moment with a copy of their state. */
export interface Rehearsal {
	/** False: this machine cannot shut them off from everybody, so they were not started, and `checks` says so. */
	readonly tried: boolean;
	readonly checks: readonly { what: string; ok: boolean; detail: string }[];
}

/** Where the gateway finds a service: an HTTP listener (on this machine, unless said), or a reason to wait. */
export type Backend =
	| { kind: "up"; port: number; host?: string }
	| { kind: "starting" | "frozen" | "stopped"; retryAfter: number };

/** Where the customer may sign in to the machine of a deployment. */
export interface SignIn {
	readonly user: string;
	readonly address: string;
	readonly port: number;
	/** How many keys are good for that there. */
	readonly keys: number;
	/** Whether these are the ones in the customer's account now. */
	readonly current: boolean;
}

/** Makes plans true. There are two: `local` (processes on this machine) and `nixops4`. */
export interface Engine {
	readonly name: string;
	can(service: Service): Promise<Ability>;
	/** The way to the plan in steps a person can follow; running all of them is `apply`. */
	stages(plan: Plan): readonly Stage[];
	/** Makes the plan true. Calling it again with the same plan changes nothing. */
	apply(plan: Plan, report: Report): Promise<void>;
	/**
	 * The way back to a plan from which the world may have drifted: everything that can be set up is set up again, and what
	 * is not well starts again. State stays as it is, and so does what is well already.
	 */
	repair(plan: Plan): readonly Stage[];
	/** One service ends and starts again; its state stays. */
	restart(plan: Plan, service: string, report: Report): Promise<void>;
	/** Gives the first account the password that now lies in the vault. */
	setPassword(plan: Plan, service: string, report: Report): Promise<void>;
	look(plan: Plan): Promise<readonly Sighting[]>;
	/** Gets what the plan's services need to run here, and starts nothing. */
	prepare(plan: Plan, report: Report): Promise<void>;
	/** Where the state of the plan's services is. For services not set up here yet, where it belongs; the folder around it is there. */
	places(plan: Plan): Promise<readonly PlacedVolume[]>;
	/**
	 * The state in these places has come from another node with its accounts: the next `apply` makes none, whether or not
	 * the services were set up here before. Does not start anything.
	 */
	adopt(plan: Plan): Promise<void>;
	/**
	 * Runs the plan's services for a moment from copies that `fill` puts into other places, shut off from the network and
	 * from everybody, and asks them how they are. Leaves nothing behind, also when it is cut off and `recover` comes.
	 */
	rehearse(plan: Plan, fill: (volumes: readonly PlacedVolume[]) => Promise<void>, report: Report): Promise<Rehearsal>;
	/** By SSH, with the keys of their account; null: nowhere. */
	signIn(plan: Plan): SignIn | null;
	/** Which of this engine's services answers under a host name; undefined: none of them. */
	backend(host: string): Backend | undefined;
	/**
	 * After a start: takes over what still runs and ends what should not; starting what is down goes on when this resolves.
	 * `plans` is everything that should be.
	 */
	recover(plans: readonly Plan[]): Promise<void>;
	/** Ends everything it started. */
	close(): Promise<void>;
}
