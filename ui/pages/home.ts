import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { all } from "../controllers/paged-list.ts";
import { Poll } from "../controllers/poll.ts";
import { Task } from "../controllers/task.ts";
import { deploymentCard } from "../parts/deployment-card.ts";
import { failed, waiting } from "../parts/faces.ts";
import { noticeRow } from "../parts/notice-row.ts";
import { Page } from "../parts/part.ts";
import type { Deployment } from "../views.ts";

const shownNotices = 3;

/** The customer's deployments, and what they should know. */
export class PageHome extends Page {
	readonly #deployments = new Task(this, (signal) =>
		all((after) => this.panel.api("GET /deployments", { query: { limit: 100, ...(after && { after }) }, signal })),
	);

	constructor() {
		super();
		new Poll(this, () => (this.#deployments.value?.some(({ busy }) => busy) ? 4 : 20), this.#deployments.run);
	}

	protected get heading() {
		return msg("Deployments");
	}

	protected override render() {
		return html`
			<div class="section-head">
				<h1>${this.heading}</h1>
				${this.#deployments.value?.length ? html`<div class="actions"><a class="button" href="/move-in">${msg("Move one here")}</a><a class="button main" href="/new">${msg("New deployment")}</a></div>` : nothing}
			</div>
			${this.#unread()}
			${this.#deployments.render({ ready: (list) => this.#list(list), loading: () => waiting(5), failed })}
		`;
	}

	#list(list: readonly Deployment[]): TemplateResult {
		const living = list.filter(({ state }) => state !== "kept" && state !== "moved" && state !== "gone");
		const [kept, moved] = (["kept", "moved"] as const).map((wanted) => list.filter(({ state }) => state === wanted));
		if (living.length + (kept?.length ?? 0) + (moved?.length ?? 0) === 0) return this.#empty();
		return html`
			${living.length > 0 ? cards(living) : nothing}
			${this.#others("moved", msg("Moved to another provider"), moved)}${this.#others("kept", msg("Removed, still kept"), kept)}`;
	}

	#others(id: string, title: string, list: readonly Deployment[] = []): TemplateResult | typeof nothing {
		if (list.length === 0) return nothing;
		return html`<section class="stack" aria-labelledby=${id}><h2 id=${id}>${title}</h2>
			${cards(list)}</section>`;
	}

	#empty(): TemplateResult {
		return html`<div class="empty">
			<h2>${msg("Nothing runs here yet")}</h2>
			<p>${msg("A deployment is a domain of yours with the services you pick under it. It takes a few minutes, and you watch every step.")}</p>
			<a class="button main large" href="/new">${msg("Set up your first one")}</a>
			<p>${msg(html`Or <a href="/move-in">move one here</a> from another provider.`)}</p>
		</div>`;
	}

	#unread(): TemplateResult | typeof nothing {
		const unread = this.panel.notices.latest.filter(({ read }) => !read);
		if (unread.length === 0) return nothing;
		return html`<section class="stack tight" aria-labelledby="news">
			<div class="section-head">
				<h2 id="news">${msg("New for you")}</h2>
				<div class="line small">
					${unread.length > shownNotices ? html`<a href="/notices">${msg(str`All ${unread.length}`)}</a>` : nothing}
					<button type="button" class="plain-button" @click=${() => this.panel.notices.markRead()}>${msg("Mark all as read")}</button>
				</div>
			</div>
			<ul class="rows">${repeat(
				unread.slice(0, shownNotices),
				({ id }) => id,
				(notice) => noticeRow(notice),
			)}</ul>
		</section>`;
	}
}

function cards(list: readonly Deployment[]): TemplateResult {
	return html`<ul class="stack">${repeat(
		list,
		({ id }) => id,
		(one) => html`<li>${deploymentCard(one)}</li>`,
	)}</ul>`;
}

customElements.define("page-home", PageHome);
