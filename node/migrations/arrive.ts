import { digest } from "#protocol/migration/canonical.ts";
import type { Content } from "#protocol/migration/messages.ts";
import { isCloseEnough, roundsOf } from "#protocol/migration/rounds.ts";
import { Problem } from "#protocol/problem.ts";
import type { DeploymentState } from "../deployments/deployment.ts";
import type { Engine, Plan, Rehearsal } from "../engines/engine.ts";
import type { Saga, Step, Work } from "../jobs/saga.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** What the new provider does when a deployment moves in. Its other half is `leave.ts`. */
export interface ArriveInput {
	readonly plan: Plan;
	readonly migration: string;
	/** false: this node gets no certificates itself. */
	readonly certificate?: boolean;
}

/** What came over the wire in one round. */
export interface Haul {
	readonly bytes: number;
	readonly entries: number;
	readonly seconds: number;
	/** Pieces that had changed before they could be fetched. */
	readonly skipped: number;
}

export interface ArriveTools {
	readonly sessions: Sessions;
	readonly engine: Engine;
	readonly now: () => number;
	/** What this node promises; the same however often it is asked. */
	terms(migration: string, plan: Plan): Promise<Content<"accept">>;
	/** The domain is the customer's no more, if it was made so for this move. Twice is fine. */
	unexpect(migration: string, plan: Plan): void;
	/** Fetches and checks all that a manifest lists, beside what services see. Goes on where it was cut off. */
	receive(migration: string, plan: Plan, manifest: Content<"manifest">, work: Work): Promise<Haul>;
	rehearse(migration: string, plan: Plan, work: Work): Promise<Rehearsal>;
	/**
	 * Gets a certificate for the services' hosts. Where users come to this node itself by TLS, it throws while there is
	 * none; elsewhere it only says so. Again changes nothing.
	 */
	orderCertificate(migration: string, plan: Plan, work: Work): Promise<void>;
	/** What was received becomes the services' state, and the other node's secrets theirs. Again is fine. */
	moveIn(migration: string, plan: Plan, sealedSecrets: string, signal: AbortSignal): Promise<void>;
	/** Removes what was received, and what only the move needed. Twice is fine. */
	discard(migration: string, plan: Plan): Promise<void>;
	/** Everything of the deployment leaves this node again. */
	erase(plan: Plan, work: Work): Promise<void>;
	setState(deployment: string, state: DeploymentState): void;
	/** Whether we set the domain's records ourselves. */
	managesZone(domain: string): boolean;
	/**
	 * The domain's records become ours, or it is seen that they are; throws until then. `certain`: no other node's name may
	 * stand there but the source's, else it throws what waiting will not heal.
	 */
	takeDomainOver(migration: string, plan: Plan, how: "certain" | "at last"): Promise<void>;
	/** What this deployment had left here when it moved away once is needed no more. */
	eraseFormer(plan: Plan): void;
	/** Tells the other node how far this one is, as long as `work` goes on. */
	telling(migration: string, step: string, work: Work): Work & { close(): void };
}

type ArriveStep = Step<ArriveInput, ArriveTools>;

const day = 86_400;
const patient = { deadline: 20 * day, attempts: 1_000_000 };

const agree: ArriveStep = {
	...{ verb: "agree", title: "Agree with the old provider", seconds: 2, ...patient },
	async do({ migration, plan }, { sessions, terms }) {
		if (sessions.known(migration).talk.state !== "asked") return sessions.checkOpen(sessions.known(migration));
		await sessions.say(migration, { kind: "accept", content: await terms(migration, plan) });
	},
	async undo({ migration, plan }, { sessions, unexpect }) {
		checkPast(sessions, migration);
		unexpect(migration, plan);
		await sessions.callOff(migration, "the new provider could not go on");
	},
};

const prepare: ArriveStep = {
	...{ verb: "prepare", title: "Get ready for your services", seconds: 5, deadline: 1800 },
	do: ({ plan }, { engine }, work) => engine.prepare(plan, work),
	async undo({ migration, plan }, { sessions, erase, discard }, work) {
		checkPast(sessions, migration);
		await discard(migration, plan);
		await erase(plan, work);
	},
};

const copy: ArriveStep = {
	...{ verb: "copy", title: "Copy everything while your services run", seconds: 60, ...patient },
	async do({ migration, plan }, tools, work) {
		const { sessions } = tools;
		for (;;) {
			if (isCloseEnough(roundsOf(sessions.all(migration, "target", "announce")))) return;
			const { state } = await work.aside(() =>
				sessions.until(migration, work.signal, ({ talk }) => (talk.state === "agreed" ? undefined : talk)),
			);
			if (state !== "receiving") return;
			await fetchRound(migration, plan, tools, work);
		}
	},
};

/** Before the rehearsal, for which the source waits: so services do not rest for it, and its failure costs nobody anything. */
const certificate: ArriveStep = {
	...{ verb: "certificate", title: "Get a certificate for the domain", seconds: 15, deadline: 900 },
	do: ({ migration, plan }, { orderCertificate }, work) => orderCertificate(migration, plan, work),
};

