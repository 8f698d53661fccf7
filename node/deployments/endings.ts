import type { OnEnd } from "../jobs/ledger.ts";
import type { NoticeKind, Notices } from "../notices/notice.ts";
import type { CareInput } from "./care.ts";
import type { DeploymentState } from "./deployment.ts";
import type { Deployments } from "./deployments.ts";
import type { History, HistoryKind } from "./history.ts";

type Outcome = "done" | "undone" | "stuck";

interface Ending {
	/** The deployment's state afterwards; none: as it is. */
	state?: DeploymentState;
	history: HistoryKind;
	notice?: NoticeKind;
}

/** How each kind of work on a deployment may end, and what that means for it. */
const endings: Record<string, Record<Outcome, Ending>> = {
	deploy: {
		done: { state: "serving", history: "deploy-done", notice: "deploy-done" },
		undone: { state: "gone", history: "deploy-undone", notice: "deploy-undone" },
		stuck: { history: "job-stuck", notice: "deploy-stuck" },
	},
	remove: {
		done: { state: "kept", history: "remove-done", notice: "remove-done" },
		undone: { state: "serving", history: "remove-undone" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
	restore: {
		done: { state: "serving", history: "restore-done", notice: "restore-done" },
		undone: { state: "kept", history: "restore-undone" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
	erase: {
		done: { state: "gone", history: "erase-done", notice: "erase-done" },
		undone: { state: "kept", history: "job-stuck" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
	leave: {
		done: { history: "leave-done", notice: "leave-done" },
		undone: { state: "serving", history: "leave-undone", notice: "leave-undone" },
		stuck: { history: "job-stuck", notice: "leave-stuck" },
	},
	arrive: {
		done: { history: "arrive-done", notice: "arrive-done" },
		undone: { state: "gone", history: "arrive-undone", notice: "arrive-undone" },
		stuck: { history: "job-stuck", notice: "arrive-stuck" },
	},
	restart: {
		done: { history: "restart-done" },
		undone: { history: "restart-undone" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
	repair: {
		done: { history: "repair-done", notice: "repair-done" },
		undone: { history: "repair-undone", notice: "repair-undone" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
	"set-password": {
		done: { history: "set-password-done" },
		undone: { history: "set-password-undone" },
		stuck: { history: "job-stuck", notice: "job-stuck" },
	},
};

export interface EndingParts {
	readonly deployments: Deployments;
	readonly history: History;
	readonly notices: Notices;
	/** Frees what the customer's voucher gave, for another deployment. */
	release(deployment: string): void;
	/** What else the sentences on work of this kind need, such as the other provider's name. */
	more(kind: string, deployment: string): Readonly<Record<string, string>>;
	/** Whether another node serves it by now, so that only a copy is here. */
	hasMoved(deployment: string): boolean;
	readonly keepDays: number;
	readonly now: () => number;
}

/** Draws the conclusions from a job's end, in the transaction that ends it: state, history and notice agree for ever. */
export function concluded(parts: EndingParts): OnEnd {
	return (job, outcome, failure) => {
		const ending = endings[job.kind]?.[outcome];
		if (!ending || !job.deployment) return;
		const { deployments, history, notices, now } = parts;
		const { customer, domain } = deployments.known(job.deployment);
		const keptUntil = ending.state === "kept" ? now() + parts.keepDays * 86_400_000 : null;
		const [service] = (job.input as Partial<CareInput>).services ?? [];
		const params: Record<string, string> = {
			domain,
			reason: failure?.detail ?? "",
			...(service && { service }),
			...parts.more(job.kind, job.deployment),
			...(keptUntil && { date: new Date(keptUntil).toISOString().slice(0, 10) }),
		};
		if (ending.state) deployments.move(job.deployment, ending.state, keptUntil);
		if (ending.state === "gone") parts.release(job.deployment);
		history.add(job.deployment, ending.history, params, job.id);
		if (!ending.notice) return;
		const kind = ending.notice === "erase-done" && parts.hasMoved(job.deployment) ? "move-erased" : ending.notice;
		notices.tell({
			// A job can get stuck more than once, and each time is worth a notice.
			key: `${kind}:${job.id}:${outcome === "stuck" ? now() : "end"}`,
			customer,
			kind,
			params,
			link: outcome === "done" ? `/d/${domain}` : `/d/${domain}/jobs/${job.id}`,
		});
	};
}
