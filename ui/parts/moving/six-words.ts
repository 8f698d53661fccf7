import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";

/** Six words that are the same at both providers, or something is wrong: large enough to compare from one screen to another. */
export function sixWords(words: readonly string[]): TemplateResult {
	return html`<ol class="words" lang="en" translate="no" aria-label=${msg("Six words")}>${words.map((word) => html`<li>${word}</li>`)}</ol>`;
}