/** A service that never stops writing cannot be tried before it rests. */
const unsettled: Rehearsal = {
	tried: false,
	checks: [
		{
			what: "copy",
			ok: false,
			detail: "files changed all the time while they were copied, so nothing whole could be tried",
		},
	],
};

const rehearse: ArriveStep = {
	...{ verb: "rehearse", title: "Try your services with a copy", seconds: 20, ...patient },
	async do({ migration, plan }, tools, work) {
		const { sessions, now } = tools;
		const last = sessions.last(migration, "target", "announce");
		if (!last || last.rehearsal || sessions.known(migration).talk.state !== "agreed") return;
		const begun = now();
		const telling = tools.telling(migration, "rehearse", work);
		try {
			const { tried, checks } = last.skipped > 0 ? unsettled : await tools.rehearse(migration, plan, telling);
			const rehearsal = {
				...{ ok: !tried || checks.every(({ ok }) => ok), seconds: (now() - begun) / 1000 },
				checks: checks.map(({ what, ok, detail }) => ({ what, ok: ok || !tried, detail: detail.slice(0, 1000) })),
			};
			await sessions.say(migration, { kind: "announce", content: { ...last, rehearsal } });
		} finally {
			telling.close();
		}
	},
};

const rest: ArriveStep = {
	...{ verb: "rest", title: "Copy what has changed since", seconds: 10, ...patient },
	async do({ migration, plan }, tools, work) {
		if (await hasFinal(migration, plan, tools, work)) await fetchFinal(migration, plan, "rest", tools, work);
	},
};

const verify: ArriveStep = {
	...{ verb: "verify", title: "Check every byte", seconds: 5, ...patient },
	do: ({ migration, plan }, tools, work) => vote(migration, plan, tools, work),
};

const takeOver: ArriveStep = {
	...{ verb: "take-over", title: "Take over from the old provider", seconds: 5, ...patient },
	async do({ migration, plan }, tools, work) {
		const { sessions } = tools;
		for (;;) {
			const next = await work.aside(() =>
				sessions.until(migration, work.signal, ({ talk }) => {
					if (talk.state === "voted") return undefined;
					return talk.state === "committed" ? sessions.last(migration, "source", "move") : "thawed";
				}),
			);
			if (next !== "thawed") return tools.moveIn(migration, plan, next.secrets, work.signal);
			// Services serve at the old provider once more; what comes next is voted on anew.
			await vote(migration, plan, tools, work);
		}
	},
};

/**
 * The record is what decides: it names this node before anything starts here, so that no copy of the old node's, brought
 * back from a backup, can serve beside it. From then on there is no way back; whoever finds another name there refuses.
 */
const domain: ArriveStep = {
	...{ verb: "domain", title: "Point the domain here", seconds: 3, ...patient },
	pivot: true,
	refusable: true,
	async do({ migration, plan }, { sessions, takeDomainOver, managesZone }) {
		const source = sessions.known(migration).about.offer?.managesZone === true;
		if (source || managesZone(plan.domain)) await takeDomainOver(migration, plan, "certain");
	},
};

const start: ArriveStep = {
	...{ verb: "start", title: "Start your services", seconds: 10, deadline: 900, attempts: 20 },
	do: started,
};

const serve: ArriveStep = {
	...{ verb: "serve", title: "Tell the old provider that they serve", seconds: 1, ...patient },
	async do({ migration, plan }, tools, work) {
		const { sessions, engine, setState, now } = tools;
		const { state, manifest, epoch } = sessions.known(migration).talk;
		if (state !== "committed" || manifest === null) return;
		let seen = await engine.look(plan);
		if (seen.some(({ health }) => health === "stopped")) {
			// A node that was killed since lets them rest again: nothing has said there yet that they are to serve.
			await started({ migration, plan }, tools, work);
			seen = await engine.look(plan);
		}
		const checks = seen.flatMap(({ service, probes }) =>
			probes.map(({ what, ok, detail }) => ({ what: `${service}: ${what}`, ok, detail: detail.slice(0, 1000) })),
		);
		const content = { manifest, epoch: epoch + 1, at: now(), checks };
		await sessions.say(migration, { kind: "active", content }, () => setState(plan.deployment, "serving"));
	},
};

/** Where only the customer can set the records, requests come by way of the old provider until they are set. */
const records: ArriveStep = {
	...{ verb: "records", title: "See that the domain points here", seconds: 2, ...patient },
	do: ({ migration, plan }, { takeDomainOver }) => takeDomainOver(migration, plan, "at last"),
};

const welcome: ArriveStep = {
	...{ verb: "welcome", title: "Tidy up", seconds: 1, ...patient },
	async do({ migration, plan }, { sessions, discard, eraseFormer, now }) {
		await discard(migration, plan);
		eraseFormer(plan);
		sessions.change(migration, { endedAt: now() });
	},
};

