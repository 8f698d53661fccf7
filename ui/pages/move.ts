import { msg, str } from "@lit/localize";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Action } from "../controllers/action.ts";
import { deploymentOf } from "../controllers/deployment-of.ts";
import { Draft } from "../controllers/draft.ts";
import { Task } from "../controllers/task.ts";
import { tokenIn } from "../errand.ts";
import { failed, note, problem, waiting } from "../parts/faces.ts";
import { movePlan } from "../parts/moving/move-plan.ts";
import "../parts/moving/move-start.ts";
import "../parts/moving/move-where.ts";
import { Page } from "../parts/part.ts";
import { deploymentAddress, jobAddress } from "../routes.ts";
import type { Deployment, MovePlan } from "../views.ts";

/** Moving a deployment to another provider: where to, what will happen, then one button. */
export class PageMove extends Page {
	static override properties = { ...Page.properties, domain: {} };
	declare domain: string;
	#token = "";
	#plan: MovePlan | undefined;

	/** The token has not been asked about since it came. */
	#fresh = false;

	readonly #task = new Task<Deployment>(this, (signal) => deploymentOf(this.panel.api, this.domain, signal));
	/** The plan for a token that somebody came back with, or had before a reload. */
	readonly #again = new Action(this, () => this.#fetch(this.#token));

	protected get heading() {
		return msg(str`Move ${this.#task.value?.unicode ?? this.domain}`);
	}

	override connectedCallback(): void {
		super.connectedCallback();
		addEventListener("hashchange", this.#onReturn);
		this.#hold(tokenIn(location.hash) ?? this.#draft.read({ token: "" }).token);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		removeEventListener("hashchange", this.#onReturn);
	}

	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
		if (!this.#fresh || !this.#task.value) return;
		this.#fresh = false;
		void this.#again.run();
	}

	protected override render() {
		return html`<header class="stack tight">
				<h1>${msg(html`Move <a href=${deploymentAddress(this.domain)}>${this.#task.value?.unicode ?? this.domain}</a> to another provider`)}</h1>
				<p>${msg("All accounts, posts, followers and files go along, and every address stays the same. Everything serves here until the new provider has all of it.")}</p>
			</header>
			${this.#task.render({ ready: (deployment) => this.#stages(deployment), loading: () => waiting(6), failed })}`;
	}

	#stages(deployment: Deployment): TemplateResult {
		if (deployment.state !== "serving" || deployment.busy) return cannot(deployment);
		const plan = this.#plan;
		const can = plan !== undefined && plan.problems.length === 0;
		return html`<div class="stages">
			${stage("where", msg("Where to"), plan ? "closed" : "open", {
				summary: plan?.to.provider,
				change: this.#onChange,
				body: () => this.#where(deployment),
			})}
			${stage("plan", msg("What will happen"), plan ? "open" : "later", {
				body: () =>
					html`${plan ? movePlan(plan, this.panel.provider.name) : nothing}${can ? nothing : this.#lookAgain()}`,
			})}
			${stage("start", msg("Start"), can ? "open" : "later", {
				body: () =>
					html`<move-start .panel=${this.panel} .deployment=${deployment} .plan=${plan} .token=${this.#token} @started=${() => this.#draft.clear()}></move-start>`,
			})}
		</div>`;
	}

	#where(deployment: Deployment): TemplateResult {
		if (this.#again.busy)
			return html`<div role="status">${note("busy", html`<p>${msg("Asking the new provider what it takes …")}</p>`)}</div>`;
		return html`<div>${problem(this.#again.error)}</div>
			<move-where .panel=${this.panel} .deployment=${deployment} .token=${this.#token} .plan=${this.#fetch}></move-where>`;
	}

	#lookAgain(): TemplateResult {
		return html`<div>${problem(this.#again.error)}<p><button type="button" class="button main" aria-busy=${this.#again.busy} @click=${() => this.#again.run()}>${msg("Look again")}</button></p></div>`;
	}

	readonly #fetch = async (token: string): Promise<void> => {
		const { id } = this.#task.value as Deployment;
		const plan = await this.panel.api("POST /deployments/{id}/move-plan", { path: { id }, body: { token } });
		this.#token = token;
		this.#plan = plan;
		this.#draft.write({ token });
		this.requestUpdate();
		await this.updateComplete;
		this.querySelector<HTMLElement>("#stage-plan")?.focus();
	};

	readonly #onChange = async (): Promise<void> => {
		this.#plan = undefined;
		this.requestUpdate();
		await this.updateComplete;
		this.querySelector<HTMLElement>("#stage-where")?.focus();
	};

	/** Takes a token over. In the address it does not stay: addresses are seen and kept. */
	#hold(token: string): void {
		if (location.hash) history.replaceState(history.state, "", location.pathname);
		if (!token) return;
		this.#token = token;
		this.#fresh = true;
		this.#draft.write({ token });
	}

	readonly #onReturn = (): void => {
		this.#hold(tokenIn(location.hash) ?? "");
		this.requestUpdate();
	};

	/** A token is good for one use within the hour, and only for somebody who is signed in here. */
	get #draft(): Draft<{ token: string }> {
		return new Draft(`move:${this.domain}`);
	}
}

interface Stage {
	summary?: string | undefined;
	change?: () => void;
	body: () => unknown;
}

function stage(
	id: string,
	title: string,
	state: "open" | "closed" | "later",
	{ summary, change, body }: Stage,
): TemplateResult {
	return html`<section class="stage ${state}" aria-labelledby="stage-${id}">
		<header><h2 id="stage-${id}" tabindex="-1" data-arrival>${title}</h2>
			${
				state === "closed"
					? html`<span class="summary">${summary}</span><button type="button" class="button small" @click=${change}>${msg("Change")}<span class="unseen"> ${title}</span></button>`
					: nothing
			}</header>
		${state === "open" ? html`<div class="body">${body()}</div>` : nothing}
	</section>`;
}

/** Only what serves and has no other work on it can move. */
function cannot({ busy, job, domain }: Deployment): TemplateResult {
	if (busy && job)
		return note(
			"busy",
			html`<p>${msg("Work on it is under way.")} <a href=${jobAddress(domain, job)}>${msg("Watch it")}</a></p>`,
		);
	return note(
		"attention",
		html`<p>${msg("It does not serve here now, so it cannot move.")} <a href=${deploymentAddress(domain)}>${msg(str`Everything about ${domain}`)}</a></p>`,
	);
}

customElements.define("page-move", PageMove);
