import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Migration } from "../../views.ts";
import { bytes, duration, number } from "../../words/numbers.ts";
import { checkWord } from "../../words/probes.ts";
import { stateOf } from "../marks.ts";

/** How often everything was copied and how much that was, and what the trial at the new provider found. */
export function moveCopies({ rounds, rehearsal }: Migration): TemplateResult | typeof nothing {
	if (rounds.length === 0) return nothing;
	return html`<details><summary>${rehearsal ? msg("Copies and trial") : msg("Copies")}</summary><div class="stack">
		<ol class="rows">${rounds.map(copy)}</ol>
		${rehearsal ? trial(rehearsal) : nothing}
	</div></details>`;
}

function copy({ round, final, entries, bytes: all, moved, seconds }: Migration["rounds"][number]): TemplateResult {
	const [items, size] = [number(entries, 0), bytes(all)];
	return html`<li class="row small numbers">
		<span class="grow">${final ? msg("The last one, while the services rested") : msg(str`Copy ${round}, while everything went on`)}<br />
			<span class="quiet">${msg(str`${items} items, ${size}`)}</span></span>
		<span>${moved === null ? msg("under way") : msg(str`${bytes(moved)} came over`)}${seconds === null ? nothing : html` · ${duration(seconds)}`}</span>
	</li>`;
}

function trial({ checks, seconds, ok }: NonNullable<Migration["rehearsal"]>): TemplateResult {
	return html`<div class="stack tight">
		<h3 class="line apart">${msg(str`Tried at the new provider under a temporary name, in ${duration(seconds)}`)}${stateOf(ok ? [msg("all well"), "good"] : [msg("needs a look"), "attention"])}</h3>
		<ul class="rows">${checks.map(
			({
				what,
				ok,
				detail,
			}) => html`<li class="row small">${stateOf(ok ? [msg("right"), "good"] : [msg("different"), "bad"])}
				<span class="grow">${checkWord(what)}${detail ? html` <span class="quiet">${detail}</span>` : nothing}</span></li>`,
		)}</ul>
	</div>`;
}
