import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Notice } from "../views.ts";
import { noticeSentence } from "../words/notices.ts";
import { when } from "./when.ts";

/** One notice in a list; it leads where it is about. */
export function noticeRow(notice: Notice): TemplateResult {
	const sentence = noticeSentence(notice);
	return html`<li class=${notice.read ? "" : "unread"}><div class="row">
		<span class="grow">${notice.link ? html`<a href=${notice.link}>${sentence}</a>` : sentence}${
			notice.read ? nothing : html`<span class="unseen"> (${msg("unread")})</span>`
		}</span>
		<small class="quiet">${when(notice.at)}</small>
	</div></li>`;
}
