import { msg } from "@lit/localize";
import { html } from "lit";
import { Part } from "./part.ts";

const shownFor = 2000;

/** A text that is meant to be copied, with the button that does it. */
export class CopyText extends Part {
	static override properties = { text: {}, what: {}, plain: { type: Boolean }, copied: { state: true } };
	declare text: string;
	/** What it is, for those who hear the button: "the value". */
	declare what: string;
	/** Without the typewriter's letters. */
	declare plain: boolean;
	declare copied: boolean;

	protected override render() {
		const words = this.copied ? msg("Copied") : msg("Copy");
		return html`<span class="copy"><span class=${this.plain ? "" : "mono"}>${this.text}</span><button
			type="button" class="button small" @click=${this.#copy}>${words}<span class="unseen"> ${this.what}</span></button></span
		><span class="unseen" role="status">${this.copied ? msg("Copied") : ""}</span>`;
	}

	readonly #copy = async (): Promise<void> => {
		await navigator.clipboard?.writeText(this.text).catch(() => this.#select());
		if (!navigator.clipboard) this.#select();
		this.copied = true;
		setTimeout(() => {
			this.copied = false;
		}, shownFor);
	};

	/** Where the clipboard is closed to us (no https), the text is at least selected. */
	#select(): void {
		const text = this.querySelector(".copy > span");
		if (text) getSelection()?.selectAllChildren(text);
		document.execCommand("copy");
	}
}

customElements.define("copy-text", CopyText);
