import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Panel } from "../panel.ts";
import type { PageName } from "../routes.ts";
import type { Language } from "../views.ts";
import { language, languageNames } from "../words/language.ts";
import { icon } from "./icons.ts";

export function skipLink(): TemplateResult {
	return html`<a class="skip" href="#main">${msg("To the content")}</a>`;
}

/** A line above everything while nobody answers. */
export function offline(reached: boolean): TemplateResult | typeof nothing {
	if (reached && navigator.onLine) return nothing;
	return html`<p class="banner" role="status">
		${
			navigator.onLine
				? msg("The node does not answer. What you see may be old; it is asked again and again.")
				: msg("You are offline. What you see may be old; nothing you typed is lost.")
		}
	</p>`;
}

export function header(panel: Panel, page: PageName): TemplateResult {
	const { me } = panel.session;
	return html`<header class="top">
		<a class="brand" href=${me ? "/home" : "/"}>${emblem(panel)}<span>${panel.provider.name}</span></a>
		${me ? rooms(panel, page) : nothing}
		${me ? who(panel, me.name) : visitor(page)}
	</header>`;
}

export function footer(panel: Panel): TemplateResult {
	const { terms, help, demo, version } = panel.provider;
	return html`<footer class="foot">
		${help ? html`<a href=${help}>${msg("Help")}</a>` : nothing}
		${terms ? html`<a href=${terms}>${msg("Terms")}</a>` : nothing}
		<span>Fediversity Node ${version}${demo ? html` · ${msg("demo")}` : nothing}</span>
		<div class="languages" role="group" aria-label=${msg("Language")}>
			${Object.entries(languageNames).map(
				([code, name]) => html`<button type="button" class="plain-button" lang=${code}
					aria-pressed=${code === language()} @click=${() => panel.speak(code as Language)}>${name}</button>`,
			)}
		</div>
	</footer>`;
}

function emblem({ provider }: Panel): TemplateResult {
	return provider.logo
		? html`<img src=${provider.logo} alt="" />`
		: html`<span class="monogram" aria-hidden="true">${[...provider.name][0]}</span>`;
}

function rooms({ notices, session }: Panel, page: PageName): TemplateResult {
	const unread = notices.unread;
	const here = (...pages: PageName[]) => (pages.includes(page) ? "page" : nothing);
	return html`<nav class="rooms" aria-label=${msg("Main")}>
		<a href="/home" aria-current=${here("home", "deployment", "job", "move", "move-in")}>${icon("home")}${msg("Home")}</a>
		<a href="/new" aria-current=${here("new")}>${icon("add")}${msg("New")}</a>
		<a href="/notices" aria-current=${here("notices")}>${icon("bell")}${msg("Notices")}
			${unread ? html`<span class="count">${unread}<span class="unseen"> ${msg("unread")}</span></span>` : nothing}</a>
		<a href="/account" aria-current=${here("account")}>${icon("person")}${msg("Account")}</a>
		${
			session.me?.staff
				? html`<a href="/provider" aria-current=${here("provider", "provider-moves", "provider-findings")}>${icon("store")}${msg("Provider")}</a>`
				: nothing
		}
	</nav>`;
}

function who(panel: Panel, name: string): TemplateResult {
	const signOut = async () => {
		await panel.session.signOut();
		panel.go("/");
	};
	return html`<div class="who">
		<span class="name" title=${msg(str`Signed in as ${name}`)}>${name}</span>
		<button type="button" class="plain-button" @click=${signOut}>${msg("Sign out")}</button>
	</div>`;
}

function visitor(page: PageName): TemplateResult {
	return html`<div class="who">
		${page === "sign-in" ? html`<a class="button small" href="/sign-up">${msg("Sign up")}</a>` : html`<a class="button small" href="/sign-in">${msg("Sign in")}</a>`}
	</div>`;
}
