import { html } from "lit";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Deployment } from "../../views.ts";
import "../dns-records.ts";
import { failed, waiting } from "../faces.ts";
import { Part } from "../part.ts";

/** The records that a deployment which has moved in needs, shown at the step that waits for them. */
export class MoveRecords extends Part {
	static override properties = { panel: { attribute: false }, deployment: {} };
	declare panel: Panel;
	/** Its id. */
	declare deployment: string;

	readonly #task = new Task<Deployment>(this, (signal) =>
		this.panel.api("GET /deployments/{id}", { path: { id: this.deployment }, signal }),
	);

	protected override render() {
		return this.#task.render({
			ready: ({ domain, services }) =>
				html`<dns-records .panel=${this.panel} .domain=${domain} .services=${services.map(({ name }) => name)}></dns-records>`,
			loading: () => waiting(3),
			failed,
		});
	}
}

customElements.define("move-records", MoveRecords);
