import { msg, str } from "@lit/localize";
import { html, nothing } from "lit";
import { Form } from "../../controllers/form.ts";
import type { Panel } from "../../panel.ts";
import { given, newPassword, passwordLength } from "../../words/checks.ts";
import { sentenceOf } from "../../words/problems.ts";
import { note, problem } from "../faces.ts";
import { passwordField } from "../field.ts";
import { Part } from "../part.ts";

/** Changes the password; all other sessions end. */
export class AccountPassword extends Part {
	static override properties = { panel: { attribute: false }, changed: { state: true } };
	declare panel: Panel;
	declare changed: boolean;

	readonly #form = new Form(this, {
		name: "password",
		checks: { current: given, next: newPassword },
		belongs: { "wrong-credentials": "current", "password-unfit": "next" },
		say: sentenceOf,
		send: async (body) => {
			this.changed = false;
			await this.panel.api("POST /me/password", { body });
			this.querySelector("form")?.reset();
			this.changed = true;
			this.dispatchEvent(new Event("changed"));
		},
	});

	protected override render() {
		const form = this.#form;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			<input type="text" name="username" autocomplete="username" .value=${this.panel.session.me?.email ?? ""} hidden />
			${passwordField(form, { name: "current", label: msg("Present password"), autocomplete: "current-password" })}
			${passwordField(form, {
				name: "next",
				label: msg("New password"),
				hint: msg(str`At least ${passwordLength.least} characters; a few words are fine`),
				autocomplete: "new-password",
			})}
			${problem(form.error)}
			<div role="status">${this.changed ? note("good", html`<p>${msg("The password was changed; all other sessions have ended.")}</p>`) : nothing}</div>
			<p><button class="button" aria-busy=${form.busy}>${msg("Change the password")}</button></p>
		</form>`;
	}
}

customElements.define("account-password", AccountPassword);
