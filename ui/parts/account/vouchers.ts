import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { all } from "../../controllers/paged-list.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Entitlement } from "../../views.ts";
import { mebibytes } from "../../words/numbers.ts";
import { serviceTitle } from "../../words/params.ts";
import { failed, waiting } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import "../redeem-voucher.ts";
import { when } from "../when.ts";

/** What the customer's vouchers give, and a place for the next one. */
export class AccountVouchers extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #task = new Task(this, (signal) =>
		all<Entitlement>((after) =>
			this.panel.api("GET /me/entitlements", { query: { limit: 100, ...(after && { after }) }, signal }),
		),
	);

	protected override render() {
		return html`<div class="stack">
			${this.#task.render({ ready: (all) => this.#list(all), loading: () => waiting(2), failed })}
			<redeem-voucher .panel=${this.panel} @redeemed=${this.#task.run}></redeem-voucher>
		</div>`;
	}

	#list(all: readonly Entitlement[]): TemplateResult {
		if (all.length === 0) return html`<p class="quiet">${msg("None yet.")}</p>`;
		return html`<ul class="rows">${all.map(
			(one) => html`<li class="row">
				<span class="grow">${one.services.length > 0 ? one.services.map(serviceTitle).join(", ") : msg("Every service")}<br />
					<small class="quiet">${msg(str`One domain, ${mebibytes(one.diskMiB)}`)} · ${msg(html`redeemed ${when(one.redeemedAt)}`)}</small></span>
				<small>${stateOf(one.deployment ? [msg("in use"), "good"] : [msg("unused"), "still"])}</small>
			</li>`,
		)}</ul>`;
	}
}

customElements.define("account-vouchers", AccountVouchers);
