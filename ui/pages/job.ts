import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../controllers/action.ts";
import { Ticker } from "../controllers/clock.ts";
import { FollowedJob, isOver } from "../controllers/followed-job.ts";
import { failed, problem, waiting } from "../parts/faces.ts";
import "../parts/job-end.ts";
import "../parts/job-log.ts";
import { jobMeter } from "../parts/job-meter.ts";
import { jobSteps } from "../parts/job-steps.ts";
import { stateOf } from "../parts/marks.ts";
import "../parts/moving/move-records.ts";
import "../parts/moving/move-story.ts";
import { Page } from "../parts/part.ts";
import { when } from "../parts/when.ts";
import { deploymentAddress } from "../routes.ts";
import type { Job } from "../views.ts";
import { isCare, jobDone, jobKind, jobTone, jobWord } from "../words/jobs.ts";
import { duration, roughly } from "../words/numbers.ts";
import { stepNews } from "../words/steps.ts";
import { progress, timeLeft, timeTaken } from "../words/time-left.ts";

/** The timeline of one piece of work: what was done, what is being done, what comes; and an honest end. */
export class PageJob extends Page {
	static override properties = { ...Page.properties, domain: {}, job: {} };
	declare domain: string;
	declare job: string;

	readonly #followed = new FollowedJob(this, {
		api: () => this.panel.api,
		send: (input, init) => this.panel.send(input, init),
		id: () => this.job,
		changed: (before, after) => this.#tell(before, after),
	});
	readonly #cancel = new Action(this, async () =>
		this.#followed.take(await this.panel.api("POST /jobs/{id}/cancel", { path: { id: this.job } })),
	);
	readonly #retry = new Action(this, async () =>
		this.#followed.take(await this.panel.api("POST /jobs/{id}/retry", { path: { id: this.job } })),
	);

	constructor() {
		super();
		new Ticker(this, () => this.#followed.job !== undefined && !isOver(this.#followed.job));
	}

	/** The tab says how far it is, so that one can look at another. */
	protected get heading() {
		const job = this.#followed.job;
		if (!job) return this.domain;
		if (job.state === "running") return `● ${Math.floor(progress(job) * 100)} % ${this.domain}`;
		return `${{ waiting: "○", cancelling: "↶", done: "✓", undone: "↶", stuck: "◆" }[job.state]} ${jobWord(job)}: ${this.domain}`;
	}

	protected override render() {
		return this.#followed.task.render({
			ready: (job) => this.#timeline(job),
			loading: () => html`<h1>${this.domain}</h1>${waiting(6)}`,
			failed: (error, again) => html`<h1>${this.domain}</h1>${failed(error, again)}`,
		});
	}

	#timeline(job: Job): TemplateResult {
		const now = this.panel.clock.now();
		return html`
			<div>
				<header class="job-head">
					<div class="line apart">
						<h1>${job.state === "done" ? jobDone(job.kind) : jobKind(job.kind)}: <a href=${deploymentAddress(this.domain)}>${this.domain}</a></h1>
						${stateOf([jobWord(job), jobTone(job.state)])}
					</div>
					${jobMeter(job)}
					<div class="line apart">
						<p class="quiet numbers">${this.#howLong(job, now)}</p>
						${this.#cancelButton(job)}
					</div>
					${problem(this.#cancel.error)}
				</header>
				<div class="stack wide">
					${isMove(job) ? html`<move-story .panel=${this.panel} .job=${job} .inner=${this.#steps(job, now)}></move-story>` : this.#steps(job, now)}
					<job-log .panel=${this.panel} .job=${job.id} .live=${!isOver(job)}></job-log>
				</div>
			</div>`;
	}

	#steps(job: Job, now: number): TemplateResult {
		return html`<job-end .panel=${this.panel} .job=${job} .retry=${this.#retry}></job-end>${jobSteps(isCare(job) ? cared(job) : job, now, this.#waitsFor(job))}`;
	}

	#howLong(job: Job, now: number): unknown {
		if (!this.#followed.connected)
			return html`<span class="reconnecting">${msg("The connection is lost; reconnecting. The work goes on.")}</span>`;
		if (isOver(job) && job.endedAt)
			return html`${when(job.endedAt)} · ${msg(str`took ${duration(timeTaken(job, now) ?? 0)}`)}`;
		if (job.state === "waiting") return msg("Begins as soon as there is room");
		if (job.state === "cancelling")
			return isCare(job) ? msg("It is being cancelled") : msg("What was done is being undone");
		const { seconds, late } = timeLeft(job, now);
		if (late) return msg("Takes longer than usual; it goes on");
		return msg(str`${roughly(seconds)} left`);
	}

	#cancelButton(job: Job): TemplateResult | typeof nothing {
		if (!job.canCancel || isOver(job) || job.state === "cancelling") return nothing;
		return html`<button type="button" class="button small" aria-busy=${this.#cancel.busy} @click=${() => this.#cancel.run()}>
			${isMove(job) ? msg("Call it off") : isCare(job) ? msg("Cancel") : msg("Cancel and undo")}</button>`;
	}

	/** The records to set, shown at the step that waits for them. After a move it may be the old provider's that still stand. */
	#waitsFor(job: Job): (step: Job["steps"][number]) => unknown {
		if (job.kind === "arrive")
			return ({ verb, state, problem: trouble }) =>
				(verb === "domain" || verb === "records") &&
				trouble?.code.startsWith("domain-") &&
				state !== "done" &&
				job.deployment
					? html`<move-records .panel=${this.panel} .deployment=${job.deployment}></move-records>`
					: nothing;
		const services = [...new Set(job.steps.map(({ service }) => service).filter((name) => name !== null))];
		return ({ verb, state, problem: trouble }) =>
			verb === "records" && trouble?.code === "domain-not-pointed" && state !== "done"
				? html`<dns-records .panel=${this.panel} .domain=${this.domain} .services=${services}></dns-records>`
				: nothing;
	}

	#tell(before: Job, after: Job): void {
		const changed = after.steps.find((step, at) => step.state !== before.steps[at]?.state && isNews(step.state));
		if (after.state !== before.state && isOver(after)) this.panel.say(`${this.domain}: ${jobWord(after)}`);
		else if (changed) this.panel.say(stepNews(changed));
	}
}

/** Whether a deployment moves, away from here or in. */
function isMove({ kind }: Job): boolean {
	return kind === "leave" || kind === "arrive";
}

/** Each step as far as it came, since none was taken back. */
function cared(job: Job): Job {
	const far = (step: Job["steps"][number]) => ({
		...step,
		state: step.problem ? ("failed" as const) : ("done" as const),
	});
	return { ...job, steps: job.steps.map((step) => (step.state === "undone" ? far(step) : step)) };
}

/** That a step is done is said by the next one that begins. */
function isNews(state: Job["steps"][number]["state"]): boolean {
	return state !== "done" && state !== "undone" && state !== "waiting";
}

customElements.define("page-job", PageJob);
