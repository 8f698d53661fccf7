import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { KnownProvider } from "../../views.ts";
import { bytes } from "../../words/numbers.ts";
import { hostOf } from "../../words/params.ts";
import { problemSentence } from "../../words/problems.ts";
import { fromNow } from "../../words/times.ts";
import { icon } from "../icons.ts";
import { stateOf } from "../marks.ts";

/** A provider's offer sheet, to compare with the next one; `href` leads there. `wanted` are the services that would move. */
export function providerCard(one: KnownProvider, wanted: readonly string[], href: string): TemplateResult {
	const id = `provider-${one.origin}`;
	return html`<article class="service provider" aria-labelledby=${id}>
		<div class="line apart"><h4 id=${id}>${one.name}</h4>${fits(one)}</div>
		<div class="stack tight">
			${one.why && one.fits === false ? html`<p class="small">${problemSentence(one.why.code, one.why.params, one.why.detail)}.</p>` : nothing}
			${facts(one, wanted)}
		</div>
		<div class="line">
			${
				one.fits === false
					? html`<a class="button" href=${one.origin}>${msg(str`Visit ${one.name}`)}${icon("out")}</a>`
					: html`<a class="button" href=${href}>${msg(str`Move to ${one.name}`)}${icon("out")}</a>`
			}
		</div>
	</article>`;
}

function fits({ fits }: KnownProvider): TemplateResult | typeof nothing {
	if (fits === null) return nothing;
	return fits ? stateOf([msg("can take it"), "good"]) : stateOf([msg("cannot take it"), "attention"]);
}

function facts(one: KnownProvider, wanted: readonly string[]): TemplateResult {
	const { place, jurisdiction, price, limits, backups, freeBytes, services, terms, origin, seenAt } = one;
	const fact = (name: string, value: unknown) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : nothing);
	const programs = services.filter(({ name }) => wanted.includes(name));
	return html`<dl class="sheet numbers">
		${fact(msg("Place"), [place, jurisdiction].filter(Boolean).join(" · "))}
		${fact(msg("Price"), price)}
		${fact(msg("Limit"), limits.bytes !== null && bytes(limits.bytes))}
		${fact(msg("Free room"), freeBytes !== null && bytes(freeBytes))}
		${fact(msg("Backups"), backups)}
		${fact(
			msg("Versions"),
			programs.map(({ title, version }) => html`<span class="program">${title} ${version}</span>`),
		)}
		${fact(msg("Runs too"), services.length > programs.length && others(services.filter((known) => !programs.includes(known))))}
		${fact(msg("Asked"), fromNow(seenAt))}
		${fact(msg("Address"), html`${hostOf(origin)}${terms ? html` · <a href=${terms}>${msg("Terms")}</a>` : nothing}`)}
	</dl>`;
}

function others(services: KnownProvider["services"]): string {
	return services.map(({ title }) => title).join(", ");
}
