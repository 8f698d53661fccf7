import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Form } from "../controllers/form.ts";
import { field } from "../parts/field.ts";
import { Page } from "../parts/part.ts";
import { serviceCard } from "../parts/service-card.ts";
import { specimen } from "../parts/specimen.ts";
import { given } from "../words/checks.ts";
import { inUnit } from "../words/numbers.ts";
import { sentenceOf } from "../words/problems.ts";
import { signUpDraft } from "./sign-up.ts";

/** Who this provider is, what one can run here, and the way in. */
export class PageFront extends Page {
	readonly #form = new Form(this, {
		name: "front",
		checks: { voucher: given },
		say: sentenceOf,
		send: async ({ voucher }) => {
			signUpDraft.write({ ...signUpDraft.read({ voucher: "", name: "", email: "" }), voucher: voucher.trim() });
			this.panel.go("/sign-up");
		},
	});

	protected get heading() {
		return "";
	}

	protected override render() {
		const { promise, place, name } = this.panel.provider;
		const cards = [...this.panel.services].sort((a, b) => Number(b.canRun) - Number(a.canRun));
		return html`
			<section class="hero">
				<div class="stack wide">
					<div class="stack">
						<h1>${promise}</h1>
						<p class="lead">${msg(str`Give ${name} a domain, pick what should run under it, and it is set up while you watch.`)}</p>
						${place ? html`<p class="quiet">${place}</p>` : nothing}
					</div>
					${this.panel.session.me ? this.#back() : this.#voucher()}
				</div>
				${specimen()}
			</section>
			<section class="chapter" aria-labelledby="offer">
				<h2 id="offer">${msg("What you can run here")}</h2>
				<ul class="cards">${cards.map((card) => html`<li>${serviceCard(card)}</li>`)}</ul>
			</section>
			<section class="chapter" aria-labelledby="ways">
				<h2 id="ways">${msg("How it goes")}</h2>
				${this.#ways()}
			</section>
		`;
	}

	#voucher(): TemplateResult {
		const form = this.#form;
		return html`<form class="stack tight" novalidate @submit=${form.submit}>
			${field(form, {
				name: "voucher",
				label: msg("Have a voucher?"),
				autocomplete: "off",
				mono: true,
				beside: html`<button class="button main">${msg("Begin")}</button>`,
			})}
			<p class="quiet small">${msg(html`An account already? <a href="/sign-in">Sign in</a>`)}</p>
		</form>`;
	}

	#back(): TemplateResult {
		return html`<p><a class="button main large" href="/home">${msg("To your deployments")}</a></p>`;
	}

	#ways(): TemplateResult {
		const { keepDays, zones } = this.panel.provider;
		const days = inUnit(keepDays, "day");
		return html`<ol class="ways">
			<li><h3>${msg("A name of your own")}</h3>
				<p>${
					zones.length > 0
						? msg(
								str`Bring a domain, or take a name under ${zones.join(", ")}. You see every record that is needed, and whether it is right.`,
							)
						: msg("Bring a domain. You see every record that is needed, and whether it is right.")
				}</p></li>
			<li><h3>${msg("Set up while you watch")}</h3>
				<p>${msg("Every step in plain words, with its time. If something fails it is undone, and you are told why.")}</p></li>
			<li><h3>${msg("Yours, also when you go")}</h3>
				<p>${msg(str`What you remove is kept for ${days}, so a mistake can be taken back. Then it is erased, and that is checked.`)}</p></li>
		</ol>`;
	}
}

customElements.define("page-front", PageFront);
