import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../../controllers/action.ts";
import { Form } from "../../controllers/form.ts";
import { all } from "../../controllers/paged-list.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { SshKey } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { sentenceOf } from "../../words/problems.ts";
import { failed, problem, waiting } from "../faces.ts";
import { area, field } from "../field.ts";
import { Part } from "../part.ts";
import { when } from "../when.ts";

/** Public keys the provider may give access to machines with. */
export class AccountSshKeys extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;

	readonly #task = new Task(this, (signal) =>
		all<SshKey>((after) =>
			this.panel.api("GET /me/ssh-keys", { query: { limit: 100, ...(after && { after }) }, signal }),
		),
	);
	readonly #remove = new Action<[SshKey]>(this, async ({ id }) => {
		await this.panel.api("DELETE /me/ssh-keys/{id}", { path: { id } });
		await this.#task.run();
	});
	readonly #form = new Form(this, {
		name: "ssh-key",
		checks: { key: given, name: given },
		say: sentenceOf,
		send: async ({ name, key }) => {
			await this.panel.api("POST /me/ssh-keys", { body: { name: name.trim(), key: key.trim() } });
			this.querySelector("form")?.reset();
			this.panel.say(msg("The key was added"));
			await this.#task.run();
		},
	});

	protected override render() {
		const use = this.panel.provider.customerSsh
			? msg("With these you can sign in to the machines of your deployments. Where is said on the page of each.")
			: msg("This provider lets no customer sign in to a machine, so these are used nowhere.");
		return html`<div class="stack">
			<p class="quiet">${use}</p>
			${problem(this.#remove.error)}
			${this.#task.render({ ready: (keys) => this.#list(keys), loading: () => waiting(1), failed })}
			<details><summary>${msg("Add a key")}</summary>${this.#new()}</details>
		</div>`;
	}

	#list(keys: readonly SshKey[]): TemplateResult {
		if (keys.length === 0) return html`<p class="quiet">${msg("None yet.")}</p>`;
		return html`<ul class="rows">${repeat(
			keys,
			({ id }) => id,
			(key) => html`<li class="row">
				<span class="grow">${key.name}<br /><small class="quiet"><span class="mono">${key.fingerprint}</span> · ${msg(html`added ${when(key.createdAt)}`)}</small></span>
				<button type="button" class="button small" @click=${() => this.#remove.run(key)}>${msg("Take away")}<span class="unseen"> ${key.name}</span></button>
			</li>`,
		)}</ul>`;
	}

	#new(): TemplateResult {
		const form = this.#form;
		return html`<form class="stack" novalidate @submit=${form.submit}>
			${field(form, { name: "name", label: msg("Name of the key"), hint: msg("Such as the computer it belongs to"), autocomplete: "off" })}
			${area(form, {
				name: "key",
				label: msg("Public key"),
				hint: msg("One line, from a file that ends in .pub"),
				placeholder: "ssh-ed25519 AAAA… anna@laptop",
			})}
			${problem(form.error)}
			<p><button class="button" aria-busy=${form.busy}>${msg("Add the key")}</button></p>
		</form>`;
	}
}

customElements.define("account-ssh-keys", AccountSshKeys);
