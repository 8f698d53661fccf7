import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../../controllers/action.ts";
import type { Panel } from "../../panel.ts";
import type { Finding, Machine } from "../../views.ts";
import { mebibytes } from "../../words/numbers.ts";
import type { Tone } from "../../words/states.ts";
import { problem } from "../faces.ts";
import { stateOf } from "../marks.ts";
import { Part } from "../part.ts";
import "../typed-confirmation.ts";
import { when } from "../when.ts";
import { findingsList } from "./findings-list.ts";
import type { Sure } from "./sure-dialog.ts";

/** One machine: how it stands, what it carries, and what can be done with it. */
export class MachineCard extends Part {
	static override properties = {
		panel: { attribute: false },
		sure: { attribute: false },
		machine: { attribute: false },
		found: { state: true },
	};
	declare panel: Panel;
	declare sure: Sure;
	declare machine: Machine;
	declare found: readonly Finding[] | undefined;

	readonly #check = new Action(this, async () => {
		const { items } = await this.panel.api("GET /staff/machines/{id}/findings", { path: { id: this.machine.id } });
		this.found = items;
		const wrong = items.filter(({ state }) => state !== "good").length;
		this.panel.say(wrong === 0 ? msg("All is well there") : msg(str`${wrong} findings there want a look`));
	});
	readonly #turn = new Action<[Machine["state"]]>(this, async (state) => {
		const { id } = this.machine;
		await this.sure(() => this.panel.api("PATCH /staff/machines/{id}", { path: { id }, body: { state } }));
		this.#tell("changed");
	});

	protected override render() {
		const { id } = this.machine;
		return html`<section class="card stack" aria-labelledby="machine-${id}">
			<div class="line apart"><h3 id="machine-${id}" tabindex="-1">${id}</h3>${stateOf(stateWord(this.machine))}</div>
			${this.#facts()}
			${problem(this.#check.error ?? this.#turn.error)}
			<div class="actions">${this.#buttons()}</div>
			${this.found ? html`<div class="stack tight"><h4>${msg("Found there")}</h4>${findingsList(this.found)}</div>` : nothing}
			${
				this.machine.deployment
					? nothing
					: html`<typed-confirmation .domain=${id} .verb=${msg(str`Remove ${id}`)}
						.warning=${msg(str`${id} is then no longer in the pool. What is on its disks stays there.`)}
						.act=${() => this.#remove()}></typed-confirmation>`
			}
		</section>`;
	}

	#facts(): TemplateResult {
		const { user, address, publicAddress, port, system, memoryMiB, diskGiB, domain, deployment } = this.machine;
		const [memory, disk] = [mebibytes(memoryMiB), mebibytes(diskGiB * 1024)];
		return html`<dl class="facts">
			<dt>${msg("Carries")}</dt><dd>${domain ?? deployment ?? msg("nothing")}</dd>
			<dt>${msg("Address")}</dt><dd class="mono">${user}@${address.includes(":") ? `[${address}]` : address}:${port}</dd>
			${publicAddress ? html`<dt>${msg("Public address")}</dt><dd class="mono">${publicAddress}</dd>` : nothing}
			<dt>${msg("Has")}</dt><dd class="numbers">${msg(str`${memory} of memory, ${disk} of disk`)}<br /><span class="quiet small">${system}</span></dd>
			<dt>${msg("Known by")}</dt><dd class="mono small">${this.machine.fingerprint}</dd>
			<dt>${msg("Added")}</dt><dd>${when(this.machine.createdAt)}</dd>
		</dl>`;
	}

	#buttons(): TemplateResult {
		const { id, state } = this.machine;
		const turn = state === "open" ? "draining" : "open";
		return html`<button type="button" class="button" aria-busy=${this.#check.busy} @click=${() => this.#check.run()}>${msg("Check now")}<span class="unseen"> ${id}</span></button>
			<button type="button" class="button" aria-busy=${this.#turn.busy} @click=${() => this.#turn.run(turn)}>${
				state === "open" ? msg("Take nothing more") : msg("Take deployments again")
			}<span class="unseen"> ${id}</span></button>`;
	}

	async #remove(): Promise<void> {
		const { id } = this.machine;
		await this.sure(() => this.panel.api("DELETE /staff/machines/{id}", { path: { id } }));
		this.#tell("removed");
	}

	#tell(what: "changed" | "removed"): void {
		this.dispatchEvent(new CustomEvent(what, { detail: this.machine }));
	}
}

function stateWord({ state, deployment }: Machine): readonly [string, Tone] {
	if (state === "draining") return [msg("takes nothing more"), "attention"];
	return deployment ? [msg("in use"), "good"] : [msg("free"), "still"];
}

customElements.define("machine-card", MachineCard);
