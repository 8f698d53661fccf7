import { setTimeout as pause } from "node:timers/promises";
import { isCloseEnough, roundsOf } from "#protocol/migration/rounds.ts";
import { Problem } from "#protocol/problem.ts";
import type { Work } from "../jobs/saga.ts";
import { announcedIn, announcedRound } from "./announced.ts";
import type { LeaveInput, LeaveTools } from "./leave.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** So often services rest for one move. So a target that never votes cannot keep them from their users for long. */
export const mostRests = 3;

/** At most so often it is looked whether it is time for the next rest, ms. */
const glance = 2000;

const isResting = ({ frozenAt, thawedAt }: Session) => frozenAt !== null && thawedAt === null;
const hasFinal = ({ talk }: Session) => talk.state === "frozen" || talk.state === "voted";

/** A person wants services that rest to serve again, and to be moved later. Throws `message-wrong` when they do not, or it is too late. */
export function askForThaw(sessions: Sessions, session: Session): void {
	const { id, side, talk } = session;
	const isLate = side === "target" || !(hasFinal(session) || talk.state === "agreed" || talk.state === "copying");
	if (isLate || !isResting(session)) throw new Problem("message-wrong", { kind: "thaw", state: talk.state });
	sessions.change(id, { about: { thawWanted: true } });
}

/** Services rest: from now on or, after a crash, still. */
export async function letRest({ migration, plan }: LeaveInput, tools: LeaveTools, work: Work): Promise<void> {
	const { sessions, engine, setState, now } = tools;
	if (!isResting(sessions.known(migration))) sessions.change(migration, { frozenAt: now(), thawedAt: null });
	setState(plan.deployment, "frozen");
	await engine.apply({ ...plan, mode: "frozen" }, work);
}

/** Services rest, and the target knows of all that they hold. Rests that last too long come to an end and are tried again. */
export function tellAll(input: LeaveInput, tools: LeaveTools, work: Work): Promise<void> {
	return withinBudgets(input, tools, work, (signal) => tellFinal(input, tools, { ...work, signal }));
}

/** As `tellAll`, and the target has voted for it. */
export function untilVoted(input: LeaveInput, tools: LeaveTools, work: Work): Promise<void> {
	return withinBudgets(input, tools, work, async (signal) => {
		await tellFinal(input, tools, { ...work, signal });
		const following = tools.follow(input.migration, work);
		try {
			const voted = ({ talk }: Session) => (talk.state === "frozen" ? undefined : true);
			await work.aside(() => tools.sessions.until(input.migration, signal, voted));
		} finally {
			following.close();
		}
	});
}

async function tellFinal({ migration, plan }: LeaveInput, { sessions, inventory }: LeaveTools, work: Work) {
	if (hasFinal(sessions.known(migration))) return;
	const round = sessions.all(migration, "source", "manifest").length + 1;
	const content = await inventory(migration, plan, { round, final: true }, work);
	await sessions.say(migration, { kind: "manifest", content });
}

/** Does what services rest for. When their time is over they serve, what has changed is copied, and they rest once more. */
async function withinBudgets(
	input: LeaveInput,
	tools: LeaveTools,
	work: Work,
	doing: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
	const session = () => tools.sessions.known(input.migration);
	while (session().talk.state !== "voted") {
		if (!isResting(session())) await serveMeanwhile(input, tools, work);
		const budget = budgetOf(input, tools, work);
		try {
			return await doing(budget.signal);
		} catch (error) {
			tools.sessions.checkOpen(session());
			if (!budget.isOver() || work.signal.aborted || session().talk.state === "voted") throw error;
			await thaw(input, tools, budget.reason());
		} finally {
			budget.close();
		}
	}
}

