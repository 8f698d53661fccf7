import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { all } from "../controllers/paged-list.ts";
import { Poll } from "../controllers/poll.ts";
import { Task } from "../controllers/task.ts";
import { errandOf } from "../errand.ts";
import { failed, waiting } from "../parts/faces.ts";
import "../parts/moving/move-in-form.ts";
import "../parts/moving/move-in-list.ts";
import "../parts/moving/move-in-offer.ts";
import "../parts/moving/move-token.ts";
import { Page } from "../parts/part.ts";
import type { Entitlement, MoveIn, MoveInMade } from "../views.ts";
import { isLive, moveInNews } from "../words/move-ins.ts";

const shown = 100;

/** Where a deployment moves in: a token is made, and what is offered by it is agreed on and watched. */
export class PageMoveIn extends Page {
	readonly #errand = errandOf(location.search);
	#made: MoveInMade | undefined;

	readonly #list = new Task<readonly MoveIn[]>(this, async (signal) => {
		const { items } = await this.panel.api("GET /move-ins", { query: { limit: shown }, signal });
		this.#tell(this.#list.value ?? items, items);
		return items;
	});
	readonly #free = new Task<readonly Entitlement[]>(this, async (signal) => {
		const list = await all<Entitlement>((after) =>
			this.panel.api("GET /me/entitlements", { query: { limit: 100, ...(after && { after }) }, signal }),
		);
		return list.filter(({ deployment }) => !deployment);
	});

	constructor() {
		super();
		new Poll(this, () => (this.#expects() ? 2 : 20), this.#list.run);
	}

	protected get heading() {
		return msg("Move a deployment here");
	}

	protected override render() {
		const { name } = this.panel.provider;
		return html`
			<header class="stack tight">
				<h1>${this.heading}</h1>
				<p>${msg(str`What you run at another provider can go on at ${name}, under the same domain, with everything in it. You make a token here and paste it there; it shows both providers that you want this.`)}</p>
			</header>
			${this.#live()}
			${this.#token()}
			${this.#earlier()}`;
	}

	#live(): unknown {
		const live = this.#list.value?.filter(isLive) ?? [];
		return repeat(
			live,
			({ id }) => id,
			(one) => html`<move-in-offer .panel=${this.panel} .moveIn=${one} @answered=${this.#list.run}></move-in-offer>`,
		);
	}

	/** The token just made as long as it waits, else the way to a new one. */
	#token(): unknown {
		const made = this.#made;
		const known = this.#list.value?.find(({ id }) => id === made?.id);
		if (made && (!known || known.state === "waiting"))
			return html`<move-token .panel=${this.panel} .made=${made} @revoked=${this.#onRevoked}></move-token>`;
		return this.#free.render({
			ready: (free) => {
				const form = html`<move-in-form .panel=${this.panel} .free=${free} .errand=${this.#errand}
					@made=${this.#onMade} @redeemed=${this.#free.run}></move-in-form>`;
				return this.#list.value?.some(isLive)
					? html`<details><summary>${msg("Make another token")}</summary>${form}</details>`
					: form;
			},
			loading: () => waiting(4),
			failed,
		});
	}

	#earlier(): unknown {
		const list = this.#list.value?.filter((one) => !isLive(one) && one.id !== this.#shownId()) ?? [];
		if (this.#list.value && list.length === 0) return nothing;
		return html`<section class="stack tight" aria-labelledby="earlier">
			<h2 id="earlier">${msg("Earlier tokens")}</h2>
			${this.#list.render({
				ready: () =>
					html`<move-in-list .panel=${this.panel} .list=${list} @revoked=${this.#list.run}></move-in-list>` as TemplateResult,
				loading: () => waiting(3),
				failed,
			})}
		</section>`;
	}

	#shownId(): string | undefined {
		const known = this.#list.value?.find(({ id }) => id === this.#made?.id);
		return known?.state === "waiting" ? known.id : undefined;
	}

	/** Whether something may change soon by what somebody does elsewhere. */
	#expects(): boolean {
		return (
			this.#made !== undefined || (this.#list.value?.some((one) => isLive(one) || one.state === "waiting") ?? false)
		);
	}

	readonly #onMade = async ({ detail }: CustomEvent<MoveInMade>): Promise<void> => {
		this.#made = detail;
		await this.#list.run();
		await this.updateComplete;
		this.querySelector<HTMLElement>("move-token [data-arrival]")?.focus();
	};

	readonly #onRevoked = async (): Promise<void> => {
		this.#made = undefined;
		this.panel.say(msg("The token was revoked"));
		await this.#list.run();
	};

	#tell(before: readonly MoveIn[], after: readonly MoveIn[]): void {
		for (const one of after) {
			const was = before.find(({ id }) => id === one.id);
			const news = was && was.state !== one.state ? moveInNews(one) : null;
			if (news) this.panel.say(news);
		}
	}
}

customElements.define("page-move-in", PageMoveIn);
