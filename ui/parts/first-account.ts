import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../controllers/action.ts";
import { Form } from "../controllers/form.ts";
import { Intention } from "../controllers/intention.ts";
import type { Panel } from "../panel.ts";
import { jobAddress } from "../routes.ts";
import type { Credentials, Deployment, ServiceStatus } from "../views.ts";
import { newPassword, passwordLength } from "../words/checks.ts";
import { sentenceOf } from "../words/problems.ts";
import "./copy-text.ts";
import { problem } from "./faces.ts";
import { passwordField } from "./field.ts";
import { icon } from "./icons.ts";
import { mark } from "./marks.ts";
import { Part } from "./part.ts";

/** The first account of a service: its password, told once after a warning, and a new one at any time. */
export class FirstAccount extends Part {
	static override properties = {
		panel: { attribute: false },
		deployment: { attribute: false },
		service: { attribute: false },
		face: { state: true },
	};
	declare panel: Panel;
	declare deployment: Deployment;
	declare service: ServiceStatus;
	/** Which of its faces it shows: closed, the question before the password, the password, or the form for a new one. */
	declare face: "closed" | "sure" | "told" | "new";
	#told: Credentials | undefined;
	readonly #intention = new Intention();

	readonly #tell = new Action(this, async () => {
		this.#told = await this.panel.api("POST /deployments/{id}/services/{service}/credentials", { path: this.#path() });
		await this.#show("told");
	});
	readonly #form = new Form(this, {
		name: "new-password",
		checks: { password: newPassword },
		belongs: { "password-unfit": "password" },
		say: sentenceOf,
		send: async ({ password }) => {
			const call = { path: this.#path(), body: { password } };
			const { job } = await this.#intention.carry(call, (idempotencyKey) =>
				this.panel.api("PUT /deployments/{id}/services/{service}/credentials", { ...call, idempotencyKey }),
			);
			this.panel.go(jobAddress(this.deployment.domain, job));
		},
	});

	constructor() {
		super();
		this.face = "closed";
	}

	protected override render() {
		if (this.service.credentials === "none" && !this.#told) return nothing;
		const faces = {
			closed: () => this.#closed(),
			sure: () => this.#sure(),
			told: () => this.#password(),
			new: () => this.#new(),
		};
		return html`<div class="stack tight">${faces[this.face]()}</div>`;
	}

	#closed(): TemplateResult {
		const { credentials, title } = this.service;
		return html`
			${credentials === "shown" ? html`<p class="quiet small">${msg("The first password was shown; nobody can see it again.")}</p>` : nothing}
			<div class="actions">
				${
					credentials === "unseen"
						? html`<button type="button" class="button" @click=${() => this.#show("sure")}>${msg("Show the first password")}<span
							class="unseen"> ${title}</span></button>`
						: nothing
				}
				<button type="button" class="button" @click=${() => this.#show("new")}>${msg("Set a new password")}<span class="unseen"> ${title}</span></button>
			</div>`;
	}

	#sure(): TemplateResult {
		return html`<div class="note accent">${icon("info")}<div class="stack tight" tabindex="-1" data-arrival>
			<p>${msg("The password is shown once. Have a password manager or a sheet of paper ready, where nobody looks over your shoulder.")}</p>
			${problem(this.#tell.error)}
			<div class="actions">
				<button type="button" class="button main" aria-busy=${this.#tell.busy} @click=${() => this.#tell.run()}>${msg("Show it now")}</button>
				<button type="button" class="button" @click=${() => this.#show("closed")}>${msg("Not now")}</button>
			</div>
		</div></div>`;
	}

	#password(): TemplateResult {
		const told = this.#told;
		if (!told) return this.#closed();
		return html`<div class="note good">${mark("good")}<div class="stack tight" tabindex="-1" data-arrival>
			<dl class="facts">
				<dt>${msg("Name")}</dt><dd><copy-text .text=${told.username} .what=${msg("the name")}></copy-text></dd>
				<dt>${msg("Password")}</dt><dd><copy-text .text=${told.password} .what=${msg("the password")}></copy-text></dd>
			</dl>
			<p class="small quiet">${msg("Keep it now: once this is closed, it cannot be shown again.")}</p>
			<p><button type="button" class="button" @click=${this.#forget}>${msg("I have kept it")}</button></p>
		</div></div>`;
	}

	#new(): TemplateResult {
		const form = this.#form;
		return html`<form class="stack tight" novalidate @submit=${form.submit} data-arrival tabindex="-1">
			<input type="text" name="username" autocomplete="username" .value=${this.service.handle ?? ""} hidden />
			${passwordField(form, {
				name: "password",
				label: msg(str`New password of the first account at ${this.service.title}`),
				hint: msg(str`At least ${passwordLength.least} characters; a few words are fine`),
				autocomplete: "new-password",
			})}
			${problem(form.error)}
			<div class="actions">
				<button class="button main" aria-busy=${form.busy}>${msg("Set it")}</button>
				<button type="button" class="button" @click=${() => this.#show("closed")}>${msg("Not now")}</button>
			</div>
		</form>`;
	}

	async #show(face: FirstAccount["face"]): Promise<void> {
		this.face = face;
		await this.updateComplete;
		this.querySelector<HTMLElement>(face === "closed" ? "button" : "[data-arrival]")?.focus();
	}

	readonly #forget = (): void => {
		this.#told = undefined;
		void this.#show("closed");
		this.dispatchEvent(new Event("shown", { bubbles: true }));
	};

	#path() {
		return { id: this.deployment.id, service: this.service.name };
	}
}

customElements.define("first-account", FirstAccount);
