import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Finding } from "../../views.ts";
import type { Tone } from "../../words/states.ts";
import { stateOf } from "../marks.ts";

/** What was looked at, what is wrong first, each with what to do. The node says it in English. */
export function findingsList(findings: readonly Finding[]): TemplateResult {
	const order: readonly Finding["state"][] = ["bad", "warning", "good"];
	const sorted = findings.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
	return html`<ul class="rows findings">${sorted.map(row)}</ul>`;
}

function row({ check, state, detail, fix }: Finding): TemplateResult {
	return html`<li class="row small">
		<span class="grow"><b class="mono">${check}</b><br /><span lang="en">${detail}</span>${
			fix === null
				? nothing
				: html`<br /><span class="quiet">${msg("What to do:")} <span lang="en">${fix}</span></span>`
		}</span>
		${stateOf(word(state))}
	</li>`;
}

function word(state: Finding["state"]): readonly [string, Tone] {
	const words: Record<Finding["state"], readonly [string, Tone]> = {
		good: [msg("good"), "good"],
		warning: [msg("soon"), "attention"],
		bad: [msg("to mend"), "bad"],
	};
	return words[state];
}
