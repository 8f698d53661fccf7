import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Action } from "../controllers/action.ts";
import { deploymentOf } from "../controllers/deployment-of.ts";
import { Intention } from "../controllers/intention.ts";
import { Poll } from "../controllers/poll.ts";
import { Task } from "../controllers/task.ts";
import { failed, note, problem, waiting } from "../parts/faces.ts";
import "../parts/history-list.ts";
import { icon } from "../parts/icons.ts";
import { machineAccess } from "../parts/machine-access.ts";
import { stateOf } from "../parts/marks.ts";
import { Page } from "../parts/part.ts";
import "../parts/service-status.ts";
import "../parts/typed-confirmation.ts";
import { when } from "../parts/when.ts";
import { addressAt, deploymentAddress, jobAddress, moveAddress } from "../routes.ts";
import type { Deployment } from "../views.ts";
import { inUnit } from "../words/numbers.ts";
import { wellbeing } from "../words/states.ts";
import { day, fromNow } from "../words/times.ts";

/** Everything about one deployment: how its services are, what happened, and how it ends. */
export class PageDeployment extends Page {
	static override properties = { ...Page.properties, domain: {} };
	declare domain: string;
	readonly #intention = new Intention();

	readonly #task = new Task<Deployment>(this, (signal) => this.#find(signal));
	readonly #restart = new Action(this, () =>
		this.#watch((call) => this.panel.api("POST /deployments/{id}/restart", { ...call, body: {} })),
	);
	readonly #repair = new Action(this, () =>
		this.#watch((call) => this.panel.api("POST /deployments/{id}/repair", call)),
	);
	readonly #restore = new Action(this, () =>
		this.#watch((call) => this.panel.api("POST /deployments/{id}/restore", call)),
	);

	constructor() {
		super();
		new Poll(this, () => (this.#task.value?.busy ? 3 : 15), this.#task.run);
	}

	protected get heading() {
		const deployment = this.#task.value;
		return deployment ? `${deployment.unicode}: ${wellbeing(deployment)[0]}` : this.domain;
	}

	protected override render() {
		return this.#task.render({
			ready: (deployment) => this.#all(deployment),
			loading: () => html`<h1>${this.domain}</h1>${waiting(6)}`,
			failed: (error, again) =>
				html`<h1>${this.domain}</h1>${failed(error, again)}<p><a href="/home">${msg("To your deployments")}</a></p>`,
		});
	}

	#all(deployment: Deployment): TemplateResult {
		const { services, unicode, domain, state } = deployment;
		const several = services.length > 1 && state === "serving";
		return html`
			<header class="stack tight">
				<div class="line apart"><h1>${unicode}</h1>${stateOf(wellbeing(deployment))}</div>
				${unicode === domain ? nothing : html`<p class="quiet small">${msg(str`In the DNS: ${domain}`)}</p>`}
				${this.#work(deployment)}${this.#unwell(deployment)}${this.#kept(deployment)}${moved(deployment)}
			</header>
			<section class="stack" aria-labelledby="services">
				<div class="section-head"><h2 id="services">${msg("Services")}</h2>
					${several ? html`<button type="button" class="button small" ?disabled=${deployment.busy} aria-busy=${this.#restart.busy} @click=${() => this.#restart.run()}>${msg("Restart all")}</button>` : nothing}
				</div>
				${problem(this.#restart.error)}
				<div>${repeat(
					services,
					({ name }) => name,
					(service) =>
						html`<service-status .panel=${this.panel} .deployment=${deployment} .service=${service} @shown=${this.#task.run}></service-status>`,
				)}</div>
			</section>
			${machineAccess(deployment, this.#again(deployment))}
			<section class="stack tight" aria-labelledby="history">
				<h2 id="history">${msg("History")}</h2>
				<history-list .panel=${this.panel} .deployment=${deployment}></history-list>
			</section>
			${state === "serving" ? html`${this.#move(deployment)}${this.#remove(deployment)}` : nothing}`;
	}

	#work({ busy, job, domain }: Deployment): TemplateResult | typeof nothing {
		if (!busy || !job) return nothing;
		return note(
			"busy",
			html`<p>${msg("Work on it is under way.")} <a href=${jobAddress(domain, job)}>${msg("Watch it")}</a></p>`,
		);
	}

	#unwell(deployment: Deployment): TemplateResult | typeof nothing {
		const { unwellSince, busy } = deployment;
		if (!unwellSince || busy) return nothing;
		return note(
			"attention",
			html`<p>${msg(html`Not everything has answered since ${when(unwellSince)}.`)}</p>
			<p>${msg("Setting up again puts in place what the services need, and starts again what does not answer. What they hold stays as it is.")}</p>
			${this.#again(deployment)}`,
		);
	}

	#again({ busy }: Deployment): TemplateResult {
		return html`${problem(this.#repair.error)}<div class="actions">
			<button type="button" class="button" ?disabled=${busy} aria-busy=${this.#repair.busy} @click=${() => this.#repair.run()}>${msg("Set up again")}</button>
		</div>`;
	}

	#kept(deployment: Deployment): TemplateResult | typeof nothing {
		const { state, keptUntil, domain } = deployment;
		if (state !== "kept" || !keptUntil) return nothing;
		const [until, left] = [day(keptUntil), fromNow(keptUntil)];
		return note(
			"attention",
			html`<p>${msg(str`It was removed and serves nobody. Everything in it is kept until ${until} (${left}), then erased.`)}</p>
			${problem(this.#restore.error)}
			<div class="actions">
				<button type="button" class="button main" aria-busy=${this.#restore.busy} @click=${() => this.#restore.run()}>${msg("Bring it back")}</button>
				<typed-confirmation .domain=${domain} .verb=${msg("Erase it now")}
				.warning=${msg("All accounts, posts, files and pages are erased at once, here and for good. Nobody can bring them back.")}
				.act=${(typed: string) => this.#watch((call) => this.panel.api("POST /deployments/{id}/erase", { ...call, body: { domain: typed } }))}></typed-confirmation>
			</div>`,
		);
	}

	#move({ domain, moved }: Deployment): TemplateResult {
		return html`<section class="stack danger-zone" aria-labelledby="move">
			<h2 id="move">${msg("Move to another provider")}</h2>
			<p>${msg("With everything in it and under the same addresses. You see what it means before anything happens, and can call it off on the way.")}</p>
			${moved && !moved.to ? html`<p class="quiet small">${msg(str`It came here from ${moved.provider}.`)}</p>` : nothing}
			<p><a class="button" href=${moveAddress(domain)}>${msg(str`Move ${domain}`)} …</a></p>
		</section>`;
	}

	#remove({ domain }: Deployment): TemplateResult {
		const days = inUnit(this.panel.provider.keepDays, "day");
		return html`<section class="stack danger-zone" aria-labelledby="remove">
			<h2 id="remove">${msg("Remove")}</h2>
			<p>${msg(str`The services stop at once. What is in them is kept for ${days}, in which you can bring it back; then it is erased.`)}</p>
			<typed-confirmation .domain=${domain} .verb=${msg(str`Remove ${domain}`)}
				.warning=${msg("Nobody will reach the services any more, and other servers may take them for gone after some days.")}
				.act=${(typed: string) => this.#watch((call) => this.panel.api("POST /deployments/{id}/remove", { ...call, body: { domain: typed } }))}></typed-confirmation>
		</section>`;
	}

	/** Asks the node for a piece of work, and goes to watch it. */
	async #watch(
		ask: (call: { path: { id: string }; idempotencyKey: string }) => Promise<{ job: string }>,
	): Promise<void> {
		const { id, domain } = this.#task.value as Deployment;
		const { job } = await this.#intention.carry(ask.toString(), (idempotencyKey) =>
			ask({ path: { id }, idempotencyKey }),
		);
		this.panel.go(jobAddress(domain, job));
	}

	async #find(signal: AbortSignal): Promise<Deployment> {
		const known = this.#task.value;
		if (known) return this.panel.api("GET /deployments/{id}", { path: { id: known.id }, signal });
		return deploymentOf(this.panel.api, this.domain, signal);
	}
}

/** Where it is now, and what is left of it here. */
function moved({ state, moved, domain, keptUntil, job }: Deployment): TemplateResult | typeof nothing {
	if (state !== "moved" || !moved) return nothing;
	const { origin, provider } = moved;
	return note(
		"accent",
		html`<p>${msg(html`It moved to <b>${provider}</b> and serves there.`)} ${
			keptUntil ? msg(str`The copy here serves nobody; it is kept until ${day(keptUntil)}, then erased.`) : nothing
		}</p>
		${keptUntil ? html`<p class="small quiet">${msg(str`If it moves back here before that, only what has changed is copied.`)}</p>` : nothing}
		<div class="actions">
			<a class="button main" href=${addressAt(origin, deploymentAddress(domain))}>${msg(str`Go to ${provider}`)}${icon("out")}</a>
			${keptUntil ? html`<a class="button" href="/move-in?${new URLSearchParams({ domain })}">${msg("Move it back")}</a>` : nothing}
			${job ? html`<a class="button" href=${jobAddress(domain, job)}>${msg("How it went")}</a>` : nothing}
		</div>`,
	);
}

customElements.define("page-deployment", PageDeployment);
