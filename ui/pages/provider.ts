import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Page } from "../parts/part.ts";
import "../parts/provider/machine-pool.ts";
import "../parts/provider/node-findings.ts";
import "../parts/provider/offered-moves.ts";
import "../parts/provider/sure-dialog.ts";
import type { Sure, SureDialog } from "../parts/provider/sure-dialog.ts";
import "./nowhere.ts";

export type ProviderRoom = "machines" | "moves" | "findings";

/** For the provider's own staff: machines, moves that wait for a hand, and what is wrong. For others it is not there. */
export class PageProvider extends Page {
	static override properties = { ...Page.properties, room: {} };
	declare room: ProviderRoom;

	protected get heading() {
		return msg("Provider");
	}

	protected override render() {
		const { panel } = this;
		if (!panel.session.me?.staff) return html`<page-nowhere .panel=${panel}></page-nowhere>`;
		return html`<div class="stack wide">
			<header class="stack tight">
				<h1>${this.heading}</h1>
				<p>${msg(str`What the staff of ${panel.provider.name} looks after.`)}</p>
				<nav class="contents" aria-label=${this.heading}>
					${this.#link("machines", "/provider", msg("Machines"))}
					${this.#link("moves", "/provider/moves", msg("Moves"))}
					${this.#link("findings", "/provider/findings", msg("Findings"))}
				</nav>
			</header>
			${this.#room()}
			<sure-dialog .panel=${panel}></sure-dialog>
		</div>`;
	}

	#link(room: ProviderRoom, address: string, words: string): TemplateResult {
		return html`<a href=${address} aria-current=${room === this.room ? "page" : nothing}>${words}</a>`;
	}

	#room(): TemplateResult {
		const { panel } = this;
		switch (this.room) {
			case "moves":
				return html`<offered-moves .panel=${panel} .sure=${this.#sure}></offered-moves>`;
			case "findings":
				return html`<node-findings .panel=${panel}></node-findings>`;
			default:
				return html`<machine-pool .panel=${panel} .sure=${this.#sure}></machine-pool>`;
		}
	}

	readonly #sure: Sure = (work) => {
		const dialog = this.querySelector<SureDialog>("sure-dialog");
		return dialog ? dialog.run(work) : work();
	};
}

customElements.define("page-provider", PageProvider);
