import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { Action } from "../../controllers/action.ts";
import { Ticker } from "../../controllers/clock.ts";
import type { Panel } from "../../panel.ts";
import type { MoveInMade } from "../../views.ts";
import { duration } from "../../words/numbers.ts";
import "../copy-text.ts";
import { problem } from "../faces.ts";
import { Part } from "../part.ts";
import "./qr-code.ts";
import { standsFor } from "./stands-for.ts";

/** A token that was just made: to copy, to read with a camera, and to take back. It cannot be shown again. */
export class MoveToken extends Part {
	static override properties = { panel: { attribute: false }, made: { attribute: false } };
	declare panel: Panel;
	declare made: MoveInMade;

	readonly #revoke = new Action(this, async () => {
		await this.panel.api("DELETE /move-ins/{id}", { path: { id: this.made.id } });
		this.dispatchEvent(new Event("revoked"));
	});

	constructor() {
		super();
		new Ticker(this, () => true);
	}

	protected override render(): TemplateResult {
		const { made } = this;
		return html`<section class="card move-token" aria-labelledby="token" tabindex="-1" data-arrival>
			<div class="stack">
				<h2 id="token">${msg("Your token")}</h2>
				<p>${msg(str`At your present provider, open the deployment, choose “Move to another provider” and paste this. It is shown only now.`)}</p>
				<copy-text class="one-line" .text=${made.token} .what=${msg("the token")}></copy-text>
				${standsFor(made, made.domain)}
				${problem(this.#revoke.error)}
				<div class="line apart">
					<span class="quiet small numbers" role="timer">${this.#left()}</span>
					<button type="button" class="button small" aria-busy=${this.#revoke.busy} @click=${() => this.#revoke.run()}>${msg("Revoke it")}</button>
				</div>
			</div>
			<qr-code .text=${made.token}></qr-code>
		</section>`;
	}

	#left(): string {
		const seconds = this.made.expiresAt ? (Date.parse(this.made.expiresAt) - this.panel.clock.now()) / 1000 : 0;
		return seconds > 0
			? msg(str`Good for another ${duration(Math.ceil(seconds))}`)
			: msg("Its time is over; make another one");
	}
}

customElements.define("move-token", MoveToken);
