/** What a list or a page shows while there is nothing to show. */
import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { sentenceOf } from "../words/problems.ts";
import type { Tone } from "../words/states.ts";
import { icon } from "./icons.ts";
import { mark } from "./marks.ts";

/** Keeps the place of what is on its way; seen only if that takes a while. */
export function waiting(lines = 3): TemplateResult {
	return html`<div class="waiting" role="status">
		<span class="unseen">${msg("Loading")}</span>${Array.from({ length: lines }, () => html`<i></i>`)}
	</div>`;
}

/** Something could not be fetched: what, and a way on. */
export function failed(error: unknown, again: () => void): TemplateResult {
	return note(
		"bad",
		html`<p>${sentenceOf(error)}.</p>
		<p><button type="button" class="button small" @click=${again}>${msg("Try again")}</button></p>`,
	);
}

/** A message that stays where it belongs. */
export function note(tone: Tone | "accent", content: unknown): TemplateResult {
	return html`<div class="note ${tone}">${tone === "accent" ? icon("info") : mark(tone)}<div class="stack tight">${content}</div></div>`;
}

/** What went wrong with what a button did; read out at once and able to take the focus. */
export function problem(error: unknown): TemplateResult | typeof nothing {
	if (error === undefined) return nothing;
	return html`<div class="note bad problem" role="alert" tabindex="-1" data-arrival>${mark("bad")}<p>${sentenceOf(error)}.</p></div>`;
}
