import { html, type LitElement, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { client } from "#protocol/client.ts";
import { Clock } from "./controllers/clock.ts";
import { NoticeFeed } from "./controllers/notice-feed.ts";
import { Router } from "./controllers/router.ts";
import { sender } from "./controllers/sending.ts";
import { SessionKeeper } from "./controllers/session.ts";
import { applyAccent } from "./look/accent.ts";
import { pages } from "./pages/pages.ts";
import type { Panel } from "./panel.ts";
import { footer, header, offline, skipLink } from "./parts/frame.ts";
import type { PageLater } from "./parts/page-later.ts";
import { Part } from "./parts/part.ts";
import { startFailed, starting } from "./parts/start.ts";
import { needsCustomer, type PageName } from "./routes.ts";
import type { Language, Provider, ServiceCard } from "./views.ts";
import { chooseLanguage, preferredLanguage, setLanguage } from "./words/language.ts";
import { nameServices } from "./words/params.ts";

/** The window: it starts the panel, frames every page, and knows who is there. */
export class FediversePanel extends Part implements Panel {
	readonly clock = new Clock();
	readonly send = sender((input, init) => fetch(input, init), {
		clock: this.clock,
		onSignedOut: () => this.session.ended(),
		onReached: (reached) => this.#setReached(reached),
	});
	readonly api = client(this.send);
	readonly session = new SessionKeeper(this.api, () => this.#onSession());
	readonly notices = new NoticeFeed(this, {
		api: this.api,
		send: this.send,
		wanted: () => this.session.me !== null,
		arrived: (sentence) => this.say(sentence),
	});
	readonly #router = new Router(this, () => void this.#arrive());

	provider!: Provider;
	services: readonly ServiceCard[] = [];
	#state: "starting" | "failed" | "ready" = "starting";
	#error: unknown;
	#reached = true;
	#spoken = "";

	override connectedCallback(): void {
		super.connectedCallback();
		for (const change of ["online", "offline"]) addEventListener(change, () => this.requestUpdate());
		void this.start();
	}

	/** Fetches what every page needs; after a failure it can be tried again. */
	readonly start = async (): Promise<void> => {
		this.#state = "starting";
		await setLanguage(preferredLanguage());
		this.requestUpdate();
		try {
			const answers = [this.api("GET /provider"), this.api("GET /services"), this.session.open()] as const;
			const [provider, { items }] = await Promise.all(answers);
			this.provider = provider;
			this.services = items;
			nameServices(items);
			applyAccent(document.documentElement, provider.accent);
			await setLanguage(preferredLanguage(this.session.me?.language));
			this.#state = "ready";
		} catch (error) {
			this.#error = error;
			this.#state = "failed";
		}
		this.requestUpdate();
	};

	go = (address: string): void => this.#router.go(address);

	say(sentence: string): void {
		this.#spoken = sentence;
		this.requestUpdate();
	}

	async speak(language: Language): Promise<void> {
		await chooseLanguage(language);
		if (this.session.me && this.session.me.language !== language) await this.session.change({ language });
	}

	protected override render() {
		if (this.#state === "starting") return starting();
		if (this.#state === "failed") return startFailed(this.#error, this.start);
		const page = this.#page();
		const inside = this.session.me !== null && page !== "front";
		return html`${skipLink()}${offline(this.#reached)}
			<div class="frame ${inside ? "inside" : "outside"}">
				${header(this, page)}
				<main id="main" tabindex="-1">${keyed(`${page} ${this.#router.path}`, pages[page](this, this.#router.route.params))}</main>
				${footer(this)}
			</div>
			<div class="unseen" aria-live="polite">${this.#spoken || nothing}</div>`;
	}

	/** What belongs to the window may show on the page too. */
	protected override updated(): void {
		for (const page of this.querySelectorAll<LitElement>("main > *")) page.requestUpdate?.();
	}

	/** Pages for customers show the sign-in form to everybody else, and themselves again afterwards. */
	#page(): PageName {
		const { page } = this.#router.route;
		return needsCustomer(page) && !this.session.me ? "sign-in" : page;
	}

	/** A new page begins at its top, and a screen reader with its heading. */
	async #arrive(): Promise<void> {
		await this.updateComplete;
		await new Promise(requestAnimationFrame);
		await this.querySelector<PageLater>("page-later")?.arrived;
		if (location.hash) return document.getElementById(location.hash.slice(1))?.scrollIntoView();
		scrollTo(0, 0);
		const heading = this.querySelector<HTMLElement>("main h1");
		heading?.setAttribute("tabindex", "-1");
		heading?.focus({ preventScroll: true });
	}

	#onSession(): void {
		void this.notices.restart();
		if (this.session.me) void setLanguage(preferredLanguage(this.session.me.language));
		this.requestUpdate();
	}

	#setReached(reached: boolean): void {
		if (reached === this.#reached) return;
		this.#reached = reached;
		this.requestUpdate();
	}
}

customElements.define("fediverse-panel", FediversePanel);
