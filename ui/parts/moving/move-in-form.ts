import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Draft } from "../../controllers/draft.ts";
import { Form } from "../../controllers/form.ts";
import { Intention } from "../../controllers/intention.ts";
import { answered, type Errand } from "../../errand.ts";
import type { Panel } from "../../panel.ts";
import type { Entitlement, MoveInMade } from "../../views.ts";
import { anything } from "../../words/checks.ts";
import { ofDomain, sentenceOf } from "../../words/problems.ts";
import { note, problem } from "../faces.ts";
import { field } from "../field.ts";
import { Part } from "../part.ts";
import "../redeem-voucher.ts";
import { voucherChoice } from "./stands-for.ts";

const draft = new Draft<{ domain: string }>("move-in");

/** Makes a migration token: for a domain that is typed here, or for one that another provider's panel asks for. */
export class MoveInForm extends Part {
	static override properties = {
		panel: { attribute: false },
		free: { attribute: false },
		errand: { attribute: false },
		leaving: { state: true },
	};
	declare panel: Panel;
	/** Unused vouchers. */
	declare free: readonly Entitlement[];
	declare errand: Errand | null;
	/** The browser is on its way back. */
	declare leaving: boolean;
	readonly #intention = new Intention();

	readonly #form = new Form(this, {
		name: "move-in",
		checks: { domain: anything, entitlement: anything },
		belongs: ofDomain,
		say: sentenceOf,
		send: ({ domain, entitlement }) => this.#make(domain.trim(), entitlement || this.free[0]?.id),
	});

	protected override render() {
		const voucher = this.free.length === 0 ? this.#voucher() : nothing;
		const { errand } = this;
		return html`<div class="stack">${errand?.back ? html`${this.#asked(errand.domain, errand.back)}${voucher}` : html`${voucher}${this.#open()}`}</div>`;
	}

	#voucher(): TemplateResult {
		return html`<redeem-voucher .panel=${this.panel} needed @redeemed=${() => this.dispatchEvent(new Event("redeemed"))}
			.why=${msg("You have no unused voucher. One is needed to move in, unless the deployment comes back to where it was.")}></redeem-voucher>`;
	}

	#open(): TemplateResult {
		const form = this.#form;
		const { domain } = draft.read({ domain: this.errand?.domain ?? "" });
		return html`<form class="stack" novalidate @submit=${form.submit}>
			${field(form, {
				name: "domain",
				label: msg("Which domain? (optional)"),
				hint: msg(
					"With it the token is good for nothing else. Without, you agree once more when a deployment is offered.",
				),
				value: domain,
				placeholder: "choir.example",
				autocomplete: "off",
				mono: true,
				onInput: (typed) => draft.write({ domain: typed }),
			})}
			${voucherChoice(this.free)}
			${problem(form.error)}
			<p><button class="button main large" aria-busy=${form.busy}>${msg("Make a token")}</button></p>
		</form>`;
	}

	#asked(domain: string, back: URL): TemplateResult {
		const form = this.#form;
		return html`<form class="card stack" novalidate @submit=${form.submit} aria-labelledby="errand">
			<input type="hidden" name="domain" .value=${domain} />
			<h2 id="errand">${msg(str`${back.host} asks to move ${domain} here`)}</h2>
			<p>${msg("If you agree, a token is made for this one domain, and you go back with it. There you read what will happen before anything does.")}</p>
			${voucherChoice(this.free)}
			${note("accent", html`<p>${msg(html`You go back to <b>${back.host}</b>. Agree only if you came from there.`)}</p>`)}
			${problem(form.error)}
			<div class="actions">
				<button class="button main" aria-busy=${form.busy || this.leaving}>${msg("Agree and go back")}</button>
				<a class="button" href=${back.href}>${msg("Not now")}</a>
			</div>
		</form>`;
	}

	async #make(domain: string, entitlement: string | undefined): Promise<void> {
		const body = { ...(domain && { domain }), ...(entitlement && { entitlement }) };
		const made = await this.#intention.carry(body, (idempotencyKey) =>
			this.panel.api("POST /move-ins", { body, idempotencyKey }),
		);
		draft.clear();
		if (!this.errand?.back) this.dispatchEvent(new CustomEvent<MoveInMade>("made", { detail: made }));
		else {
			this.leaving = true;
			location.assign(answered(this.errand.back, made.token));
		}
	}
}

customElements.define("move-in-form", MoveInForm);
