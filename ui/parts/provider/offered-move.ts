import { msg, str } from "@lit/localize";
import { html } from "lit";
import { Action } from "../../controllers/action.ts";
import type { Panel } from "../../panel.ts";
import type { OfferedMove as Offered } from "../../views.ts";
import { bytes } from "../../words/numbers.ts";
import { hostOf, serviceTitle } from "../../words/params.ts";
import { problem } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import "../typed-confirmation.ts";
import { when } from "../when.ts";
import type { Sure } from "./sure-dialog.ts";

/** What another node wants to move here, with the two answers. */
export class OfferedMove extends Part {
	static override properties = { panel: { attribute: false }, sure: { attribute: false }, move: { attribute: false } };
	declare panel: Panel;
	declare sure: Sure;
	declare move: Offered;

	readonly #accept = new Action(this, () => this.#decide("accept"));

	protected override render() {
		const { id, domain, services, bytes: size, from, customer, agreed, createdAt } = this.move;
		return html`<section class="card stack" aria-labelledby="offered-${id}">
			<h3 id="offered-${id}">${domain}</h3>
			<dl class="facts">
				<dt>${msg("From")}</dt><dd>${msg(str`${from.customer} at ${from.provider}`)}<br /><span class="quiet small">${hostOf(from.origin)}</span></dd>
				<dt>${msg("To")}</dt><dd>${customer}<br />${stateOf(agreed ? [msg("has agreed"), "good"] : [msg("has not agreed yet"), "still"])}</dd>
				<dt>${msg("Services")}</dt><dd>${services.map(serviceTitle).join(", ")}</dd>
				<dt>${msg("Size")}</dt><dd class="numbers">${bytes(size)}</dd>
				<dt>${msg("Waits since")}</dt><dd>${when(createdAt)}</dd>
			</dl>
			${problem(this.#accept.error)}
			<div class="actions">
				<button type="button" class="button main" aria-busy=${this.#accept.busy} @click=${() => this.#accept.run()}>${msg("Let it in")}<span class="unseen"> ${domain}</span></button>
			</div>
			<typed-confirmation .domain=${domain} .verb=${msg(str`Refuse ${domain}`)}
				.warning=${msg(str`${domain} then stays where it is, and its customer needs a new token.`)}
				.act=${() => this.#decide("refuse")}></typed-confirmation>
		</section>`;
	}

	async #decide(what: "accept" | "refuse"): Promise<void> {
		const { id, domain } = this.move;
		await this.sure(() => this.panel.api(`POST /staff/moves/{id}/${what}`, { path: { id } }));
		const detail = { domain, accepted: what === "accept" };
		this.dispatchEvent(new CustomEvent("decided", { detail }));
	}
}

customElements.define("offered-move", OfferedMove);
