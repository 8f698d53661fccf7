import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { Form } from "../controllers/form.ts";
import { sentenceOf } from "../words/problems.ts";
import { problem } from "./faces.ts";
import { field } from "./field.ts";
import { Part } from "./part.ts";

/** Something that cannot be taken back, or not for long: a button, then the name typed in full, then it happens. */
export class TypedConfirmation extends Part {
	static override properties = {
		domain: {},
		verb: {},
		warning: {},
		act: { attribute: false },
		open: { state: true },
	};
	declare domain: string;
	/** What the buttons say: "Remove choir.example". */
	declare verb: string;
	/** What will happen, in whole sentences. */
	declare warning: string;
	declare act: (typed: string) => Promise<unknown>;
	declare open: boolean;

	readonly #form = new Form(this, {
		name: "confirmation",
		checks: {
			domain: (typed) =>
				typed.trim().toLowerCase() === this.domain
					? null
					: msg(str`Type ${this.domain} exactly as it stands to confirm`),
		},
		belongs: { "confirmation-wrong": "domain" },
		say: sentenceOf,
		send: ({ domain }) => this.act(domain.trim()),
	});

	constructor() {
		super();
		this.open = false;
	}

	protected override render() {
		return this.open
			? this.#asking()
			: html`<p><button type="button" class="button danger" @click=${() => this.#set(true)}>${this.verb} …</button></p>`;
	}

	#asking(): TemplateResult {
		const form = this.#form;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			<p>${this.warning}</p>
			${field(form, {
				name: "domain",
				label: msg(str`Type ${this.domain} to confirm`),
				autocomplete: "off",
				mono: true,
			})}
			${problem(form.error)}
			<div class="actions">
				<button class="button danger sure" aria-busy=${form.busy}>${this.verb}</button>
				<button type="button" class="button" @click=${() => this.#set(false)}>${msg("Leave it as it is")}</button>
			</div>
		</form>`;
	}

	async #set(open: boolean): Promise<void> {
		this.open = open;
		this.#form.mark("domain", null);
		await this.updateComplete;
		this.querySelector<HTMLElement>(open ? "input" : "button")?.focus();
	}
}

customElements.define("typed-confirmation", TypedConfirmation);
