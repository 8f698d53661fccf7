import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Choice } from "../choice.ts";
import { Action } from "../controllers/action.ts";
import { Form } from "../controllers/form.ts";
import type { Panel } from "../panel.ts";
import type { Domain } from "../views.ts";
import { given } from "../words/checks.ts";
import { ofDomain, sentenceOf } from "../words/problems.ts";
import { note, problem } from "./faces.ts";
import { field } from "./field.ts";
import { Part } from "./part.ts";

/** Section 1: under which name. Says before anything else that the name stays. */
export class NewDomain extends Part {
	static override properties = {
		panel: { attribute: false },
		choice: { attribute: false },
		domains: { attribute: false },
	};
	declare panel: Panel;
	declare choice: Choice;
	/** Domains that were added before and carry nothing yet. */
	declare domains: readonly Domain[];

	readonly #form = new Form(this, {
		name: "new-domain",
		checks: { domain: given },
		belongs: ofDomain,
		say: sentenceOf,
		send: async ({ domain }) =>
			this.#chosen(await this.panel.api("POST /domains", { body: { domain: domain.trim() } })),
	});
	readonly #forget = new Action<[Domain]>(this, async ({ domain }) => {
		await this.panel.api("DELETE /domains/{domain}", { path: { domain } });
		this.domains = this.domains.filter((known) => known.domain !== domain);
	});

	protected override render() {
		const form = this.#form;
		return html`
			<form class="stack" novalidate @submit=${form.submit}>
				${field(form, {
					name: "domain",
					label: msg("Your domain"),
					hint: this.#hint(),
					value: this.choice.typed,
					placeholder: "choir.example",
					autocomplete: "off",
					mono: true,
					onInput: (typed) => this.dispatchEvent(new CustomEvent("typed", { detail: typed })),
					beside: html`<button class="button main" aria-busy=${form.busy}>${msg("Go on")}</button>`,
				})}
				${problem(form.error)}
			</form>
			${this.#known()}
			${note(
				"accent",
				html`<p><b>${msg("This name is for good.")}</b> ${msg("Other servers in the Fediverse know your accounts by it, so it can never be changed later, not even by us. Take one that you own and want to keep.")}</p>`,
			)}`;
	}

	#hint(): string {
		const { zones, name } = this.panel.provider;
		if (zones.length === 0) return msg("A name that you own; your services get addresses below it");
		return msg(str`A name that you own, or one under ${zones.join(", ")}, for which ${name} sets the records itself`);
	}

	#known(): TemplateResult | typeof nothing {
		if (this.domains.length === 0) return nothing;
		return html`<div class="stack tight">
			<h3>${msg("Added before, without services")}</h3>
			<ul class="rows">${this.domains.map(
				(domain) => html`<li class="row"><span class="grow">${domain.unicode}</span>
					<button type="button" class="button small" @click=${() => this.#chosen(domain)}>${msg("Take this")}<span class="unseen"> ${domain.unicode}</span></button>
					<button type="button" class="button small" @click=${() => this.#forget.run(domain)}>${msg("Forget")}<span class="unseen"> ${domain.unicode}</span></button></li>`,
			)}</ul>
			${problem(this.#forget.error)}
		</div>`;
	}

	#chosen(domain: Domain): void {
		this.dispatchEvent(new CustomEvent("chosen", { detail: domain }));
	}
}

customElements.define("new-domain", NewDomain);
