import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import "../parts/account/deliveries.ts";
import type { AccountDeliveries } from "../parts/account/deliveries.ts";
import "../parts/account/notice-settings.ts";
import "../parts/account/password.ts";
import "../parts/account/profile.ts";
import "../parts/account/sessions.ts";
import type { AccountSessions } from "../parts/account/sessions.ts";
import "../parts/account/ssh-keys.ts";
import "../parts/account/tokens.ts";
import "../parts/account/vouchers.ts";
import { Page } from "../parts/part.ts";

/** Everything about the customer, each part fetched and saved by itself. */
export class PageAccount extends Page {
	protected get heading() {
		return msg("Account");
	}

	protected override render() {
		const parts = this.#parts();
		return html`
			<div class="stack tight">
				<h1>${this.heading}</h1>
				<nav class="contents" aria-label=${msg("On this page")}>${parts.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
			</div>
			${parts.map(
				({ id, title, body }) => html`<section class="part card" id=${id} aria-labelledby="${id}-title">
					<h2 id="${id}-title">${title}</h2>${body}
				</section>`,
			)}`;
	}

	#parts(): { id: string; title: string; body: TemplateResult }[] {
		const { panel } = this;
		return [
			{
				id: "profile",
				title: msg("Name and language"),
				body: html`<account-profile .panel=${panel}></account-profile>`,
			},
			{ id: "vouchers", title: msg("Vouchers"), body: html`<account-vouchers .panel=${panel}></account-vouchers>` },
			{
				id: "notice-settings",
				title: msg("How you are told"),
				body: html`<account-notice-settings .panel=${panel} @tested=${this.#onTested}></account-notice-settings>
					<h3>${msg("What was sent")}</h3><account-deliveries .panel=${panel}></account-deliveries>`,
			},
			{
				id: "password",
				title: msg("Password"),
				body: html`<account-password .panel=${panel} @changed=${this.#onPassword}></account-password>`,
			},
			{
				id: "sessions",
				title: msg("Where you are signed in"),
				body: html`<account-sessions .panel=${panel}></account-sessions>`,
			},
			{ id: "tokens", title: msg("API tokens"), body: html`<account-tokens .panel=${panel}></account-tokens>` },
			{ id: "ssh-keys", title: msg("SSH keys"), body: html`<account-ssh-keys .panel=${panel}></account-ssh-keys>` },
		];
	}

	readonly #onPassword = (): void => this.querySelector<AccountSessions>("account-sessions")?.refresh();

	readonly #onTested = (): void => this.querySelector<AccountDeliveries>("account-deliveries")?.refresh();
}

customElements.define("page-account", PageAccount);
