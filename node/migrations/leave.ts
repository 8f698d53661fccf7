import { setTimeout as pause } from "node:timers/promises";
import { serves } from "#protocol/migration/conversation.ts";
import type { Content } from "#protocol/migration/messages.ts";
import { isCloseEnough, roundsOf } from "#protocol/migration/rounds.ts";
import { Problem } from "#protocol/problem.ts";
import type { DeploymentState } from "../deployments/deployment.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import type { Saga, Step, Work } from "../jobs/saga.ts";
import { announcedIn, announcedRound } from "./announced.ts";
import { letRest, tellAll, untilVoted } from "./resting.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** What the old provider does when a deployment moves away. Its other half is `arrive.ts`. */
export interface LeaveInput {
	readonly plan: Plan;
	readonly migration: string;
}

export interface LeaveTools {
	readonly sessions: Sessions;
	readonly engine: Engine;
	readonly now: () => number;
	/** How long services may rest at a time, seconds. */
	readonly freezeSeconds: number;
	/** Lists what all volumes hold. */
	inventory(
		migration: string,
		plan: Plan,
		how: { round: number; final: boolean },
		work: Work,
	): Promise<Content<"manifest">>;
	/** Ends and removes everything that only the move needed here. Twice is fine. */
	forget(migration: string, plan: Plan): Promise<void>;
	/** The services' secrets, sealed to the other node's session. */
	secrets(plan: Plan, sealTo: string): Promise<string>;
	setState(deployment: string, state: DeploymentState): void;
	/** The domain's records become the other node's, where we set them. Again changes nothing. */
	handDomainOver(domain: string, accept: Content<"accept">): Promise<void>;
	/** They become ours again, in an epoch after the other node's, where we set them. Again changes nothing. */
	takeDomainBack(migration: string, plan: Plan): Promise<void>;
	/** Asks the services at the other node, as their users will. Throws while one of them does not answer. */
	probe(plan: Plan, accept: Content<"accept">, signal: AbortSignal): Promise<void>;
	/** Tells the other node how long services have rested. */
	rested(migration: string, seconds: number): Promise<void>;
	/** Shows how far the other node is, as long as `work` goes on. */
	follow(migration: string, work: Work): { close(): void };
}

type LeaveStep = Step<LeaveInput, LeaveTools>;

const day = 86_400;
/** For what waits for somebody else: as often as it takes. */
const patient = { deadline: 20 * day, attempts: 1_000_000 };

const agree: LeaveStep = {
	...{ verb: "agree", title: "Agree with the new provider", seconds: 5, ...patient },
	async do({ migration }, { sessions }, work) {
		const { talk, about } = sessions.known(migration);
		if (talk.state === "planned" && about.offer) await sessions.say(migration, { kind: "offer", content: about.offer });
		work.progress(null, "waiting for the new provider");
		await work.aside(() => sessions.until(migration, work.signal, () => sessions.last(migration, "target", "accept")));
	},
	async undo({ migration, plan }, { sessions, forget }) {
		checkPast(sessions.known(migration));
		await sessions.callOff(migration, "the move was called off");
		await forget(migration, plan);
	},
};

const copy: LeaveStep = {
	...{ verb: "copy", title: "Copy everything while your services run", seconds: 60, ...patient },
	async do({ migration, plan }, tools, work) {
		const { sessions } = tools;
		const following = tools.follow(migration, work);
		try {
			for (;;) {
				const announced = roundsOf(announcedIn(sessions, migration));
				const round = sessions.all(migration, "source", "manifest").length;
				if (announced.length < round)
					await work.aside(() =>
						sessions.until(migration, work.signal, () => announcedRound(sessions, migration, round)),
					);
				else if (isCloseEnough(announced)) return;
				else {
					const content = await tools.inventory(migration, plan, { round: round + 1, final: false }, work);
					await sessions.say(migration, { kind: "manifest", content });
				}
			}
		} finally {
			following.close();
		}
	},
};

const rehearse: LeaveStep = {
	...{ verb: "rehearse", title: "See that it works at the new provider", seconds: 20, ...patient },
	async do({ migration }, { sessions, follow }, work) {
		const following = follow(migration, work);
		try {
			const rehearsal = await work.aside(() =>
				sessions.until(migration, work.signal, () => {
					return announcedIn(sessions, migration).at(-1)?.rehearsal ?? undefined;
				}),
			);
			for (const { what, ok, detail } of rehearsal.checks) work.log(`${ok ? "✓" : "✗"} ${what}: ${detail}`);
			const failed = rehearsal.checks.find(({ ok }) => !ok);
			if (!rehearsal.ok)
				throw new Problem("rehearsal-failed", { what: failed?.what ?? "", detail: failed?.detail ?? "" });
		} finally {
			following.close();
		}
	},
};

