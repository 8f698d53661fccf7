import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { Action } from "../../controllers/action.ts";
import { Form } from "../../controllers/form.ts";
import { Intention } from "../../controllers/intention.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { Machine } from "../../views.ts";
import { given } from "../../words/checks.ts";
import { sentenceOf } from "../../words/problems.ts";
import "../copy-text.ts";
import { note, problem } from "../faces.ts";
import { field } from "../field.ts";
import { Part } from "../part.ts";
import type { Sure } from "./sure-dialog.ts";

type Typed = Record<"id" | "address" | "publicly" | "port" | "user" | "memory" | "disk" | "system", string>;

/** A host key, and for what it was asked. */
interface Shown {
	readonly wish: Typed;
	readonly hostKey: string;
	readonly fingerprint: string;
}

/** Takes a machine into the pool: what it is, then the host key that it shows, which somebody compares. */
export class MachineForm extends Part {
	static override properties = { panel: { attribute: false }, sure: { attribute: false }, shown: { state: true } };
	declare panel: Panel;
	declare sure: Sure;
	declare shown: Shown | undefined;

	readonly #key = new Task<string>(this, async (signal) => {
		return (await this.panel.api("GET /staff/machine-key", { signal })).publicKey;
	});
	/** So many were added; for each there is an empty form. */
	#count = 0;
	readonly #intention = new Intention();
	readonly #form = new Form(this, {
		name: "machine",
		checks: {
			id: given,
			address: given,
			publicly: nothingOrAddress,
			port: whole,
			user: given,
			memory: whole,
			disk: whole,
		},
		say: sentenceOf,
		send: async (typed) => {
			const wish = { ...typed, system: this.querySelector<HTMLSelectElement>("#machine-system")?.value ?? "" };
			const query = { address: wish.address.trim(), port: Number(wish.port) };
			const key = await this.panel.api("GET /staff/host-key", { query });
			this.shown = { wish, ...key };
			await this.updateComplete;
			this.querySelector<HTMLElement>("#machine-key-title")?.focus();
		},
	});
	readonly #add = new Action<[Shown]>(this, async ({ wish, hostKey }) => {
		const body = { ...bodyOf(wish), hostKey };
		const detail = await this.sure(() =>
			this.#intention.carry(body, (idempotencyKey) => this.panel.api("POST /staff/machines", { body, idempotencyKey })),
		);
		this.shown = undefined;
		this.#count += 1;
		this.dispatchEvent(new CustomEvent<Machine>("added", { detail }));
	});

	protected override render() {
		return html`<div class="stack">
			${this.#own()}${this.#what()}${this.shown ? this.#compare(this.shown) : nothing}
		</div>`;
	}

	/** What has to be on the machine before. */
	#own(): TemplateResult {
		const key = this.#key.value;
		return html`<div class="stack tight">
			<p>${msg("The machine must let this node in. Put the node's key among the authorized keys of the user there:")}</p>
			${key ? html`<copy-text .text=${key} .what=${msg("the key")}></copy-text>` : problem(this.#key.error)}
		</div>`;
	}

	#what(): unknown {
		const form = this.#form;
		const input = { autocomplete: "off" as const, mono: true, onInput: () => this.#forget() };
		return keyed(
			this.#count,
			html`<form class="stack" novalidate @submit=${form.submit}>
			${field(form, { ...input, name: "id", label: msg("Name"), hint: msg("What you call it") })}
			${field(form, { ...input, name: "address", label: msg("Address"), placeholder: "192.0.2.7" })}
			${field(form, { ...input, name: "publicly", label: msg("Public address"), hint: msg("Where customers reach it, if elsewhere") })}
			${field(form, { ...input, name: "port", label: msg("Port of its SSH server"), value: "22" })}
			${field(form, { ...input, name: "user", label: msg("User there"), value: "root" })}
			${field(form, { ...input, name: "memory", label: msg("Memory for services, GiB") })}
			${field(form, { ...input, name: "disk", label: msg("Disk for services, GiB") })}
			<div class="field"><label for="machine-system">${msg("System")}</label>
				<select class="input" id="machine-system" @change=${() => this.#forget()}>
					<option>x86_64-linux</option><option>aarch64-linux</option>
				</select></div>
			${problem(form.error)}
			<p><button class="button ${this.shown ? "" : "main"}" aria-busy=${form.busy}>${msg("Ask for its host key")}</button></p>
		</form>`,
		);
	}

	#compare(shown: Shown): TemplateResult {
		const { id, address } = shown.wish;
		return note(
			"attention",
			html`<h3 id="machine-key-title" tabindex="-1">${msg(str`${address} shows this host key`)}</h3>
			<p class="mono">${shown.fingerprint}</p>
			<p>${msg("Compare it with what the machine itself says, on its own screen:")}</p>
			<copy-text .text=${"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"} .what=${msg("the command")}></copy-text>
			${problem(this.#add.error)}
			<div class="actions">
				<button type="button" class="button main" aria-busy=${this.#add.busy} @click=${() => this.#add.run(shown)}>${msg(str`It is the same: add ${id}`)}</button>
				<button type="button" class="button" @click=${() => this.#forget()}>${msg("It is different")}</button>
			</div>`,
		);
	}

	/** What was shown counts for what was typed then. */
	#forget(): void {
		this.shown = undefined;
	}
}

function bodyOf(typed: Typed) {
	return {
		...{ id: typed.id.trim(), address: typed.address.trim(), user: typed.user.trim(), port: Number(typed.port) },
		...{ memoryMiB: Number(typed.memory) * 1024, diskGiB: Number(typed.disk) },
		publicAddress: typed.publicly.trim() || null,
		system: typed.system as "x86_64-linux",
	};
}

/** A first look; the node looks again. */
function nothingOrAddress(value: string): string | null {
	return /^[a-z0-9.:-]*$/i.test(value.trim()) ? null : msg("Write a host name or an IP address");
}

function whole(value: string): string | null {
	return /^[1-9]\d{0,6}$/.test(value.trim()) ? null : msg("Use a whole number above 0");
}

customElements.define("machine-form", MachineForm);