/** Until when services may rest: for so long, or until a person wants them back. */
function budgetOf({ migration }: LeaveInput, { sessions, freezeSeconds, now }: LeaveTools, work: Work) {
	const over = new AbortController();
	const end = new AbortController();
	const left = (sessions.known(migration).frozenAt ?? now()) + freezeSeconds * 1000 - now();
	const tooLong = () => over.abort(new Problem("freeze-too-long", { seconds: freezeSeconds }));
	const timer = setTimeout(tooLong, Math.max(0, left));
	sessions
		.until(migration, end.signal, ({ about }) => about.thawWanted || undefined)
		.then(() => over.abort(new Problem("cancelled")))
		.catch(() => {});
	return {
		signal: AbortSignal.any([work.signal, over.signal]),
		isOver: () => over.signal.aborted,
		reason: () => over.signal.reason as Problem,
		close() {
			clearTimeout(timer);
			end.abort(new Problem("cancelled"));
		},
	};
}

/** Ends this rest; throws why when it was the last one. Only once it is written down may anything serve. */
async function thaw({ migration }: LeaveInput, { sessions, now }: LeaveTools, reason: Problem): Promise<void> {
	const session = sessions.known(migration);
	const { talk, frozenAt, about } = session;
	const rests = [...(about.rests ?? []), { from: frozenAt ?? now(), to: now() }];
	if (rests.length >= mostRests) throw reason;
	const ended = () => sessions.change(migration, { thawedAt: now(), about: { rests, thawWanted: false } });
	if (!hasFinal(session) || talk.manifest === null) return ended();
	const content = { manifest: talk.manifest, reason: reason.message.slice(0, 300) };
	await sessions.say(migration, { kind: "thaw", content }, ended);
}

/** Everything serves as before, for longer after each rest; then what has changed is copied, and services rest again. */
async function serveMeanwhile(input: LeaveInput, tools: LeaveTools, work: Work): Promise<void> {
	const { migration, plan } = input;
	const { sessions, engine, setState } = tools;
	const { talk, thawedAt } = sessions.known(migration);
	if (thawedAt === null || hasFinal(sessions.known(migration)))
		throw new Error(`Services must not serve: ${talk.state}`);
	setState(plan.deployment, "serving");
	await engine.apply({ ...plan, mode: "serving" }, work);
	const open = sessions.whileOpen(migration, work.signal);
	try {
		await work.aside(() => untilNext(input, tools, { ...work, signal: open.signal }));
		await copyAgain(input, tools, { ...work, signal: open.signal });
	} catch (error) {
		throw open.signal.aborted ? open.signal.reason : error;
	} finally {
		open.close();
	}
	await letRest(input, tools, work);
}

/** As long as they may rest, then twice that. */
async function untilNext({ migration }: LeaveInput, { sessions, freezeSeconds, now }: LeaveTools, work: Work) {
	const { thawedAt, about } = sessions.known(migration);
	const due = (thawedAt ?? now()) + freezeSeconds * 1000 * 2 ** ((about.rests?.length ?? 1) - 1);
	for (let left = due - now(); left > 0; left = due - now()) {
		work.progress(null, `services serve again, next try in ${Math.ceil(left / 60_000)} min`);
		await pause(Math.min(left, glance), undefined, { signal: work.signal });
	}
}

/** That the target takes these rounds shows, too, that it is there: for one that is silent nobody needs to rest again. */
async function copyAgain({ migration, plan }: LeaveInput, tools: LeaveTools, work: Work): Promise<void> {
	const { sessions, inventory } = tools;
	const since = sessions.all(migration, "source", "manifest").findLast(({ final }) => final)?.round ?? 0;
	const following = tools.follow(migration, work);
	try {
		for (;;) {
			const announced = roundsOf(announcedIn(sessions, migration)).filter(({ round }) => round > since);
			const { round = 0, final = true } = sessions.all(migration, "source", "manifest").at(-1) ?? {};
			if (!final && announced.at(-1)?.round !== round)
				await work.aside(() =>
					sessions.until(migration, work.signal, () => announcedRound(sessions, migration, round)),
				);
			else if (isCloseEnough(announced)) return;
			else {
				const content = await inventory(migration, plan, { round: round + 1, final: false }, work);
				await sessions.say(migration, { kind: "manifest", content });
			}
		}
	} finally {
		following.close();
	}
}
