import { msg, str } from "@lit/localize";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Action } from "../controllers/action.ts";
import { newDraft, nothingChosen } from "../controllers/new-draft.ts";
import type { Panel } from "../panel.ts";
import { deploymentAddress, moveAddress } from "../routes.ts";
import type { Deployment, Job } from "../views.ts";
import { problemSentence } from "../words/problems.ts";
import { note, problem } from "./faces.ts";
import "./first-account.ts";
import { icon } from "./icons.ts";
import { Part } from "./part.ts";

/** What is left of work that came to nothing, and for a move where it begins anew; of what is not named, all is as it was. */
const undone: Readonly<Record<string, (domain: string) => readonly [sentence: string, again?: string]>> = {
	leave: (domain) => [msg("Called off: everything here is as it was"), moveAddress(domain)],
	arrive: () => [msg("Called off: it stays where it was, and nothing of it is left here"), "/move-in"],
	deploy: () => [msg("Undone: nothing of it is left")],
	repair: () => [msg("Not finished; what the services hold is as it was")],
	restart: () => [msg("Not finished; what the services hold is as it was")],
};

/** How a job ended and what comes next: done with the addresses, undone with the reason, stuck with what to do. */
export class JobEnd extends Part {
	static override properties = {
		panel: { attribute: false },
		job: { attribute: false },
		retry: { attribute: false },
		deployment: { state: true },
	};
	declare panel: Panel;
	declare job: Job;
	declare retry: Action;
	declare deployment: Deployment | undefined;

	protected override willUpdate(changed: PropertyValues<this>): void {
		if (changed.has("job") && this.job.state === "done" && changed.get("job")?.state !== "done") void this.#fetch();
	}

	protected override render() {
		if (this.job.state === "done") return this.#done();
		if (this.job.state === "undone") return this.#undone();
		return this.job.state === "stuck" ? this.#stuck() : nothing;
	}

	#done(): TemplateResult | typeof nothing {
		const domain = this.job.domain ?? "";
		// What has moved is told by the move's own story.
		if (["leave", "arrive"].includes(this.job.kind)) return nothing;
		if (!["deploy", "restore"].includes(this.job.kind))
			return html`<p><a class="button main" href=${this.job.kind === "erase" ? "/home" : deploymentAddress(domain)}>${msg("Go on")}</a></p>`;
		return html`<section class="stack" aria-labelledby="ready">
			<h2 id="ready">${msg(str`${domain} is ready`)}</h2>
			${this.deployment?.services.map(
				(service, at) => html`<div class="card stack tight">
					<h3>${service.title}</h3>
					<copy-text class="address" plain .text=${service.address} .what=${msg("the address")}></copy-text>
					<first-account .panel=${this.panel} .deployment=${this.deployment} .service=${service} @shown=${() => this.#fetch()}></first-account>
					<p><a class="button ${at === 0 ? "main" : ""}" href=${service.address}>${msg(str`Open ${service.title}`)}${icon("out")}</a></p>
				</div>`,
			)}
			<p><a href=${deploymentAddress(domain)}>${msg(str`Everything about ${domain}`)}</a></p>
		</section>`;
	}

	#undone(): TemplateResult {
		const said = undone[this.job.kind]?.(this.job.domain ?? "");
		const [sentence, again] = said ?? [msg("Undone: everything is as it was")];
		return html`<section class="stack" aria-labelledby="undone">
			<h2 id="undone">${sentence}</h2>
			${this.#reason("attention")}
			${this.job.kind === "deploy" ? html`<p>${msg("Your voucher is free again, and your domain is as it was.")}</p>` : nothing}
			${problem(this.retry.error)}
			<div class="actions">
				${this.#retryButton()}
				${
					this.job.kind === "deploy"
						? html`<a class="button ${this.job.canRetry ? "" : "main"}" href="/new" @click=${this.#offerAgain}>${msg("Begin anew")}</a>`
						: nothing
				}
				${again ? html`<a class="button" href=${again}>${msg("Begin anew")}</a>` : nothing}
			</div>
		</section>`;
	}

	#stuck(): TemplateResult {
		const { help } = this.panel.provider;
		return html`<section class="stack" aria-labelledby="stuck">
			<h2 id="stuck">${msg("Stuck: this does not go on by itself")}</h2>
			${this.#reason("bad")}
			<p>${msg("What was done so far stays as it is, and nothing is lost. Try again once the reason is gone; your provider sees this too.")}</p>
			${problem(this.retry.error)}
			<div class="actions">
				${this.#retryButton()}
				${help ? html`<a class="button" href=${help}>${msg("Ask your provider")}</a>` : nothing}
			</div>
		</section>`;
	}

	/** What was chosen stands there again, to be changed or not. */
	readonly #offerAgain = (): void => {
		const services = this.job.steps.flatMap(({ service }) => service ?? []);
		newDraft.write({ ...nothingChosen, typed: this.job.domain ?? "", services: [...new Set(services)] });
	};

	#reason(tone: "attention" | "bad"): TemplateResult | typeof nothing {
		const failure = this.job.steps.findLast((step) => step.problem)?.problem;
		return failure
			? note(tone, html`<p>${problemSentence(failure.code, failure.params, failure.detail)}.</p>`)
			: nothing;
	}

	#retryButton(): TemplateResult | typeof nothing {
		if (!this.job.canRetry) return nothing;
		return html`<button type="button" class="button main" aria-busy=${this.retry.busy} @click=${() => this.retry.run()}>${msg("Try again")}</button>`;
	}

	/** Without it the page still says that all is ready, and leads on. */
	async #fetch(): Promise<void> {
		const { deployment } = this.job;
		if (!deployment) return;
		this.deployment = await this.panel
			.api("GET /deployments/{id}", { path: { id: deployment } })
			.catch(() => undefined);
	}
}

customElements.define("job-end", JobEnd);
