import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { ifDefined } from "lit/directives/if-defined.js";
import type { Form } from "../controllers/form.ts";

interface Field<Name extends string> {
	name: Name;
	label: string;
	hint?: unknown;
	type?: "text" | "email" | "url" | "search";
	value?: string;
	autocomplete?: AutoFill;
	mono?: boolean;
	placeholder?: string;
	/** Something beside the input, such as the form's only button. */
	beside?: TemplateResult;
	onInput?: (value: string) => void;
}

/** A labelled input with its hint and its error tied to it. */
export function field<Name extends string>(form: Form<Name>, given: Field<Name>): TemplateResult {
	const { name, label, hint, type = "text", value, autocomplete, mono, placeholder, beside, onInput } = given;
	const code = type !== "text" || mono;
	const input = html`<input class="input ${mono ? "mono" : ""}" id=${form.idOf(name)} name=${name} type=${type}
		.value=${value ?? ""} autocomplete=${ifDefined(autocomplete)} placeholder=${ifDefined(placeholder)}
		autocapitalize=${code ? "none" : nothing} spellcheck=${code ? "false" : nothing}
		aria-invalid=${form.errors[name] ? "true" : nothing} aria-describedby=${described(form, name, hint)}
		@input=${(event: InputEvent) => onInput?.((event.target as HTMLInputElement).value)} />`;
	return around(form, name, label, hint, beside ? html`<div class="joined">${input}${beside}</div>` : input);
}

/** A password, which can be looked at. */
export function passwordField<Name extends string>(
	form: Form<Name>,
	{ name, label, hint, autocomplete }: Pick<Field<Name>, "name" | "label" | "hint" | "autocomplete">,
): TemplateResult {
	const input = html`<div class="affixed"><input class="input" id=${form.idOf(name)} name=${name} type="password"
		autocomplete=${ifDefined(autocomplete)} autocapitalize="none" spellcheck="false"
		aria-invalid=${form.errors[name] ? "true" : nothing} aria-describedby=${described(form, name, hint)} /><button
		type="button" class="plain-button" aria-pressed="false" aria-controls=${form.idOf(name)} @click=${reveal}>${msg("Show")}<span
			class="unseen"> ${label}</span></button></div>`;
	return around(form, name, label, hint, input);
}

/** Several lines, such as a key that is pasted. */
export function area<Name extends string>(
	form: Form<Name>,
	{ name, label, hint, placeholder, value }: Field<Name>,
): TemplateResult {
	const input = html`<textarea class="input mono" id=${form.idOf(name)} name=${name} .value=${value ?? ""} spellcheck="false" autocapitalize="none"
		placeholder=${ifDefined(placeholder)} aria-invalid=${form.errors[name] ? "true" : nothing}
		aria-describedby=${described(form, name, hint)}></textarea>`;
	return around(form, name, label, hint, input);
}

function around<Name extends string>(
	form: Form<Name>,
	name: Name,
	label: string,
	hint: unknown,
	input: TemplateResult,
) {
	const error = form.errors[name];
	return html`<div class="field">
		<label for=${form.idOf(name)}>${label}</label>
		${hint ? html`<span class="hint" id="${form.idOf(name)}-hint">${hint}</span>` : nothing}
		${input}
		${error ? html`<span class="error" id="${form.idOf(name)}-error">${error}</span>` : nothing}
	</div>`;
}

function described<Name extends string>(form: Form<Name>, name: Name, hint: unknown): string | typeof nothing {
	const ids = [hint && `${form.idOf(name)}-hint`, form.errors[name] && `${form.idOf(name)}-error`].filter(Boolean);
	return ids.length > 0 ? ids.join(" ") : nothing;
}

function reveal({ currentTarget }: Event): void {
	const button = currentTarget as HTMLButtonElement;
	const input = button.previousElementSibling as HTMLInputElement;
	const shown = input.type === "password";
	input.type = shown ? "text" : "password";
	button.ariaPressed = String(shown);
}
