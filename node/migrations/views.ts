import type { z } from "zod";
import type { MigrationView, MoveIn } from "#protocol/api/migration.ts";
import { digest } from "#protocol/migration/canonical.ts";
import { roundsOf } from "#protocol/migration/rounds.ts";
import type { Deployment } from "../deployments/deployment.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { bytesOf } from "./move-ins.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export interface ViewParts {
	readonly sessions: Sessions;
	readonly deployments: Deployments;
	readonly freezeSeconds: number;
}

type Migration = z.infer<typeof MigrationView>;

/** A token and what came of it, as the customer at the new provider sees it. */
export function moveInOf({ sessions }: ViewParts, session: Session): z.infer<typeof MoveIn> {
	const { about, id } = session;
	const { peer, offer, wish, words } = about;
	const refusal = about.problem ?? about.objection ?? sessions.last(id, "target", "reject") ?? null;
	const state = moveInState(session);
	return {
		...{ id, state, domain: wish?.domain ?? null, services: [...(wish?.services ?? [])], diskMiB: wish?.diskMiB ?? 0 },
		createdAt: moment(session.createdAt),
		expiresAt: session.talk.state === "issued" && session.expiresAt !== null ? moment(session.expiresAt) : null,
		from: peer ? { origin: peer.origin, provider: peer.provider, customer: peer.customer } : null,
		offer: offer
			? { domain: offer.domain, services: offer.services.map(({ name }) => name), bytes: bytesOf(offer) }
			: null,
		words: words ? [...words] : null,
		...{ deployment: session.deployment, job: session.job },
		problem: state === "refused" && refusal ? { ...refusal, params: { ...refusal.params } } : null,
	};
}

function moveInState({ about, talk, job, revokedAt }: Session): z.infer<typeof MoveIn>["state"] {
	if (revokedAt !== null) return "revoked";
	if (talk.state === "dropped") return "expired";
	if (talk.state === "issued") return "waiting";
	if (talk.state === "asked") return job === null && !about.agreed ? "asked" : "agreed";
	if (talk.state === "refused" || talk.state === "withdrawn") return "refused";
	return talk.state === "active" || talk.state === "closed" ? "done" : "moving";
}

/** A migration as either of the two providers knows it. Only for those that have begun: with a job and another side. */
export function migrationOf(parts: ViewParts, session: Session): Migration {
	const { sessions, deployments, freezeSeconds } = parts;
	const { id, side, about, talk } = session;
	const announced = sessions.all(id, "target", "announce");
	const firsts = roundsOf(announced);
	const manifests = sessions.all(id, "source", "manifest");
	const final = manifests.findLast((manifest) => manifest.final);
	const deployment = session.deployment === null ? undefined : deployments.known(session.deployment);
	const sum = (of: "entries" | "bytes", { volumes }: { volumes: readonly { entries: number; bytes: number }[] }) =>
		volumes.reduce((total, volume) => total + volume[of], 0);
	const times = restOf(session, sessions);
	return {
		...{ id, side, domain: session.domain ?? "", deployment: session.deployment ?? "", job: session.job ?? "" },
		state: stateOf(session),
		other: {
			origin: about.peer?.origin ?? "",
			provider: about.peer?.provider ?? "",
			customer: about.peer?.customer ?? "",
		},
		words: [...(about.words ?? [])],
		startedAt: moment(session.createdAt),
		endedAt: session.endedAt === null ? null : moment(session.endedAt),
		rounds: manifests.map((manifest) => {
			const one = firsts.find(({ round }) => round === manifest.round);
			const numbers = { moved: one?.bytes ?? null, seconds: one?.seconds ?? null };
			const { round, final } = manifest;
			return { round, final, entries: sum("entries", manifest), bytes: sum("bytes", manifest), ...numbers };
		}),
		rehearsal: announced.findLast(({ rehearsal }) => rehearsal)?.rehearsal ?? null,
		frozenAt: times.from === null ? null : moment(times.from),
		thawedAt: times.to === null ? null : moment(times.to),
		freeze: {
			expected: announced.at(-1)?.freezeSeconds ?? null,
			measured:
				about.restedSeconds ?? (times.from !== null && times.to !== null ? (times.to - times.from) / 1000 : null),
			most: freezeSeconds,
		},
		counts:
			final && (talk.state === "done" || talk.state === "erased" || talk.state === "active" || talk.state === "closed")
				? { entries: sum("entries", final), bytes: sum("bytes", final), manifest: digest(final) }
				: null,
		...{ deferred: session.deferred, forwarded: session.forwarded },
		forwardingUntil:
			deployment?.state === "moved" && deployment.keptUntil !== null ? moment(deployment.keptUntil) : null,
		keptUntil: keptUntil(session, sessions, deployment),
		erasedAt: session.erasedAt === null ? null : moment(session.erasedAt),
		receipt: talk.manifest !== null && session.endedAt !== null,
	};
}

/** Since when services rested and until when they did, as far as this side can say. */
function restOf({ id, side, frozenAt, thawedAt, handedAt }: Session, sessions: Sessions) {
	if (side === "source") return { from: frozenAt, to: thawedAt ?? handedAt };
	const said = sessions.transcript.said(id);
	const from =
		said.findLast(({ kind, content }) => kind === "manifest" && (content as { final: boolean }).final)?.at ?? null;
	const to = said.find(({ kind }) => kind === "active")?.at ?? null;
	return { from, to };
}

/** Until when the old copy stays: at the target as the source has promised, from when this side said that it serves. */
function keptUntil({ id, side, about }: Session, sessions: Sessions, deployment?: Deployment): string | null {
	if (side === "source")
		return deployment?.state === "moved" && deployment.keptUntil !== null ? moment(deployment.keptUntil) : null;
	const since = sessions.last(id, "target", "active")?.at;
	return since === undefined || !about.offer ? null : moment(since + about.offer.keepDays * 86_400_000);
}

function stateOf({ talk, about }: Session): Migration["state"] {
	if (about.problem) return "stuck";
	switch (talk.state) {
		case "agreed":
		case "copying":
		case "receiving":
			return "copying";
		case "frozen":
		case "verifying":
			return "frozen";
		case "voted":
		case "committed":
			return "handing-over";
		case "done":
		case "erased":
		case "active":
		case "closed":
			return "moved";
		case "planned":
		case "offered":
		case "issued":
		case "asked":
			return "agreeing";
		default:
			return "undone";
	}
}

const moment = (at: number) => new Date(at).toISOString();
