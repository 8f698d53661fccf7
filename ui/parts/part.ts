import { updateWhenLocaleChanges } from "@lit/localize";
import { LitElement, type PropertyValues } from "lit";
import type { Panel } from "../panel.ts";

/** A piece of the panel. It draws into the page itself, so that one stylesheet, labels and ids reach everywhere. */
export class Part extends LitElement {
	constructor() {
		super();
		updateWhenLocaleChanges(this);
	}

	protected override createRenderRoot(): HTMLElement {
		return this;
	}
}

/** A part that is a whole page: it has the panel's tools and says what the window's title is. */
export abstract class Page extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	/** The window's title, before the provider's name. */
	protected abstract get heading(): string;

	protected override updated(_changed: PropertyValues): void {
		document.title = [this.heading, this.panel.provider.name].filter(Boolean).join(" · ");
	}
}
