import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../../controllers/action.ts";
import { Form } from "../../controllers/form.ts";
import { all } from "../../controllers/paged-list.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Token } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { inUnit } from "../../words/numbers.ts";
import { sentenceOf } from "../../words/problems.ts";
import { day } from "../../words/times.ts";
import "../copy-text.ts";
import { failed, note, problem, waiting } from "../faces.ts";
import { field } from "../field.ts";
import { Part } from "../part.ts";
import { when } from "../when.ts";

const lifetimes = [7, 30, 90, 365];

/** Tokens for the customer's own scripts; each is told once, when it is made. */
export class AccountTokens extends Part {
	static override properties = { panel: { attribute: false }, made: { state: true } };
	declare panel: Panel;
	/** The token just made, until the page is left. */
	declare made: string | undefined;

	readonly #task = new Task(this, (signal) =>
		all<Token>((after) => this.panel.api("GET /me/tokens", { query: { limit: 100, ...(after && { after }) }, signal })),
	);
	readonly #revoke = new Action<[Token]>(this, async ({ id }) => {
		await this.panel.api("DELETE /me/tokens/{id}", { path: { id } });
		this.made = undefined;
		await this.#task.run();
	});
	readonly #form = new Form(this, {
		name: "token",
		checks: { name: given, days: given, deploy: () => null, account: () => null },
		say: sentenceOf,
		send: async ({ name, days, deploy, account }) => {
			const scopes = ["read", deploy && "deploy", account && "account"].filter(Boolean) as Token["scopes"];
			const { token } = await this.panel.api("POST /me/tokens", {
				body: { name: name.trim(), scopes, days: Number(days) },
			});
			this.made = token;
			this.querySelector("form")?.reset();
			await this.#task.run();
			await this.updateComplete;
			this.querySelector<HTMLElement>("[data-arrival]")?.focus();
		},
	});

	protected override render() {
		return html`<div class="stack">
			<p class="quiet">${msg("For scripts of your own. A token can do no more than you can, and only what you tick.")}</p>
			${this.#told()}${problem(this.#revoke.error)}
			${this.#task.render({ ready: (tokens) => this.#list(tokens), loading: () => waiting(2), failed })}
			<details><summary>${msg("Make a token")}</summary>${this.#new()}</details>
		</div>`;
	}

	#told(): TemplateResult | typeof nothing {
		if (!this.made) return nothing;
		return html`<div tabindex="-1" data-arrival>${note(
			"good",
			html`<p>${msg("The token was made. It is shown this once; keep it now.")}</p>
			<copy-text .text=${this.made} .what=${msg("the token")}></copy-text>`,
		)}</div>`;
	}

	#list(tokens: readonly Token[]): TemplateResult {
		if (tokens.length === 0) return html`<p class="quiet">${msg("None yet.")}</p>`;
		return html`<ul class="rows">${repeat(
			tokens,
			({ id }) => id,
			(token) => html`<li class="row">
				<span class="grow">${token.name}<br /><small class="quiet">${token.scopes.map(scopeWord).join(", ")} · ${msg(str`until ${day(token.expiresAt)}`)} ·
					${token.lastUsedAt ? msg(html`last used ${when(token.lastUsedAt, "fromNow")}`) : msg("never used")}</small></span>
				<button type="button" class="button small" @click=${() => this.#revoke.run(token)}>${msg("Revoke")}<span class="unseen"> ${token.name}</span></button>
			</li>`,
		)}</ul>`;
	}

	#new(): TemplateResult {
		const form = this.#form;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			${field(form, { name: "name", label: msg("What is it for?"), autocomplete: "off" })}
			<fieldset><legend>${msg("What may it do?")}</legend>
				<label class="tick"><input type="checkbox" checked disabled /><span>${scopeWord("read")}</span></label>
				<label class="tick"><input type="checkbox" name="deploy" /><span>${scopeWord("deploy")}</span></label>
				<label class="tick"><input type="checkbox" name="account" /><span>${scopeWord("account")}</span></label>
			</fieldset>
			<div class="field">
				<label for="token-days">${msg("For how long?")}</label>
				<select class="input" id="token-days" name="days">
					${lifetimes.map((days) => html`<option value=${days} ?selected=${days === 90}>${inUnit(days, "day")}</option>`)}
				</select>
			</div>
			${problem(form.error)}
			<p><button class="button" aria-busy=${form.busy}>${msg("Make the token")}</button></p>
		</form>`;
	}
}

function scopeWord(scope: Token["scopes"][number]): string {
	return {
		read: msg("look"),
		deploy: msg("set up, change and remove deployments"),
		account: msg("change the account"),
	}[scope];
}

customElements.define("account-tokens", AccountTokens);
