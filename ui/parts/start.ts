import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { failed, waiting } from "./faces.ts";

/** Before the first answers are there. */
export function starting(): TemplateResult {
	return html`<main class="plain" aria-busy="true">${waiting(4)}</main>`;
}

/** The node did not say who it is. */
export function startFailed(error: unknown, again: () => void): TemplateResult {
	document.title = msg("The panel cannot start");
	return html`<main class="plain stack">
		<h1>${msg("The panel cannot start")}</h1>
		${failed(error, again)}
		<p class="quiet">${msg("Your services do not depend on this page; they run on.")}</p>
	</main>`;
}
