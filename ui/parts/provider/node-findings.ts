import { msg } from "@lit/localize";
import { html } from "lit";
import { Action } from "../../controllers/action.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Finding } from "../../views.ts";
import { failed, waiting } from "../faces.ts";
import { Part } from "../part.ts";
import { findingsList } from "./findings-list.ts";

/** What can be wrong with this node, as `fediversity doctor` finds it. */
export class NodeFindings extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #task = new Task<readonly Finding[]>(this, async (signal) => {
		return (await this.panel.api("GET /staff/findings", { signal })).items;
	});
	readonly #again = new Action(this, async () => {
		await this.#task.run();
		this.panel.say(msg("Looked again"));
	});

	protected override render() {
		return html`<section class="stack" aria-labelledby="findings">
			<div class="line apart"><h2 id="findings">${msg("Findings")}</h2>
				<button type="button" class="button small" aria-busy=${this.#again.busy} @click=${() => this.#again.run()}>${msg("Look again")}</button></div>
			<p>${msg("What was looked at on this node, and what to do where something is wrong.")}</p>
			${this.#task.render({ ready: findingsList, loading: () => waiting(6), failed })}
		</section>`;
	}
}

customElements.define("node-findings", NodeFindings);
