import { msg } from "@lit/localize";
import { html, nothing } from "lit";
import { Form } from "../controllers/form.ts";
import { note, problem } from "../parts/faces.ts";
import { field, passwordField } from "../parts/field.ts";
import { Page } from "../parts/part.ts";
import { email, given } from "../words/checks.ts";
import { sentenceOf } from "../words/problems.ts";

/** Begins a session. It stands in for every page that needs one, which is there again afterwards. */
export class PageSignIn extends Page {
	readonly #form = new Form(this, {
		name: "sign-in",
		checks: { email, password: given },
		say: sentenceOf,
		send: async (values) => {
			await this.panel.session.signIn(values.email.trim(), values.password);
			if (["/", "/sign-in"].includes(location.pathname)) this.panel.go("/home");
		},
	});

	protected get heading() {
		return msg("Sign in");
	}

	protected override render() {
		const form = this.#form;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			<h1>${this.heading}</h1>
			${
				this.panel.session.expired
					? note("attention", html`<p>${msg("Your session has ended. Sign in, and this page is here again.")}</p>`)
					: nothing
			}
			${field(form, { name: "email", label: msg("E-mail"), type: "email", autocomplete: "username" })}
			${passwordField(form, { name: "password", label: msg("Password"), autocomplete: "current-password" })}
			${problem(form.error)}
			<div class="line apart">
				<button class="button main large" aria-busy=${form.busy}>${msg("Sign in")}</button>
				<a href="/sign-up">${msg("Have a voucher? Sign up")}</a>
			</div>
		</form>`;
	}
}

customElements.define("page-sign-in", PageSignIn);
