import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { PagedList } from "../../controllers/paged-list.ts";
import { Poll } from "../../controllers/poll.ts";
import type { Panel } from "../../panel.ts";
import type { Delivery } from "../../views.ts";
import { noticeSentence } from "../../words/notices.ts";
import type { Tone } from "../../words/states.ts";
import { failed, waiting } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import { when } from "../when.ts";

/** What became of mails and webhooks, so that a silent channel does not stay unnoticed. */
export class AccountDeliveries extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #list = new PagedList<Delivery>(this, (after, signal) =>
		this.panel.api("GET /notices/deliveries", {
			query: { limit: 10, ...(after && { after }) },
			...(signal && { signal }),
		}),
	);

	constructor() {
		super();
		new Poll(
			this,
			() => (this.#list.items.some(({ state }) => state === "waiting") ? 4 : null),
			() => this.#list.first.run(),
		);
	}

	/** Looks again; something was sent. */
	refresh(): void {
		void this.#list.first.run();
	}

	protected override render() {
		return this.#list.first.render({ ready: () => this.#rows(), loading: () => waiting(2), failed });
	}

	#rows(): TemplateResult {
		if (this.#list.items.length === 0) return html`<p class="quiet">${msg("Nothing has been sent yet.")}</p>`;
		return html`<ul class="rows">${this.#list.items.map(row)}</ul>
			${
				this.#list.hasMore
					? html`<p><button type="button" class="button small" aria-busy=${this.#list.loading} @click=${this.#list.more}>${msg("Show older ones")}</button></p>`
					: nothing
			}`;
	}
}

function row({ notice, channel, state, attempts, lastError, nextAttemptAt }: Delivery): TemplateResult {
	return html`<li class="row small">
		<span class="grow">${noticeSentence(notice)}<br />
			<span class="quiet">${channel === "mail" ? msg("E-mail") : msg("Webhook")} · ${when(notice.at)}${lastError && state !== "sent" ? html`<br />${lastError}` : nothing}</span></span>
		${attempts > 1 ? html`<span class="quiet numbers">${msg(str`${attempts} attempts`)}</span>` : nothing}
		${state === "waiting" && nextAttemptAt ? html`<span class="quiet">${msg(html`next ${when(nextAttemptAt, "fromNow")}`)}</span>` : nothing}
		${stateOf(deliveryWord(state))}
	</li>`;
}

function deliveryWord(state: Delivery["state"]): readonly [string, Tone] {
	const words: Record<Delivery["state"], readonly [string, Tone]> = {
		waiting: [msg("on its way"), "busy"],
		sent: [msg("arrived"), "good"],
		"given-up": [msg("given up"), "bad"],
	};
	return words[state];
}

customElements.define("account-deliveries", AccountDeliveries);
