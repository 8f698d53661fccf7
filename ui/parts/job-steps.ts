import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { isOver } from "../controllers/followed-job.ts";
import type { Job, Step } from "../views.ts";
import { duration } from "../words/numbers.ts";
import { problemSentence } from "../words/problems.ts";
import { stepNote, stepSentence, stepState } from "../words/steps.ts";
import { timeTaken } from "../words/time-left.ts";
import { note } from "./faces.ts";
import { stepMeter } from "./job-meter.ts";
import { stepMark } from "./marks.ts";
import { when } from "./when.ts";

/** The steps of a job in their order. `beside` may put something at a step that waits for a person. */
export function jobSteps(job: Job, now: number, beside: (step: Step) => unknown): TemplateResult {
	return html`<ol class="timeline" aria-label=${msg("Steps")}>
		${repeat(
			job.steps,
			({ step }) => step,
			(step) => line(step, now, html`${isOver(job) ? nothing : trouble(step, now)}${beside(step)}`),
		)}
	</ol>`;
}

function line(step: Step, now: number, beside: unknown): TemplateResult {
	return html`<li data-state=${step.state} aria-current=${step.state === "running" ? "step" : nothing}>
		${stepMark(step.state)}
		<span class="what"><b>${stepSentence(step)}</b> ${word(step)}</span>
		<span class="when numbers">${step.startedAt ? when(step.startedAt, "clockTime") : nothing}</span>
		<span class="took numbers">${took(step, now)}</span>
		<div class="more">${remark(step)}${bar(step)}${beside}</div>
	</li>`;
}

/** What is done and what waits is said by its shape and its place; the word stands there for those who hear it. */
function word({ state }: Step): TemplateResult {
	const plain = state === "done" || state === "waiting";
	return html`<span class=${plain ? "unseen" : "word"}>(${stepState(state)})</span>`;
}

function took(step: Step, now: number): TemplateResult {
	const seconds = timeTaken(step, now);
	const expected = duration(step.expectedSeconds);
	if (seconds === null)
		return html`<span class="quiet" title=${msg(str`Usually takes ${expected}`)}><span class="unseen">${msg("usually")} </span>~ ${expected}</span>`;
	const taken = step.endedAt ? seconds : Math.max(1, Math.floor(seconds));
	return html`<span title=${msg(str`Usually takes ${expected}`)}>${duration(taken)}</span>`;
}

/** One fact of a step, where it has one to tell. */
function remark(step: Step): TemplateResult | typeof nothing {
	const said = stepNote(step);
	return said ? html`<small class="quiet numbers">${said}</small>` : nothing;
}

function bar(step: Step): TemplateResult | typeof nothing {
	const moves = step.state === "running" || step.state === "undoing";
	return moves && step.fraction !== null ? stepMeter(step.fraction, stepSentence(step)) : nothing;
}

/** Why a step failed or is tried again. Once the job is over, its end says it instead. */
function trouble(step: Step, now: number): TemplateResult | typeof nothing {
	if (!step.problem || step.state === "done") return nothing;
	const { code, params, detail } = step.problem;
	const sentence = problemSentence(code, params, detail);
	if (step.state !== "retrying") return note("bad", html`<p>${sentence}.</p>`);
	const wait = step.nextAttemptAt ? (Date.parse(step.nextAttemptAt) - now) / 1000 : 0;
	return note(
		"attention",
		html`<p>${sentence}.</p><p class="small quiet numbers">${
			wait > 0.5
				? msg(str`Attempt ${step.attempt} did not work; the next one in ${duration(Math.ceil(wait))}`)
				: msg(str`Attempt ${step.attempt} did not work; trying again now`)
		}</p>`,
	);
}
