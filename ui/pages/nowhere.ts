import { msg } from "@lit/localize";
import { html } from "lit";
import { Page } from "../parts/part.ts";

/** An address that no page has. */
export class PageNowhere extends Page {
	protected get heading() {
		return msg("No such page");
	}

	protected override render() {
		return html`<div class="stack">
			<h1>${this.heading}</h1>
			<p>${msg("There is nothing at this address. It may have been removed, or mistyped.")}</p>
			<p><a href=${this.panel.session.me ? "/home" : "/"}>${msg("To the first page")}</a></p>
		</div>`;
	}
}

customElements.define("page-nowhere", PageNowhere);
