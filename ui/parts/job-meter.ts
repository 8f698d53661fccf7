import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import type { Job } from "../views.ts";
import { jobTone } from "../words/jobs.ts";
import { progress } from "../words/time-left.ts";

/** How many of a job's steps are done. The bar's length weighs each step by what it usually takes. */
export function jobMeter(job: Job): TemplateResult {
	const done = job.steps.filter(({ state }) => state === "done").length;
	const sentence = msg(str`${done} of ${job.steps.length} steps done`);
	const filled = job.state === "done" ? 1 : progress(job);
	return html`<progress class="meter ${jobTone(job.state)}" aria-label=${msg("Progress")} aria-valuetext=${sentence} .value=${filled}></progress>`;
}

/** How far one step is, where it can tell. */
export function stepMeter(fraction: number, label: string): TemplateResult {
	return html`<progress class="meter busy" aria-label=${label} .value=${fraction}></progress>`;
}
