import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { MovePlan } from "../../views.ts";
import { bytes, duration, inUnit, roughly } from "../../words/numbers.ts";
import { hostOf } from "../../words/params.ts";
import { problemSentence } from "../../words/problems.ts";
import { note } from "../faces.ts";
import { sixWords } from "./six-words.ts";

/** What a move would mean, before anything happens: what goes, how long it takes, who does what. `from` is this provider's name. */
export function movePlan(plan: MovePlan, from: string): TemplateResult {
	const { provider, customer, origin, place } = plan.to;
	return html`<div class="stack wide">
		${plan.problems.length > 0 ? against(plan) : nothing}
		<dl class="facts">
			<dt>${msg("To")}</dt><dd><b>${provider}</b>${place ? html` · ${place}` : nothing}<br /><span class="quiet small">${msg(str`${customer}, at ${hostOf(origin)}`)}</span></dd>
			<dt>${msg("Takes")}</dt><dd class="numbers">${msg(str`${roughly(plan.seconds)} in all, while everything goes on`)}</dd>
			<dt>${msg("Pause")}</dt><dd class="numbers">${msg(str`about ${duration(plan.freezeSeconds)}, in which the services rest; what other servers send then, they send again`)}</dd>
			<dt>${msg("Domain")}</dt><dd>${records(plan, from)}</dd>
			<dt>${msg("Stays here")}</dt><dd>${msg(str`A copy that serves nobody, for ${inUnit(plan.keepDays, "day")}; then it is erased`)}</dd>
			${plan.to.terms ? html`<dt>${msg("Terms there")}</dt><dd><a href=${plan.to.terms}>${plan.to.terms}</a></dd>` : nothing}
		</dl>
		${what(plan)}
		<section class="stack tight" aria-labelledby="six">
			<h3 id="six">${msg("Six words")}</h3>
			${sixWords(plan.words)}
			<p>${
				plan.asks
					? msg(
							str`${provider} shows the same six and asks you to agree there too, once you start here. Keep both pages open.`,
						)
					: msg(str`${provider} shows the same six once the move has begun. If they differ, call it off.`)
			}</p>
		</section>
	</div>`;
}

function against({ problems }: MovePlan): TemplateResult {
	return note(
		"bad",
		html`<p><b>${msg("It cannot begin yet")}</b></p><ul class="stack tight">${problems.map(
			({ code, params, detail }) => html`<li>${problemSentence(code, params, detail)}.</li>`,
		)}</ul>`,
	);
}

function records({ records, to }: MovePlan, from: string): string {
	return {
		here: msg(str`${from} points it to ${to.provider} by itself`),
		there: msg(str`${to.provider} points it there by itself`),
		you: msg("You set its records where you manage it; you are told which ones and when"),
	}[records];
}

/** Cells say their column's name themselves where the table is laid out as cards. */
function what({ services, bytes: all, room }: MovePlan): TemplateResult {
	const size = (count: number | null) => (count === null ? msg("not known yet") : bytes(count));
	return html`<table class="moves" role="table">
		<caption>${msg("What moves: everything in these services")}</caption>
		<thead role="rowgroup"><tr role="row">
			<th scope="col" role="columnheader">${msg("Service")}</th><th scope="col" role="columnheader">${msg("Version here")}</th>
			<th scope="col" role="columnheader">${msg("There")}</th><th scope="col" role="columnheader">${msg("Size")}</th>
		</tr></thead>
		<tbody role="rowgroup">${services.map(
			(one) => html`<tr role="row"><th scope="row" role="rowheader">${one.title}</th>
				<td role="cell" data-label=${msg("Version here")}>${one.here ?? "–"}</td><td role="cell" data-label=${msg("There")}>${one.there ?? "–"}</td>
				<td role="cell" data-label=${msg("Size")} class="numbers">${size(one.bytes)}</td></tr>`,
		)}</tbody>
		<tfoot role="rowgroup"><tr role="row"><th scope="row" role="rowheader" colspan="3">${msg(str`In all; there is room for ${bytes(room)}`)}</th>
			<td role="cell" data-label=${msg("Size")} class="numbers">${size(all)}</td></tr></tfoot>
	</table>`;
}
