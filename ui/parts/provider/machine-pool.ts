import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Poll } from "../../controllers/poll.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Machine } from "../../views.ts";
import { failed, waiting } from "../faces.ts";
import { Part } from "../part.ts";
import "./machine-card.ts";
import "./machine-form.ts";
import type { Sure } from "./sure-dialog.ts";

/** The provider's machines: which there are and what each carries, and the way to take in another. */
export class MachinePool extends Part {
	static override properties = { panel: { attribute: false }, sure: { attribute: false } };
	declare panel: Panel;
	declare sure: Sure;

	readonly #task = new Task<readonly Machine[]>(this, async (signal) => {
		return (await this.panel.api("GET /staff/machines", { signal })).items;
	});

	constructor() {
		super();
		new Poll(this, () => 30, this.#task.run);
	}

	protected override render() {
		return html`<section class="stack" aria-labelledby="machines">
			<h2 id="machines" tabindex="-1">${msg("Machines")}</h2>
			${this.#task.render({ ready: (machines) => this.#list(machines), loading: () => waiting(4), failed })}
			<details class="card"><summary>${msg("Add a machine")}</summary>
				<machine-form .panel=${this.panel} .sure=${this.sure} @added=${this.#onAdded}></machine-form></details>
		</section>`;
	}

	#list(machines: readonly Machine[]): TemplateResult {
		if (machines.length === 0) return html`<p class="quiet">${msg("None yet.")}</p>`;
		return html`<div class="stack">${repeat(
			machines,
			({ id }) => id,
			(machine) => html`<machine-card .panel=${this.panel} .sure=${this.sure} .machine=${machine}
				@changed=${this.#task.run} @removed=${this.#onRemoved}></machine-card>`,
		)}</div>`;
	}

	readonly #onAdded = async ({ detail }: CustomEvent<Machine>): Promise<void> => {
		this.panel.say(msg(str`${detail.id} is in the pool`));
		await this.#task.run();
		await this.updateComplete;
		const details = this.querySelector<HTMLDetailsElement>(":scope > section > details");
		if (details) details.open = false;
		this.querySelector<HTMLElement>(`#machine-${CSS.escape(detail.id)}`)?.focus();
	};

	readonly #onRemoved = async ({ detail }: CustomEvent<Machine>): Promise<void> => {
		this.panel.say(msg(str`${detail.id} is forgotten`));
		await this.#task.run();
		this.querySelector<HTMLElement>("h2")?.focus();
	};
}

customElements.define("machine-pool", MachinePool);
