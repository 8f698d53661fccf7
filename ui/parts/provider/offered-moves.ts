import { msg, str } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Poll } from "../../controllers/poll.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { OfferedMove } from "../../views.ts";
import { failed, waiting } from "../faces.ts";
import { Part } from "../part.ts";
import "./offered-move.ts";
import type { Sure } from "./sure-dialog.ts";

/** Offers of other nodes on which staff decides. */
export class OfferedMoves extends Part {
	static override properties = { panel: { attribute: false }, sure: { attribute: false } };
	declare panel: Panel;
	declare sure: Sure;

	readonly #task = new Task<readonly OfferedMove[]>(this, async (signal) => {
		return (await this.panel.api("GET /staff/moves", { signal })).items;
	});

	constructor() {
		super();
		new Poll(this, () => 15, this.#task.run);
	}

	protected override render() {
		return html`<section class="stack" aria-labelledby="moves">
			<h2 id="moves">${msg("Moves that wait for you")}</h2>
			${this.#task.render({ ready: (moves) => this.#list(moves), loading: () => waiting(4), failed })}
		</section>`;
	}

	#list(moves: readonly OfferedMove[]): TemplateResult {
		if (moves.length === 0)
			return html`<p class="quiet">${msg(html`None. Offers wait here only where <code>migrations.by_hand</code> is set.`)}</p>`;
		return html`<div class="stack">${repeat(
			moves,
			({ id }) => id,
			(move) =>
				html`<offered-move .panel=${this.panel} .sure=${this.sure} .move=${move} @decided=${this.#onDecided}></offered-move>`,
		)}</div>`;
	}

	readonly #onDecided = async ({ detail }: CustomEvent<{ domain: string; accepted: boolean }>): Promise<void> => {
		const { domain, accepted } = detail;
		this.panel.say(accepted ? msg(str`${domain} is let in`) : msg(str`${domain} is refused`));
		await this.#task.run();
		await this.updateComplete;
		const heading = this.querySelector<HTMLElement>("h2");
		heading?.setAttribute("tabindex", "-1");
		heading?.focus();
	};
}

customElements.define("offered-moves", OfferedMoves);
