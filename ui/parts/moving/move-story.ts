import { msg, str } from "@lit/localize";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Action } from "../../controllers/action.ts";
import { Ticker } from "../../controllers/clock.ts";
import { isOver } from "../../controllers/followed-job.ts";
import { FollowedMigration } from "../../controllers/followed-migration.ts";
import type { Panel } from "../../panel.ts";
import { addressAt, deploymentAddress } from "../../routes.ts";
import type { Job, Migration } from "../../views.ts";
import { duration, inUnit } from "../../words/numbers.ts";
import { hostOf } from "../../words/params.ts";
import { note, problem } from "../faces.ts";
import { icon } from "../icons.ts";
import { Part } from "../part.ts";
import { moveCopies } from "./move-copies.ts";
import { moveProof } from "./move-proof.ts";
import { keepReceipt } from "./receipt.ts";
import { sixWords } from "./six-words.ts";

/** A move around its timeline: from where to where and how long services rest; afterwards what came of it; below it the details. */
export class MoveStory extends Part {
	static override properties = { panel: { attribute: false }, job: { attribute: false }, inner: { attribute: false } };
	declare panel: Panel;
	declare job: Job;
	/** The timeline. */
	declare inner: unknown;

	readonly #followed = new FollowedMigration(
		this,
		() => this.panel.api,
		() => this.job,
	);
	readonly #receipt = new Action(this, () => this.#keepReceipt());
	readonly #thaw = new Action(this, () => this.#letServe());
	/** The rest that somebody wanted to end, by its beginning. */
	#ended: string | null = null;

	constructor() {
		super();
		new Ticker(this, () => isResting(this.#followed.migration));
	}

	protected override updated(changed: PropertyValues<this>): void {
		const before = changed.get("job");
		if (before) this.#followed.hear(before, this.job);
	}

	/** The timeline is there before the rest is known, and without it. */
	protected override render() {
		const migration = this.#followed.migration;
		return html`${migration ? this.#head(migration) : nothing}${this.inner}${migration ? this.#details(migration) : nothing}`;
	}

	#head(migration: Migration): TemplateResult {
		const moved = migration.state === "moved";
		const over = moved && isOver(this.job);
		return html`<div class="stack">
			${over ? this.#arrived(migration) : this.#way(migration)}
			${moved && !over ? note("good", html`<p>${nowAt(migration)}</p>`) : nothing}
			${isResting(migration) ? this.#rest(migration) : nothing}
			${migration.state === "agreeing" ? this.#compare(migration) : nothing}
			${over ? moveProof(migration, this.#receipt) : nothing}
		</div>`;
	}

	#details(migration: Migration): TemplateResult {
		return html`<div class="details">
			${moveCopies(migration)}
			${migration.state === "agreeing" ? nothing : html`<details><summary>${msg("Six words, the same at both providers")}</summary>${sixWords(migration.words)}</details>`}
		</div>`;
	}

	#way({ side, other }: Migration): TemplateResult {
		const here = html`<span>${this.panel.provider.name}<br /><small class="quiet">${msg("here")}</small></span>`;
		const there = html`<span>${other.provider}<br /><small class="quiet">${msg(str`${other.customer}, at ${hostOf(other.origin)}`)}</small></span>`;
		const [from, to] = side === "source" ? [here, there] : [there, here];
		return html`<p class="way">${from}${icon("right")}<span class="unseen"> ${msg("to")} </span>${to}</p>`;
	}

	#arrived(migration: Migration): TemplateResult {
		const { side, other, domain } = migration;
		const away = side === "source";
		const href = away ? addressAt(other.origin, deploymentAddress(domain)) : deploymentAddress(domain);
		return html`<section class="stack tight" aria-labelledby="moved">
			<h2 id="moved">${nowAt(migration)}</h2>
			<p>${
				away
					? msg("Everything is there, under the same addresses. Who still comes here is sent on.")
					: msg(
							str`Everything has come from ${other.provider}, under the same addresses. Accounts and passwords are the same as before.`,
						)
			}</p>
			<p><a class="button main" href=${href}>${away ? msg(str`Go to ${other.provider}`) : msg(str`Everything about ${domain}`)}${away ? icon("out") : nothing}</a></p>
		</section>`;
	}

	/** Seconds, counted where everybody sees them; read out only when somebody asks. */
	#rest(migration: Migration): TemplateResult {
		const { frozenAt, freeze, side } = migration;
		const seconds = Math.max(0, Math.floor((this.panel.clock.now() - Date.parse(frozenAt ?? "")) / 1000));
		const late = freeze.expected !== null && seconds > Math.max(freeze.expected * 1.5, freeze.expected + 3);
		return note(
			late ? "attention" : "accent",
			html`<div class="rest">
				<p class="count-up numbers" role="timer">${inUnit(seconds, "second")}</p>
				<div><p><b>${msg("The services rest")}</b></p>
				<p class="small numbers">${freeze.expected === null ? nothing : html`${msg(str`Expected: ${duration(freeze.expected)}`)} · `}${
					side === "source"
						? msg(str`after ${duration(freeze.most)} at the latest they serve here again`)
						: msg(str`after ${duration(freeze.most)} at the latest they serve there again`)
				}</p></div>
			</div>
			${canServeAgain(migration) ? this.#back(migration) : nothing}`,
		);
	}

	/** Before a new rest begins again the question is asked anew. */
	#back({ frozenAt, domain }: Migration): TemplateResult {
		if (this.#ended === frozenAt) return html`<p>${msg("They are started again. This takes a moment.")}</p>`;
		return html`<details class="ask"><summary>${msg("Let them serve again")}</summary><div class="stack tight">
			<p>${msg(str`Everything under ${domain} serves here again at once, and nothing is lost. The move goes on: what changes is copied, then the services rest once more. To give it up altogether, call it off instead.`)}</p>
			${problem(this.#thaw.error)}
			<p><button type="button" class="button" aria-busy=${this.#thaw.busy} @click=${() => this.#thaw.run()}>${msg("Yes, let them serve")}</button></p>
		</div></details>`;
	}

	async #letServe(): Promise<void> {
		const { id, frozenAt } = this.#followed.migration as Migration;
		this.#followed.task.set(await this.panel.api("POST /migrations/{id}/thaw", { path: { id } }));
		this.#ended = frozenAt;
		this.panel.say(msg("They are started again. This takes a moment."));
	}

	#compare({ words, side, other }: Migration): TemplateResult {
		return html`<section class="stack tight" aria-labelledby="six"><h2 id="six">${msg("Six words")}</h2>${sixWords(words)}
			<p>${
				side === "source"
					? msg(
							str`${other.provider} must show the same six. Agree there if you are asked; if they differ, call it off.`,
						)
					: msg(str`${other.provider} must show the same six. If they differ, call it off.`)
			}</p></section>`;
	}

	/** The receipt goes through the API like everything else, so that a session's end is noticed. */
	async #keepReceipt(): Promise<void> {
		const { id, domain } = this.#followed.migration as Migration;
		keepReceipt(domain, await this.panel.api("GET /migrations/{id}/receipt", { path: { id } }));
	}
}

function nowAt({ side, domain, other }: Migration): string {
	return side === "source" ? msg(str`${domain} now runs at ${other.provider}`) : msg(str`${domain} now runs here`);
}

function isResting(migration: Migration | null): boolean {
	return migration?.frozenAt != null && migration.thawedAt === null && migration.endedAt === null;
}

/** Only where they serve otherwise, and not once the hand-over has begun. */
function canServeAgain({ side, state }: Migration): boolean {
	return side === "source" && (state === "copying" || state === "frozen");
}

customElements.define("move-story", MoveStory);
