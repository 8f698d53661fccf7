import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../../controllers/action.ts";
import { all } from "../../controllers/paged-list.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Session } from "../../views.ts";
import { agentName } from "../../words/agents.ts";
import { failed, problem, waiting } from "../faces.ts";
import { Part } from "../part.ts";
import { when } from "../when.ts";

/** Where the customer is signed in, each of which can be ended. */
export class AccountSessions extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #task = new Task(this, (signal) =>
		all<Session>((after) =>
			this.panel.api("GET /me/sessions", { query: { limit: 100, ...(after && { after }) }, signal }),
		),
	);
	readonly #end = new Action<[Session]>(this, async ({ id }) => {
		await this.panel.api("DELETE /me/sessions/{id}", { path: { id } });
		await this.#task.run();
	});

	/** Looks again; some may have ended. */
	refresh(): void {
		void this.#task.run();
	}

	protected override render() {
		return html`${problem(this.#end.error)}
			${this.#task.render({
				ready: (sessions) =>
					html`<ul class="rows">${repeat(
						sessions,
						({ id }) => id,
						(session) => this.#row(session),
					)}</ul>`,
				loading: () => waiting(2),
				failed,
			})}`;
	}

	#row(session: Session): TemplateResult {
		const name = agentName(session.agent);
		return html`<li class="row">
			<span class="grow"><span title=${session.agent}>${name}</span><br /><small class="quiet">${msg(html`since ${when(session.createdAt)}, last seen ${when(session.lastSeenAt, "fromNow")}`)}</small></span>
			${
				session.current
					? html`<small class="quiet">${msg("this one")}</small>`
					: html`<button type="button" class="button small" @click=${() => this.#end.run(session)}>${msg("End it")}<span class="unseen"> ${name}</span></button>`
			}
		</li>`;
	}
}

customElements.define("account-sessions", AccountSessions);
