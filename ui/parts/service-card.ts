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
	return html`<p class="about">${cardWords(card).promise}</p>`;
}

/** For whom it is, how large it is and how it grows; and first, where it is so, why it cannot run here. */
export function serviceMeta(card: ServiceCard): TemplateResult {
	const { goodFor, growth } = cardWords(card);
	const { memoryMiB, diskMiB } = card.size;
	return html`<div class="meta">
		${card.canRun ? nothing : html`<p class="why">${mark("still")}<span>${whyNot(card)}.</span></p>`}
		<dl class="numbers">
			<dt>${msg("For")}</dt><dd>${goodFor}</dd>
			${card.needs.length > 0 ? html`<dt>${msg("With")}</dt><dd>${card.needs.map(serviceTitle).join(", ")}</dd>` : nothing}
			<dt>${msg("Size")}</dt><dd>${msg(str`${mebibytes(memoryMiB)} memory, ${mebibytes(diskMiB)} disk`)}</dd>
			<dt>${msg("Growth")}</dt><dd>${growth}</dd>
		</dl>
	</div>`;
}
