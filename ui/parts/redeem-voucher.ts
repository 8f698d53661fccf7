import { msg } from "@lit/localize";
import { html, nothing } from "lit";
import { Form } from "../controllers/form.ts";
import type { Panel } from "../panel.ts";
import { given } from "../words/checks.ts";
import { sentenceOf } from "../words/problems.ts";
import { problem } from "./faces.ts";
import { field } from "./field.ts";
import { Part } from "./part.ts";

/** Takes another voucher. */
export class RedeemVoucher extends Part {
	static override properties = { panel: { attribute: false }, needed: { type: Boolean }, why: {} };
	declare panel: Panel;
	/** Whether nothing goes on without one. */
	declare needed: boolean;
	/** Said instead of the sentence for a new deployment. */
	declare why: string | undefined;

	readonly #form = new Form(this, {
		name: "redeem",
		checks: { voucher: given },
		belongs: { "voucher-unknown": "voucher", "voucher-spent": "voucher", "voucher-expired": "voucher" },
		say: sentenceOf,
		send: async ({ voucher }) => {
			await this.panel.api("POST /me/entitlements", { body: { voucher: voucher.trim() } });
			this.querySelector("form")?.reset();
			this.panel.say(msg("The voucher was redeemed"));
			this.dispatchEvent(new Event("redeemed"));
		},
	});

	protected override render() {
		const form = this.#form;
		return html`<form class=${this.needed ? "card stack tight" : "stack tight"} novalidate @submit=${form.submit}>
			${this.needed ? html`<p>${this.why ?? msg("You have no unused voucher. You can look around below; to start, a voucher is needed.")}</p>` : nothing}
			${field(form, {
				name: "voucher",
				label: msg("Voucher"),
				autocomplete: "off",
				mono: true,
				beside: html`<button class="button" aria-busy=${form.busy}>${msg("Redeem")}</button>`,
			})}
			${problem(form.error)}
		</form>`;
	}
}

customElements.define("redeem-voucher", RedeemVoucher);