const freeze: LeaveStep = {
	...{ verb: "freeze", title: "Let your services rest", seconds: 5, deadline: 300 },
	async do(input, tools, work) {
		tools.sessions.checkOpen(tools.sessions.known(input.migration));
		await letRest(input, tools, work);
	},
	async undo({ migration, plan }, { sessions, engine, setState, now }, work) {
		// Before anybody may serve here again it must be certain that the other node will not.
		checkPast(sessions.known(migration));
		await sessions.callOff(migration, "the move was called off while services rested");
		const { talk, thawedAt } = sessions.known(migration);
		if (!serves("source", talk.state)) throw new Error(`Services must not start again: the migration is ${talk.state}`);
		setState(plan.deployment, "serving");
		await engine.apply({ ...plan, mode: "serving" }, work);
		if (thawedAt === null) sessions.change(migration, { thawedAt: now() });
	},
};

const rest: LeaveStep = {
	...{ verb: "rest", title: "Copy what has changed since", seconds: 10, ...patient },
	do: tellAll,
};

const verify: LeaveStep = {
	...{ verb: "verify", title: "Wait until the new provider has checked every byte", seconds: 10, ...patient },
	do: untilVoted,
};

/** The one point of no return. Only the other node can still refuse, and then it will never serve. */
const handOver: LeaveStep = {
	...{ verb: "hand-over", title: "Hand over to the new provider", seconds: 10, ...patient },
	pivot: true,
	refusable: true,
	async do({ migration, plan }, tools, work) {
		const { sessions, secrets, follow } = tools;
		const { talk, about } = sessions.known(migration);
		if (about.past) sessions.checkOpen(sessions.known(migration));
		if (talk.state === "voted" && talk.manifest !== null) {
			const sealTo = sessions.last(migration, "target", "accept")?.sealTo ?? "";
			const content = { manifest: talk.manifest, epoch: talk.epoch + 1, secrets: await secrets(plan, sealTo) };
			await sessions.say(migration, { kind: "move", content });
		}
		const following = follow(migration, work);
		try {
			const active = sessions.until(migration, work.signal, () => sessions.last(migration, "target", "active"));
			const heard = sessions.until(migration, work.signal, ({ id }) => isHeard(sessions, id) || undefined);
			const point = () => pointing(plan.domain, accepted(sessions, migration), tools, work, active);
			const pointed = heard.then(point, () => {});
			// Also when the other node refuses: what takes the domain back must not meet what still hands it over.
			await work.aside(() => active.finally(() => pointed));
		} finally {
			following.close();
		}
	},
	undo: ({ migration, plan }, { takeDomainBack }) => takeDomainBack(migration, plan),
};

/**
 * Whether the other node has what was said. Before, the record must not change: a source that is brought back from a backup would
 * find nobody who shows it that it has handed over, and yet another's name in the record.
 */
function isHeard(sessions: Sessions, migration: string): boolean {
	return sessions.transcript.isHeard(migration, "source") || sessions.last(migration, "target", "active") !== undefined;
}

/** The other node starts nothing before the record names it, so the record is tried for until it does. */
async function pointing(
	domain: string,
	accept: Content<"accept">,
	{ handDomainOver }: LeaveTools,
	work: Work,
	over: Promise<unknown>,
): Promise<void> {
	let isOver = false;
	const end = () => {
		isOver = true;
	};
	over.then(end, end);
	while (!isOver) {
		try {
			return await handDomainOver(domain, accept);
		} catch (error) {
			work.log(`The domain's records could not be set yet: ${(error as Error).message}`);
			await Promise.race([over.catch(() => {}), pause(3000)]);
		}
	}
}

const domain: LeaveStep = {
	...{ verb: "domain", title: "Point the domain to the new provider", seconds: 5, ...patient },
	do: ({ migration, plan }, { handDomainOver, sessions }) => handDomainOver(plan.domain, accepted(sessions, migration)),
};

const serve: LeaveStep = {
	...{ verb: "serve", title: "See that your services answer there", seconds: 5, ...patient },
	async do({ migration, plan }, { sessions, probe, now, forget, rested }, work) {
		await probe(plan, accepted(sessions, migration), work.signal);
		const { frozenAt, handedAt } = sessions.known(migration);
		if (frozenAt !== null && handedAt !== null) await rested(migration, (handedAt - frozenAt) / 1000);
		await forget(migration, plan);
		sessions.change(migration, { endedAt: now() });
	},
};

export const leave: Saga<LeaveInput, LeaveTools> = {
	name: "leave",
	steps: () => ({ agree, copy, rehearse, freeze, rest, verify, handOver, domain, serve }),
};

/** A node that has forgotten what it said serves only once the domain's record names it in a new epoch. */
function checkPast({ about }: Session): void {
	if (about.past === "lost" && about.problem) throw new Problem("migration-forgotten", about.problem.params);
}

function accepted(sessions: Sessions, migration: string): Content<"accept"> {
	const accept = sessions.last(migration, "target", "accept");
	if (!accept) throw new Error(`The target of ${migration} has accepted nothing`);
	return accept;
}