export const arrive: Saga<ArriveInput, ArriveTools> = {
	name: "arrive",
	steps: ({ certificate: isWanted }) => ({
		...{ agree, prepare, copy, ...(isWanted !== false && { certificate }), rehearse, rest, verify },
		...{ takeOver, domain, start, serve, records, welcome },
	}),
};

async function started({ migration, plan }: ArriveInput, { engine, telling }: ArriveTools, work: Work): Promise<void> {
	const told = telling(migration, "start", work);
	try {
		await engine.apply({ ...plan, mode: "serving" }, told);
	} finally {
		told.close();
	}
}

/** Fetches what rounds there still are until the final manifest has come; false: it has been voted on already. */
async function hasFinal(migration: string, plan: Plan, tools: ArriveTools, work: Work): Promise<boolean> {
	const { sessions } = tools;
	for (;;) {
		const { state } = await work.aside(() =>
			sessions.until(migration, work.signal, ({ talk }) => (talk.state === "agreed" ? undefined : talk)),
		);
		if (state !== "receiving") return state === "verifying";
		await fetchRound(migration, plan, tools, work);
	}
}

/** Votes for the final manifest once all of it is here and checked. A thaw in between makes the next one count. */
async function vote(migration: string, plan: Plan, tools: ArriveTools, work: Work): Promise<void> {
	const { sessions } = tools;
	while (await hasFinal(migration, plan, tools, work)) {
		const { manifest } = sessions.known(migration).talk;
		const { volumes } = manifestOf(sessions, migration);
		const haul = await fetchFinal(migration, plan, "verify", tools, work);
		if (!haul) continue;
		const { entries } = haul;
		const bytes = volumes.reduce((sum, one) => sum + one.bytes, 0);
		const current = sessions.known(migration).talk;
		if (current.state !== "verifying" || current.manifest !== manifest || manifest === null) continue;
		await sessions.say(migration, { kind: "vote", content: { manifest, entries, bytes } });
	}
}

/** One round while services run: fetched, then announced. */
async function fetchRound(migration: string, plan: Plan, tools: ArriveTools, work: Work): Promise<void> {
	const { sessions } = tools;
	const manifest = manifestOf(sessions, migration);
	const haul = await fetching(migration, plan, manifest, "copy", tools, work);
	if (!haul) return;
	const current = sessions.known(migration).talk;
	if (current.state !== "receiving" || current.round !== manifest.round || current.manifest === null) return;
	const content = {
		...{
			round: manifest.round,
			manifest: current.manifest,
			bytes: haul.bytes,
			seconds: haul.seconds,
			skipped: haul.skipped,
		},
		...{ rehearsal: null, freezeSeconds: freezeFor(manifest, haul) },
	};
	await sessions.say(migration, { kind: "announce", content });
}

function fetchFinal(migration: string, plan: Plan, step: string, tools: ArriveTools, work: Work) {
	return fetching(migration, plan, manifestOf(tools.sessions, migration), step, tools, work);
}

/** A node that has forgotten that it served has the only state there is: nothing of it is erased before people have looked. */
function checkPast(sessions: Sessions, migration: string): void {
	const { about } = sessions.known(migration);
	if (about.past && about.problem && sessions.last(migration, "target", "active"))
		throw new Problem("migration-forgotten", about.problem.params);
}

/** Ends early, with the reason, when the other side calls off; without a word when the manifest is void or not the last one. */
async function fetching(
	migration: string,
	plan: Plan,
	manifest: Content<"manifest">,
	step: string,
	{ sessions, receive, telling }: ArriveTools,
	work: Work,
): Promise<Haul | undefined> {
	const wanted = digest(manifest);
	const holds = ({ talk: { state, manifest } }: Session) =>
		manifest === wanted && (state === "receiving" || state === "verifying");
	const open = sessions.whileOpen(migration, work.signal, holds);
	const told = telling(migration, step, { ...work, signal: open.signal });
	try {
		return await receive(migration, plan, manifest, told);
	} catch (error) {
		const session = sessions.known(migration);
		sessions.checkOpen(session);
		if (!work.signal.aborted && !holds(session)) return undefined;
		// What is wrong with the volumes will not heal; of anything else the next attempt may get more.
		if (error instanceof Problem && open.signal.aborted) throw open.signal.reason;
		throw error;
	} finally {
		told.close();
		open.close();
	}
}

function manifestOf(sessions: Sessions, migration: string): Content<"manifest"> {
	const manifest = sessions.last(migration, "source", "manifest");
	if (!manifest) throw new Error(`The source of ${migration} has listed nothing`);
	return manifest;
}

/** Stopping, a last look at every entry, what changes in the time of one round at most, and starting. */
function freezeFor(manifest: Content<"manifest">, { seconds }: Haul): number {
	const entries = manifest.volumes.reduce((sum, one) => sum + one.entries, 0);
	return Math.round(5 + Math.min(seconds, 60) + entries / 20_000);
}
