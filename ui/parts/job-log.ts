import { msg, str } from "@lit/localize";
import { html, nothing } from "lit";
import { Poll } from "../controllers/poll.ts";
import type { Panel } from "../panel.ts";
import type { LogLine } from "../views.ts";
import { sentenceOf } from "../words/problems.ts";
import { clockTime } from "../words/times.ts";
import { Part } from "./part.ts";

/** The raw log of a job, fetched when somebody opens it, and added to while the job runs. */
export class JobLog extends Part {
	static override properties = {
		panel: { attribute: false },
		job: {},
		live: { type: Boolean },
		lines: { state: true },
	};
	declare panel: Panel;
	declare job: string;
	/** Whether more lines may come. */
	declare live: boolean;
	declare lines: readonly LogLine[] | undefined;
	#open = false;
	#error: unknown;
	readonly #poll = new Poll(
		this,
		() => (this.#open && this.live ? 2 : null),
		() => this.#fetch(),
	);

	protected override render() {
		return html`<details @toggle=${this.#toggle}>
			<summary>${msg("Details: the raw log")}</summary>
			${this.#content()}
		</details>`;
	}

	#content() {
		if (this.#error !== undefined && !this.lines) return html`<p class="bad">${sentenceOf(this.#error)}.</p>`;
		if (!this.lines) return html`<p class="quiet">${msg("Fetching …")}</p>`;
		if (this.lines.length === 0) return html`<p class="quiet">${msg("Nothing has been written yet.")}</p>`;
		return html`<div class="stack tight">
			<pre class="log" tabindex="0" role="log" aria-live="off" aria-label=${msg("Raw log")}>${this.lines.map(
				({ at, step, line }) => html`<span class="at">${clockTime(at)}${step ? ` ${step}` : nothing}</span> ${line}\n`,
			)}</pre>
			<p><button type="button" class="button small" @click=${this.#download}>${msg(str`Download ${this.lines.length} lines`)}</button></p>
		</div>`;
	}

	readonly #toggle = (event: Event): void => {
		this.#open = (event.target as HTMLDetailsElement).open;
		if (this.#open) void this.#fetch().then(() => this.#poll.wake());
	};

	async #fetch(): Promise<void> {
		const after = this.lines?.at(-1)?.seq ?? 0;
		try {
			const { lines } = await this.panel.api("GET /jobs/{id}/log", { path: { id: this.job }, query: { after } });
			this.lines = [...(this.lines ?? []), ...lines];
		} catch (error) {
			this.#error = error;
			this.requestUpdate();
		}
	}

	readonly #download = (): void => {
		const text = this.lines?.map(({ at, step, line }) => `${at} ${step ?? "-"} ${line}\n`) ?? [];
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob(text, { type: "text/plain" }));
		link.download = `${this.job}.log`;
		link.click();
		URL.revokeObjectURL(link.href);
	};
}

customElements.define("job-log", JobLog);
