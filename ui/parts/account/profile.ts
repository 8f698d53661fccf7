import { msg } from "@lit/localize";
import { html } from "lit";
import { Form } from "../../controllers/form.ts";
import type { Panel } from "../../panel.ts";
import type { Language } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { language, languageNames } from "../../words/language.ts";
import { sentenceOf } from "../../words/problems.ts";
import { problem } from "../faces.ts";
import { field } from "../field.ts";
import { Part } from "../part.ts";

/** The customer's name and language. */
export class AccountProfile extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #form = new Form(this, {
		name: "profile",
		checks: { name: given },
		say: sentenceOf,
		send: async ({ name }) => {
			await this.panel.session.change({ name: name.trim() });
			this.panel.say(msg("Saved"));
		},
	});

	protected override render() {
		const { me } = this.panel.session;
		const form = this.#form;
		return html`<div class="stack">
			<p class="quiet">${me?.email}</p>
			<form class="stack tight" novalidate @submit=${form.submit}>
				${field(form, {
					name: "name",
					label: msg("Your name"),
					value: me?.name ?? "",
					autocomplete: "name",
					beside: html`<button class="button" aria-busy=${form.busy}>${msg("Save")}</button>`,
				})}
				${problem(form.error)}
			</form>
			<div class="field">
				<label for="profile-language">${msg("Language")}</label>
				<select class="input" id="profile-language" @change=${(event: Event) => this.panel.speak((event.target as HTMLSelectElement).value as Language)}>
					${Object.entries(languageNames).map(([code, name]) => html`<option value=${code} lang=${code} ?selected=${code === language()}>${name}</option>`)}
				</select>
			</div>
		</div>`;
	}
}

customElements.define("account-profile", AccountProfile);
