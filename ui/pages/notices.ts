import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../controllers/action.ts";
import { PagedList } from "../controllers/paged-list.ts";
import { failed, problem, waiting } from "../parts/faces.ts";
import { noticeRow } from "../parts/notice-row.ts";
import { Page } from "../parts/part.ts";
import type { Notice } from "../views.ts";

/** Everything the customer was told, newest first. */
export class PageNotices extends Page {
	readonly #list = new PagedList<Notice>(this, (after, signal) =>
		this.panel.api("GET /notices", { query: { limit: 50, ...(after && { after }) }, ...(signal && { signal }) }),
	);
	readonly #markRead = new Action(this, () => this.panel.notices.markRead());

	protected get heading() {
		return msg("Notices");
	}

	protected override render() {
		return html`
			<div class="section-head">
				<h1>${this.heading}</h1>
				<div class="line">
					${
						this.panel.notices.unread > 0
							? html`<button type="button" class="button small" aria-busy=${this.#markRead.busy} @click=${() => this.#markRead.run()}>
								${msg("Mark all as read")}</button>`
							: nothing
					}
					<a class="small" href="/account#notice-settings">${msg("How you are told")}</a>
				</div>
			</div>
			${problem(this.#markRead.error)}
			${this.#list.first.render({ ready: () => this.#rows(), loading: () => waiting(6), failed })}
		`;
	}

	/** The feed knows the newest, and what has been read since the list was fetched. */
	#rows(): TemplateResult {
		const { latest } = this.panel.notices;
		const older = this.#list.items.filter(({ id }) => !latest.some((known) => known.id === id));
		const all = [...latest, ...older];
		if (all.length === 0)
			return html`<div class="empty"><p>${msg("Nothing to tell yet. When something you should know happens, it stands here, and reaches you by mail if you like.")}</p></div>`;
		return html`<ul class="rows">${repeat(all, ({ id }) => id, noticeRow)}</ul>
			${
				this.#list.hasMore
					? html`<p><button type="button" class="button" aria-busy=${this.#list.loading} @click=${this.#list.more}>${msg("Show older ones")}</button></p>`
					: nothing
			}`;
	}
}

customElements.define("page-notices", PageNotices);
