import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { type Choice, withNeeds } from "../choice.ts";
import { newDraft, nothingChosen } from "../controllers/new-draft.ts";
import { all } from "../controllers/paged-list.ts";
import { Task } from "../controllers/task.ts";
import { failed, waiting } from "../parts/faces.ts";
import "../parts/new-check.ts";
import "../parts/new-domain.ts";
import "../parts/new-services.ts";
import { Page } from "../parts/part.ts";
import "../parts/redeem-voucher.ts";
import type { Domain, Entitlement } from "../views.ts";
import { serviceTitle } from "../words/params.ts";

const sections = ["domain", "services", "check"] as const;
type Section = (typeof sections)[number];

/** A new deployment: which domain, which services, then one button. Each section closes into a line and opens again. */
export class PageNew extends Page {
	#choice = newDraft.read(nothingChosen);
	#section: Section = this.#furthest();

	readonly #have = new Task(this, async (signal) => {
		const page = (after: string | undefined) => ({ query: { limit: 100, ...(after && { after }) }, signal });
		const [entitlements, domains] = await Promise.all([
			all<Entitlement>((after) => this.panel.api("GET /me/entitlements", page(after))),
			all<Domain>((after) => this.panel.api("GET /domains", page(after))),
		]);
		return {
			free: entitlements.filter(({ deployment }) => !deployment),
			domains: domains.filter(({ deployment }) => !deployment),
		};
	});

	protected get heading() {
		return msg("New deployment");
	}

	override connectedCallback(): void {
		super.connectedCallback();
		addEventListener("popstate", this.#onBack);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		removeEventListener("popstate", this.#onBack);
	}

	protected override render() {
		return html`<h1>${this.heading}</h1>
			${this.#have.render({ ready: ({ free, domains }) => this.#sections(free, domains), loading: () => waiting(5), failed })}`;
	}

	#sections(free: readonly Entitlement[], domains: readonly Domain[]): TemplateResult {
		const { domain, services } = this.#choice;
		const cards = this.panel.services;
		return html`
			${free.length === 0 ? html`<redeem-voucher .panel=${this.panel} needed @redeemed=${this.#have.run}></redeem-voucher>` : nothing}
			<div class="stages">
				${this.#stage(
					"domain",
					msg("Domain"),
					domain?.unicode ?? "",
					() => html`<new-domain .panel=${this.panel} .choice=${this.#choice} .domains=${domains}
					@typed=${this.#onTyped} @chosen=${this.#onDomain}></new-domain>`,
				)}
				${this.#stage(
					"services",
					msg("Services"),
					services.map(serviceTitle).join(", "),
					() => html`<new-services .cards=${cards} .free=${free} .picked=${services}
					.domain=${domain} @picked=${this.#onPicked} @chosen=${() => this.#go("check")}></new-services>`,
				)}
				${this.#stage(
					"check",
					msg("Check and start"),
					"",
					() => html`<new-check .panel=${this.panel} .choice=${this.#choice} .free=${free}
					@typed=${this.#onUsername} @started=${() => newDraft.clear()}></new-check>`,
				)}
			</div>`;
	}

	#stage(section: Section, title: string, summary: string, body: () => TemplateResult): TemplateResult {
		const [at, now] = [sections.indexOf(section), sections.indexOf(this.#section)];
		const state = at === now ? "open" : at < now ? "closed" : "later";
		return html`<section class="stage ${state}" aria-labelledby="stage-${section}">
			<header><h2 id="stage-${section}" tabindex="-1">${title}</h2>
				${
					state === "closed"
						? html`<span class="summary">${summary}</span><button type="button" class="button small" @click=${() => this.#go(section)}>${msg("Change")}<span class="unseen"> ${title}</span></button>`
						: nothing
				}</header>
			${state === "open" ? html`<div class="body">${body()}</div>` : nothing}
		</section>`;
	}

	readonly #onTyped = ({ detail }: CustomEvent<string>): void => this.#decide({ typed: detail });

	readonly #onDomain = ({ detail }: CustomEvent<Domain>): void => {
		this.#decide({ domain: detail, typed: detail.unicode });
		this.#go(this.#choice.services.length > 0 ? "check" : "services");
	};

	readonly #onPicked = ({ detail }: CustomEvent<string[]>): void =>
		this.#decide({ services: withNeeds(detail, this.panel.services) });

	readonly #onUsername = ({ detail }: CustomEvent<string>): void => this.#decide({ username: detail });

	#decide(part: Partial<Choice>): void {
		this.#choice = { ...this.#choice, ...part };
		newDraft.write(this.#choice);
		this.requestUpdate();
	}

	/** Opens a section; the browser's Back opens the one before. */
	#go(section: Section): void {
		history.pushState({ section }, "");
		void this.#open(section);
		this.panel.say(msg(str`Section ${sections.indexOf(section) + 1} of ${sections.length}`));
	}

	readonly #onBack = ({ state }: PopStateEvent): void => {
		if (location.pathname === "/new") void this.#open(state?.section ?? "domain");
	};

	async #open(section: Section): Promise<void> {
		this.#section = section;
		this.requestUpdate();
		await this.updateComplete;
		this.querySelector<HTMLElement>(`#stage-${section}`)?.focus();
	}

	/** Where somebody was who comes back. */
	#furthest(): Section {
		if (!this.#choice.domain) return "domain";
		return this.#choice.services.length === 0 ? "services" : "check";
	}
}

customElements.define("page-new", PageNew);
