import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../../controllers/action.ts";
import type { Panel } from "../../panel.ts";
import { jobAddress } from "../../routes.ts";
import type { MoveIn } from "../../views.ts";
import { bytes } from "../../words/numbers.ts";
import { hostOf, serviceTitle } from "../../words/params.ts";
import { note, problem } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import { sixWords } from "./six-words.ts";

/** A deployment that is offered, agreed on or on its way: what it is, from whom, and what there is to decide. */
export class MoveInOffer extends Part {
	static override properties = { panel: { attribute: false }, moveIn: { attribute: false } };
	declare panel: Panel;
	declare moveIn: MoveIn;

	readonly #agree = new Action(this, () => this.#answer("POST /move-ins/{id}/agree"));
	readonly #refuse = new Action(this, () => this.#answer("POST /move-ins/{id}/refuse"));

	protected override render() {
		const { id, state, offer, from } = this.moveIn;
		if (!offer || !from) return nothing;
		const [provider, domain] = [from.provider, offer.domain];
		return html`<section class="card stack" aria-labelledby="offer-${id}">
			<div class="line apart">
				<h2 id="offer-${id}">${state === "asked" ? msg(str`${provider} asks to move ${domain} here`) : msg(str`${domain} moves here from ${provider}`)}</h2>
				${state === "asked" ? nothing : stateOf([state === "agreed" ? msg("agreed") : msg("under way"), "busy"])}
			</div>
			<dl class="facts">
				<dt>${msg("From")}</dt><dd>${msg(str`${from.customer} at ${provider}`)}<br /><span class="quiet small">${hostOf(from.origin)}</span></dd>
				<dt>${msg("Services")}</dt><dd>${offer.services.map(serviceTitle).join(", ")}</dd>
				${offer.bytes === null ? nothing : html`<dt>${msg("Size")}</dt><dd class="numbers">${bytes(offer.bytes)}</dd>`}
			</dl>
			${this.#rest()}
		</section>`;
	}

	#rest(): TemplateResult {
		const { state, words, job, offer } = this.moveIn;
		if (state === "asked") return this.#question();
		if (state === "moving" && job)
			return html`<p><a class="button main" href=${jobAddress(offer?.domain ?? "", job)}>${msg("Watch it")}</a></p>`;
		return html`${words ? sixWords(words) : nothing}
			${note("busy", html`<p>${msg("You agreed. The other provider begins within a minute.")}</p>`)}`;
	}

	#question(): TemplateResult {
		const { words } = this.moveIn;
		return html`
			${
				words
					? html`<div class="stack tight">${sixWords(words)}
						<p>${msg("Compare them with the words on the other screen. Agree only if all six are the same.")}</p></div>`
					: nothing
			}
			${problem(this.#agree.error ?? this.#refuse.error)}
			<div class="actions">
				<button type="button" class="button main" aria-busy=${this.#agree.busy} @click=${() => this.#agree.run()}>${msg("Agree")}</button>
				<button type="button" class="button" aria-busy=${this.#refuse.busy} @click=${() => this.#refuse.run()}>${msg("Refuse")}</button>
			</div>`;
	}

	async #answer(operation: "POST /move-ins/{id}/agree" | "POST /move-ins/{id}/refuse"): Promise<void> {
		const detail = await this.panel.api(operation, { path: { id: this.moveIn.id } });
		this.dispatchEvent(new CustomEvent<MoveIn>("answered", { detail }));
	}
}

customElements.define("move-in-offer", MoveInOffer);
