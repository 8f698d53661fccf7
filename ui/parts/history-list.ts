import { msg } from "@lit/localize";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { PagedList } from "../controllers/paged-list.ts";
import type { Panel } from "../panel.ts";
import { jobAddress } from "../routes.ts";
import type { Deployment, HistoryEntry } from "../views.ts";
import { historySentence } from "../words/notices.ts";
import { failed, waiting } from "./faces.ts";
import { Part } from "./part.ts";
import { when } from "./when.ts";

/** What happened to a deployment, newest first. */
export class HistoryList extends Part {
	static override properties = { panel: { attribute: false }, deployment: { attribute: false } };
	declare panel: Panel;
	declare deployment: Deployment;

	readonly #list = new PagedList<HistoryEntry>(this, (after, signal) =>
		this.panel.api("GET /deployments/{id}/history", {
			path: { id: this.deployment.id },
			query: { limit: 20, ...(after && { after }) },
			...(signal && { signal }),
		}),
	);

	/** Looks again when work has begun or ended. */
	protected override updated(changed: PropertyValues<this>): void {
		const before = changed.get("deployment");
		if (before && before.busy !== this.deployment.busy) void this.#list.first.run();
	}

	protected override render() {
		return this.#list.first.render({ ready: () => this.#rows(), loading: () => waiting(4), failed });
	}

	#rows(): TemplateResult {
		if (this.#list.items.length === 0) return html`<p class="quiet">${msg("Nothing has happened yet.")}</p>`;
		return html`<ol class="rows">${this.#list.items.map((entry) => this.#row(entry))}</ol>
			${
				this.#list.hasMore
					? html`<p><button type="button" class="button small" aria-busy=${this.#list.loading} @click=${this.#list.more}>${msg("Show older ones")}</button></p>`
					: nothing
			}`;
	}

	#row(entry: HistoryEntry): TemplateResult {
		const sentence = historySentence(entry);
		return html`<li class="row small">
			<span class="grow">${entry.job ? html`<a href=${jobAddress(this.deployment.domain, entry.job)}>${sentence}</a>` : sentence}</span>
			<span class="quiet numbers">${when(entry.at)}</span>
		</li>`;
	}
}

customElements.define("history-list", HistoryList);
