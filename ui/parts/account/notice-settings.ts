import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../../controllers/action.ts";
import { Form } from "../../controllers/form.ts";
import { Task } from "../../controllers/task.ts";
import type { Panel } from "../../panel.ts";
import type { NoticeSettings } from "../../views.ts";
import { sentenceOf } from "../../words/problems.ts";
import "../copy-text.ts";
import { failed, note, problem, waiting } from "../faces.ts";
import { field } from "../field.ts";
import { Part } from "../part.ts";

/** Over which channels the customer is told, besides the panel itself. */
export class AccountNoticeSettings extends Part {
	static override properties = { panel: { attribute: false }, secret: { state: true }, news: { state: true } };
	declare panel: Panel;
	/** The webhook's signing secret, told once after it was set. */
	declare secret: string | null;
	/** What the last button did. */
	declare news: string;

	readonly #task = new Task<NoticeSettings>(this, (signal) => this.panel.api("GET /me/notice-settings", { signal }));
	readonly #save = new Action<[Partial<NoticeSettings>]>(this, (part) => this.#change(part));
	readonly #test = new Action(this, async () => {
		await this.panel.api("POST /me/notice-settings/test");
		this.news = msg("A test is on its way over every channel; below is what becomes of it.");
		this.dispatchEvent(new Event("tested"));
	});
	readonly #form = new Form(this, {
		name: "webhook",
		checks: {
			webhook: (url) =>
				!url.trim() || URL.canParse(url.trim())
					? null
					: msg("Write a whole address, such as https://choir.example/hook"),
		},
		belongs: { "webhook-not-valid": "webhook" },
		say: sentenceOf,
		send: ({ webhook }) => this.#change({ webhook: webhook.trim() || null }),
	});

	protected override render() {
		return this.#task.render({ ready: (settings) => this.#all(settings), loading: () => waiting(3), failed });
	}

	#all(settings: NoticeSettings): TemplateResult {
		return html`<div class="stack">
			<div>
				${this.#switch(settings.mail, msg("By e-mail"), (mail) => this.#save.run({ mail }))}
				${this.#switch(settings.successes, msg("Also when something worked out; what went wrong always reaches you"), (successes) => this.#save.run({ successes }))}
				${this.#switch(settings.browser, msg("As a notification of this browser, while the panel is open somewhere"), this.#setBrowser)}
			</div>
			${this.#blocked(settings)}
			${this.#webhook(settings)}
			${problem(this.#save.error ?? this.#test.error)}
			<div role="status">${this.news ? html`<p>${this.news}</p>` : nothing}</div>
			<p><button type="button" class="button" aria-busy=${this.#test.busy} @click=${() => this.#test.run()}>${msg("Send a test")}</button></p>
		</div>`;
	}

	#switch(on: boolean, words: string, set: (on: boolean) => unknown): TemplateResult {
		return html`<label class="tick"><input type="checkbox" .checked=${on} @change=${(event: Event) => set((event.target as HTMLInputElement).checked)} /><span>${words}</span></label>`;
	}

	#webhook({ webhook }: NoticeSettings): TemplateResult {
		const form = this.#form;
		return html`<form class="stack tight" novalidate @submit=${form.submit}>
			${field(form, {
				name: "webhook",
				label: msg("Webhook"),
				hint: msg("Every notice is sent there as signed JSON (Standard Webhooks); empty switches it off"),
				type: "url",
				value: webhook ?? "",
				autocomplete: "off",
				placeholder: "https://",
				beside: html`<button class="button" aria-busy=${form.busy}>${msg("Save")}</button>`,
			})}
			${problem(form.error)}
			${
				this.secret
					? note(
							"good",
							html`<p>${msg("The secret that signs the messages. It is shown this once; keep it now.")}</p>
							<copy-text .text=${this.secret} .what=${msg("the secret")}></copy-text>`,
						)
					: nothing
			}
		</form>`;
	}

	/** The account wants it; this browser has to agree too. */
	#blocked({ browser }: NoticeSettings): TemplateResult | typeof nothing {
		const permission = typeof Notification === "undefined" ? "denied" : Notification.permission;
		if (!browser || permission === "granted") return nothing;
		if (permission === "denied")
			return note(
				"attention",
				html`<p>${msg("This browser does not let the panel notify you. Allow it in the browser's settings for this site.")}</p>`,
			);
		return html`<p><button type="button" class="button small" @click=${this.#ask}>${msg("Allow it in this browser")}</button></p>`;
	}

	readonly #ask = async (): Promise<void> => {
		await Notification.requestPermission();
		this.requestUpdate();
	};

	readonly #setBrowser = async (browser: boolean): Promise<void> => {
		if (browser && typeof Notification !== "undefined") await this.#ask();
		await this.#save.run({ browser });
	};

	async #change(part: Partial<NoticeSettings>): Promise<void> {
		const before = this.#task.value as NoticeSettings;
		const { settings, webhookSecret } = await this.panel.api("PUT /me/notice-settings", {
			body: { ...before, ...part },
		});
		this.secret = webhookSecret;
		this.#task.set(settings);
		this.panel.say(msg("Saved"));
	}
}

customElements.define("account-notice-settings", AccountNoticeSettings);
