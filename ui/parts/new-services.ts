import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { clashIn, obstacleOf } from "../choice.ts";
import type { Domain, Entitlement, ServiceCard } from "../views.ts";
import { serviceTitle } from "../words/params.ts";
import { serviceKind, whyNot } from "../words/services.ts";
import { note } from "./faces.ts";
import { icon } from "./icons.ts";
import { Part } from "./part.ts";
import { serviceAbout, serviceMeta, serviceName } from "./service-card.ts";

/** Section 2: which services, each with what it is good for, what it needs, or why it cannot be had here. */
export class NewServices extends Part {
	static override properties = {
		cards: { attribute: false },
		free: { attribute: false },
		picked: { attribute: false },
		domain: { attribute: false },
		trouble: { state: true },
	};
	declare cards: readonly ServiceCard[];
	declare free: readonly Entitlement[];
	declare picked: readonly string[];
	declare domain: Domain | null;
	declare trouble: string | null;

	protected override render() {
		const [can, cannot] = [true, false].map((free) =>
			this.cards.filter((card) => (this.#obstacle(card) === null) === free),
		);
		return html`
			<fieldset class="stack" aria-describedby="services-trouble">
				<legend class="unseen">${msg("Services")}</legend>
				<ul class="cards">${can?.map((card) => html`<li>${this.#card(card)}</li>`)}</ul>
			</fieldset>
			<div id="services-trouble" class="stack" aria-live="polite">${this.#added()}${this.#trouble()}</div>
			<p><button type="button" class="button main" @click=${this.#goOn}>${msg("Go on")}</button></p>
			${cannot?.length ? this.#others(cannot) : nothing}`;
	}

	/** What cannot be had, and why; shorter, since it only answers a question. */
	#others(cards: readonly ServiceCard[]): TemplateResult {
		return html`<section class="stack tight" aria-labelledby="others">
			<h3 id="others">${msg("Not to be had here now")}</h3>
			<ul class="rows">${cards.map(
				(
					card,
				) => html`<li class="row small"><span class="name"><span class="tile">${icon(serviceKind(card.name))}</span>${card.title}</span>
					<span class="grow quiet">${this.#obstacle(card) === "cannot-run" ? whyNot(card) : msg("Your voucher does not include it")}.</span></li>`,
			)}</ul>
		</section>`;
	}

	#card(card: ServiceCard): TemplateResult {
		const picked = this.picked.includes(card.name);
		const box = html`<input type="checkbox" .checked=${picked} aria-labelledby="card-${card.name}"
			aria-describedby="promise-${card.name} facts-${card.name}" @change=${() => this.#toggle(card.name)} />`;
		return html`<label class="service pick ${picked ? "picked" : ""}">
			${serviceName(card, box)}
			<div class="stack tight" id="promise-${card.name}">${serviceAbout(card)}${this.#host(card)}</div>
			<div id="facts-${card.name}">${serviceMeta(card)}</div>
		</label>`;
	}

	#host({ host }: ServiceCard): TemplateResult | typeof nothing {
		if (!host || !this.domain) return nothing;
		return html`<p class="small mono">${host}.${this.domain.unicode}</p>`;
	}

	/** What came along because something else needs it. */
	#added(): TemplateResult | typeof nothing {
		const needing = this.cards.filter(({ name, needs }) => this.picked.includes(name) && needs.length > 0);
		if (needing.length === 0) return nothing;
		return note(
			"accent",
			needing.map(
				({ title, needs }) =>
					html`<p>${msg(str`${title} needs ${needs.map(serviceTitle).join(", ")}, so that is picked too.`)}</p>`,
			),
		);
	}

	#trouble(): TemplateResult | typeof nothing {
		const clash = clashIn(this.picked, this.cards);
		if (clash) {
			const [one, other, host] = clash;
			const address = `${host}.${this.domain?.unicode ?? "…"}`;
			return note(
				"bad",
				html`<p>${msg(str`${serviceTitle(one)} and ${serviceTitle(other)} both want the address ${address}; keep one of them.`)}</p>`,
			);
		}
		return this.trouble && this.picked.length === 0 ? note("bad", html`<p>${this.trouble}.</p>`) : nothing;
	}

	#obstacle(card: ServiceCard) {
		return obstacleOf(card, this.free);
	}

	/** Taking a service away takes away what only it needed. */
	#toggle(name: string): void {
		const without = this.picked.filter((known) => known !== name);
		const needed = this.cards.filter((card) => without.includes(card.name)).flatMap(({ needs }) => needs);
		const dropped = this.cards.find((card) => card.name === name)?.needs ?? [];
		const picked = this.picked.includes(name)
			? without.filter((known) => !dropped.includes(known) || needed.includes(known))
			: [...this.picked, name];
		this.dispatchEvent(new CustomEvent("picked", { detail: picked }));
	}

	readonly #goOn = (): void => {
		this.trouble = this.picked.length === 0 ? msg("Pick at least one service") : null;
		if (this.trouble || clashIn(this.picked, this.cards)) this.querySelector<HTMLElement>("input:enabled")?.focus();
		else this.dispatchEvent(new CustomEvent("chosen"));
	};
}

customElements.define("new-services", NewServices);
