import { msg, str } from "@lit/localize";
import { html, nothing } from "lit";
import { Draft } from "../controllers/draft.ts";
import { Form } from "../controllers/form.ts";
import { problem } from "../parts/faces.ts";
import { field, passwordField } from "../parts/field.ts";
import { Page } from "../parts/part.ts";
import { email, given, newPassword, passwordLength } from "../words/checks.ts";
import { language } from "../words/language.ts";
import { sentenceOf } from "../words/problems.ts";

/** What was typed on this page or, the voucher, on the front page. */
export const signUpDraft = new Draft<{ voucher: string; name: string; email: string }>("sign-up");

const nothingYet = { voucher: "", name: "", email: "" };

/** Opens an account with a voucher. */
export class PageSignUp extends Page {
	readonly #form = new Form(this, {
		name: "sign-up",
		checks: { voucher: given, name: given, email, password: newPassword },
		say: sentenceOf,
		belongs: {
			"voucher-unknown": "voucher",
			"voucher-spent": "voucher",
			"voucher-expired": "voucher",
			"email-taken": "email",
			"password-unfit": "password",
		},
		send: async ({ voucher, name, email, password }) => {
			const body = { voucher: voucher.trim(), name: name.trim(), email: email.trim(), password, language: language() };
			await this.panel.session.signUp(body);
			signUpDraft.clear();
			this.panel.go("/home");
		},
	});

	protected get heading() {
		return msg("Open an account");
	}

	protected override render() {
		const form = this.#form;
		const draft = signUpDraft.read(nothingYet);
		const { terms } = this.panel.provider;
		return html`<form class="stack" novalidate @submit=${form.submit} @input=${this.#keep}>
			<h1>${this.heading}</h1>
			${field(form, {
				name: "voucher",
				label: msg("Voucher"),
				hint: msg(str`The code that ${this.panel.provider.name} gave you`),
				value: draft.voucher,
				autocomplete: "off",
				mono: true,
			})}
			${field(form, { name: "name", label: msg("Your name"), value: draft.name, autocomplete: "name" })}
			${field(form, {
				name: "email",
				label: msg("E-mail"),
				hint: msg("For signing in, and for notices"),
				type: "email",
				value: draft.email,
				autocomplete: "username",
			})}
			${passwordField(form, {
				name: "password",
				label: msg("Password"),
				hint: msg(str`At least ${passwordLength.least} characters; a few words are fine`),
				autocomplete: "new-password",
			})}
			${problem(form.error)}
			<div class="line apart">
				<button class="button main large" aria-busy=${form.busy}>${msg("Open the account")}</button>
				<a href="/sign-in">${msg("Have an account? Sign in")}</a>
			</div>
			${
				terms
					? html`<p class="small quiet">${msg(html`By opening an account you accept the <a href=${terms}>terms</a>.`)}</p>`
					: nothing
			}
		</form>`;
	}

	readonly #keep = (event: Event): void => {
		const data = new FormData(event.currentTarget as HTMLFormElement);
		const typed = (name: string) => String(data.get(name) ?? "");
		signUpDraft.write({ voucher: typed("voucher"), name: typed("name"), email: typed("email") });
	};
}

customElements.define("page-sign-up", PageSignUp);
