import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { deploymentAddress, jobAddress } from "../routes.ts";
import type { Deployment } from "../views.ts";
import { bytes } from "../words/numbers.ts";
import { healthWord, wellbeing } from "../words/states.ts";
import { day } from "../words/times.ts";
import { mark, stateOf } from "./marks.ts";

/** A deployment in a list: which domain, how it is, what runs there. It leads to the work on it while there is some. */
export function deploymentCard(deployment: Deployment): TemplateResult {
	const { domain, unicode, busy, job, services, keptUntil, state, moved } = deployment;
	const href = busy && job ? jobAddress(domain, job) : deploymentAddress(domain);
	const size = services.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
	return html`<article class="card deployment">
		<div class="line apart"><h2><a href=${href}>${unicode}</a></h2>${stateOf(wellbeing(deployment))}</div>
		<p class="served quiet">
			${services.map(
				({ title, health }) => html`<span class="state still">${mark(healthWord(health)[1])}${title}<span
				class="unseen">: ${healthWord(health)[0]}</span></span>`,
			)}
			${size > 0 ? html`<span class="numbers">${bytes(size)}</span>` : nothing}
			${state === "moved" && moved ? html`<span>${msg(str`Now at ${moved.provider}`)}</span>` : nothing}
			${keptUntil ? html`<span>${msg(str`Kept until ${day(keptUntil)}`)}</span>` : nothing}
		</p>
	</article>`;
}
