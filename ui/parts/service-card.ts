import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { ServiceCard } from "../views.ts";
import { mebibytes } from "../words/numbers.ts";
import { serviceTitle } from "../words/params.ts";
import { cardWords, serviceKind, whyNot } from "../words/services.ts";
import { icon } from "./icons.ts";
import { mark } from "./marks.ts";

/** One service of the catalogue, to read. */
export function serviceCard(card: ServiceCard): TemplateResult {
	return html`<article class="service ${card.canRun ? "" : "cannot"}" aria-labelledby="card-${card.name}">
		${serviceName(card)}${serviceAbout(card)}${serviceMeta(card)}
	</article>`;
}

export function serviceName({ name, title }: ServiceCard, beside: unknown = nothing): TemplateResult {
	return html`<h3 class="name"><span class="tile">${icon(serviceKind(name))}</span><span id="card-${name}">${title}</span>${beside}</h3>`;
}

export function serviceAbout(card: ServiceCard): TemplateResult {
	const { promise, goodFor } = cardWords(card);
	return html`<div class="about stack tight"><p>${promise}</p><p class="quiet">${msg(str`Good for: ${goodFor}`)}</p></div>`;
}

/** What it needs and how large it is; or why it cannot run, which then matters more. */
export function serviceMeta(card: ServiceCard): TemplateResult {
	if (!card.canRun)
		return html`<p class="meta"><span class="why">${mark("still")}<span>${whyNot(card)}.</span></span></p>`;
	const { memoryMiB, diskMiB } = card.size;
	return html`<p class="meta numbers">
		${card.needs.length > 0 ? html`<span>${msg(str`Comes with ${card.needs.map(serviceTitle).join(", ")}`)}</span>` : nothing}
		<span>${msg(str`About ${mebibytes(memoryMiB)} of memory, ${mebibytes(diskMiB)} of disk`)}</span>
		<span>${cardWords(card).growth}</span>
	</p>`;
}
