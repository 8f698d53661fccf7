import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { type Choice, entitlementFor } from "../choice.ts";
import { Form } from "../controllers/form.ts";
import { Intention } from "../controllers/intention.ts";
import type { Panel } from "../panel.ts";
import { jobAddress } from "../routes.ts";
import type { Entitlement, ServiceCard } from "../views.ts";
import { username } from "../words/checks.ts";
import { mebibytes } from "../words/numbers.ts";
import { sentenceOf } from "../words/problems.ts";
import { handleOf } from "../words/services.ts";
import "./dns-records.ts";
import { note, problem } from "./faces.ts";
import { field } from "./field.ts";
import { Part } from "./part.ts";

/** Section 3: the records, the first account's name, everything once more, and the one button. */
export class NewCheck extends Part {
	static override properties = {
		panel: { attribute: false },
		choice: { attribute: false },
		free: { attribute: false },
	};
	declare panel: Panel;
	declare choice: Choice;
	declare free: readonly Entitlement[];
	readonly #intention = new Intention();

	readonly #form = new Form(this, {
		name: "new-check",
		checks: { username },
		say: sentenceOf,
		send: ({ username }) => this.#start(username),
	});

	protected override render() {
		const { domain, services } = this.choice;
		if (!domain) return nothing;
		return html`
			<section class="stack tight" aria-labelledby="records">
				<h3 id="records">${msg("Records of your domain")}</h3>
				<dns-records .panel=${this.panel} .domain=${domain.domain} .services=${services}></dns-records>
			</section>
			<form class="stack wide" novalidate @submit=${this.#form.submit}>
				${field(this.#form, {
					name: "username",
					label: msg("Name of your first account"),
					hint: this.#accountHint(),
					value: this.choice.username,
					autocomplete: "off",
					mono: true,
					onInput: (typed) => this.dispatchEvent(new CustomEvent("typed", { detail: typed })),
				})}
				${this.#summary()}
				${problem(this.#form.error)}
				<p><button class="button main large" aria-busy=${this.#form.busy}>${msg(str`Set up ${domain.unicode}`)}</button></p>
			</form>`;
	}

	#accountHint(): unknown {
		const handles = this.#cards()
			.map(({ name, host }) => host && handleOf(name, this.choice.username, `${host}.${this.choice.domain?.unicode}`))
			.filter(Boolean);
		if (handles.length === 0) return msg("It signs in to every service, with a password that you are shown once");
		return html`${msg("You will be known as")} <b>${handles.join(", ")}</b>`;
	}

	#summary(): TemplateResult {
		const { domain } = this.choice;
		const voucher = entitlementFor(this.choice.services, this.free);
		return html`<div class="card stack tight">
			<h3>${msg("What will be set up")}</h3>
			<dl class="facts">
				${this.#cards().map(
					({ title, host }) =>
						html`<dt>${title}</dt><dd class="mono">${host ? `${host}.${domain?.unicode}` : msg("inside, without an address")}</dd>`,
				)}
				${voucher ? html`<dt>${msg("Room")}</dt><dd>${msg(str`${mebibytes(voucher.diskMiB)} by your voucher`)}</dd>` : nothing}
			</dl>
			${
				!voucher && this.free.length > 0
					? note(
							"bad",
							html`<p>${msg("None of your vouchers holds all of these services; take fewer, or redeem another voucher.")}</p>`,
						)
					: nothing
			}
			<p class="small quiet">${msg(str`The domain stays ${domain?.unicode} for good. The rest can be undone: cancel while it runs, or remove it afterwards.`)}</p>
		</div>`;
	}

	#cards(): readonly ServiceCard[] {
		return this.panel.services.filter(({ name }) => this.choice.services.includes(name));
	}

	async #start(username: string): Promise<void> {
		const { domain, services } = this.choice;
		const entitlement = entitlementFor(services, this.free)?.id;
		const body = { domain: domain?.domain ?? "", services, username, ...(entitlement && { entitlement }) };
		const { job } = await this.#intention.carry(body, (idempotencyKey) =>
			this.panel.api("POST /deployments", { body, idempotencyKey }),
		);
		this.dispatchEvent(new CustomEvent("started"));
		this.panel.go(jobAddress(body.domain, job));
	}
}

customElements.define("new-check", NewCheck);
