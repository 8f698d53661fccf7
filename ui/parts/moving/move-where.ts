import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Form } from "../../controllers/form.ts";
import { Task } from "../../controllers/task.ts";
import { errandAddress } from "../../errand.ts";
import type { Panel } from "../../panel.ts";
import type { Deployment, KnownProvider } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { ofToken, sentenceOf } from "../../words/problems.ts";
import { failed, problem, waiting } from "../faces.ts";
import { area } from "../field.ts";
import { Part } from "../part.ts";
import { providerCard } from "./provider-card.ts";

/** Where to: a provider of the list, which leads to its panel and back, or a token that somebody has already. */
export class MoveWhere extends Part {
	static override properties = {
		panel: { attribute: false },
		deployment: { attribute: false },
		token: {},
		plan: { attribute: false },
	};
	declare panel: Panel;
	declare deployment: Deployment;
	declare token: string;
	/** Fetches the plan for a token; what it throws is shown at the token. */
	declare plan: (token: string) => Promise<void>;

	readonly #providers = new Task<readonly KnownProvider[]>(this, async (signal) => {
		const { items } = await this.panel.api("GET /providers", { query: { deployment: this.deployment.id }, signal });
		return items.toSorted((a, b) => Number(b.fits ?? false) - Number(a.fits ?? false) || a.name.localeCompare(b.name));
	});
	readonly #form = new Form(this, {
		name: "move-token",
		checks: { token: given },
		belongs: ofToken,
		say: sentenceOf,
		send: ({ token }) => this.plan(token.trim()),
	});

	protected override render() {
		const form = this.#form;
		return html`
			<section class="stack" aria-labelledby="pick">
				<h3 id="pick">${msg("Pick a provider")}</h3>
				${this.#providers.render({ ready: (list) => this.#list(list), loading: () => waiting(5), failed })}
			</section>
			<form class="stack" novalidate @submit=${form.submit} aria-labelledby="paste">
				<h3 id="paste">${msg("Or paste a token")}</h3>
				${area(form, {
					name: "token",
					label: msg("Token of the new provider"),
					hint: msg("You make it there, under “Move a deployment here”"),
					placeholder: "https://…/migrate/…",
					value: this.token,
				})}
				${problem(form.error)}
				<p><button class="button main" aria-busy=${form.busy}>${form.busy ? msg("Asking the new provider …") : msg("See what will happen")}</button></p>
			</form>`;
	}

	#list(list: readonly KnownProvider[]): TemplateResult {
		const { name } = this.panel.provider;
		if (list.length === 0)
			return html`<p class="quiet">${msg(str`${name} knows no other provider yet. With a token you can move to any.`)}</p>`;
		const { domain, services } = this.deployment;
		const wanted = services.map(({ name }) => name);
		return html`<ul class="cards">${repeat(
			list,
			({ origin }) => origin,
			(one) =>
				html`<li>${providerCard(one, wanted, errandAddress(one.origin, domain, location.origin + location.pathname))}</li>`,
		)}</ul>`;
	}
}

customElements.define("move-where", MoveWhere);
