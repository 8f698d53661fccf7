import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../../controllers/action.ts";
import type { Panel } from "../../panel.ts";
import { deploymentAddress } from "../../routes.ts";
import type { MoveIn } from "../../views.ts";
import { moveInWord } from "../../words/move-ins.ts";
import { problemSentence } from "../../words/problems.ts";
import { problem } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import { when } from "../when.ts";

/** Tokens that were made before, and what became of each. */
export class MoveInList extends Part {
	static override properties = { panel: { attribute: false }, list: { attribute: false } };
	declare panel: Panel;
	declare list: readonly MoveIn[];

	readonly #revoke = new Action<[MoveIn]>(this, async ({ id }) => {
		await this.panel.api("DELETE /move-ins/{id}", { path: { id } });
		this.dispatchEvent(new Event("revoked"));
	});

	protected override render() {
		return html`${problem(this.#revoke.error)}<ul class="rows">${repeat(
			this.list,
			({ id }) => id,
			(one) => html`<li>${this.#row(one)}</li>`,
		)}</ul>`;
	}

	#row(one: MoveIn): TemplateResult {
		const { state, domain, offer, from, problem: trouble, createdAt, expiresAt } = one;
		const what = offer?.domain ?? domain ?? msg("Any domain");
		return html`<div class="row">
			<span class="grow">${state === "done" && offer ? html`<a href=${deploymentAddress(offer.domain)}>${what}</a>` : what}${
				from ? html` <span class="quiet">${msg(str`from ${from.provider}`)}</span>` : nothing
			}<br /><small class="quiet">${msg(html`made ${when(createdAt)}`)}${
				state === "waiting" && expiresAt ? html` · ${msg(html`can be used until ${when(expiresAt)}`)}` : nothing
			}${trouble ? html` · ${problemSentence(trouble.code, trouble.params, trouble.detail)}` : nothing}</small></span>
			${stateOf(moveInWord(state))}
			${
				state === "waiting"
					? html`<button type="button" class="button small" @click=${() => this.#revoke.run(one)}>${msg("Revoke")}<span class="unseen"> ${what}</span></button>`
					: nothing
			}
		</div>`;
	}
}

customElements.define("move-in-list", MoveInList);
