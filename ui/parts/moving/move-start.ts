import { msg, str } from "@lit/localize";
import { html } from "lit";
import { Problem } from "#protocol/problem.ts";
import { Form } from "../../controllers/form.ts";
import { Intention } from "../../controllers/intention.ts";
import type { Panel } from "../../panel.ts";
import { jobAddress } from "../../routes.ts";
import type { Deployment, MovePlan } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { sentenceOf } from "../../words/problems.ts";
import { problem } from "../faces.ts";
import { field, passwordField } from "../field.ts";
import { Part } from "../part.ts";

/** The last question before a move: who is asking, and that they mean this domain. */
export class MoveStart extends Part {
	static override properties = {
		panel: { attribute: false },
		deployment: { attribute: false },
		plan: { attribute: false },
		token: {},
	};
	declare panel: Panel;
	declare deployment: Deployment;
	declare plan: MovePlan;
	declare token: string;
	readonly #intention = new Intention();

	readonly #form = new Form(this, {
		name: "move",
		checks: {
			password: given,
			domain: (typed) =>
				[this.deployment.domain, this.deployment.unicode].includes(typed.trim().toLowerCase())
					? null
					: msg(str`Type ${this.deployment.unicode} exactly as it stands to confirm`),
		},
		belongs: { "wrong-credentials": "password", "confirmation-wrong": "domain" },
		say: (error) =>
			error instanceof Problem && error.code === "wrong-credentials"
				? msg("This is not your password")
				: sentenceOf(error),
		send: ({ password }) => this.#start(password),
	});

	protected override render() {
		const form = this.#form;
		const { unicode } = this.deployment;
		const { provider } = this.plan.to;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			<p>${msg("Nothing happens until you start. You can call it off until the hand-over, and everything here is as it was.")}</p>
			<input type="text" name="username" autocomplete="username" .value=${this.panel.session.me?.email ?? ""} hidden />
			${passwordField(form, {
				name: "password",
				label: msg("Your password"),
				hint: msg(str`The one you sign in with here, at ${this.panel.provider.name}`),
				autocomplete: "current-password",
			})}
			${field(form, { name: "domain", label: msg(str`Type ${unicode} to confirm`), autocomplete: "off", mono: true })}
			${problem(form.error)}
			<p><button class="button main large" aria-busy=${form.busy}>${msg(str`Move ${unicode} to ${provider}`)}</button></p>
		</form>`;
	}

	async #start(password: string): Promise<void> {
		const { id, domain } = this.deployment;
		const body = { token: this.token, domain, password };
		const { job } = await this.#intention.carry([id, this.token, password], (idempotencyKey) =>
			this.panel.api("POST /deployments/{id}/move", { path: { id }, body, idempotencyKey }),
		);
		this.dispatchEvent(new Event("started"));
		this.panel.go(jobAddress(domain, job));
	}
}

customElements.define("move-start", MoveStart);
