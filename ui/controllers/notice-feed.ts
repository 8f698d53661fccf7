import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Client } from "#protocol/client.ts";
import type { Notice } from "../views.ts";
import { noticeSentence } from "../words/notices.ts";
import { Live } from "./live.ts";

interface Feeding {
	api: Client;
	send: typeof fetch;
	/** Whether anybody is there whose notices they are. */
	wanted: () => boolean;
	/** A notice came in just now. */
	arrived: (sentence: string) => void;
}

/** Only one tab of this browser listens, and tells the others: streams are few (six a site over HTTP/1.1). */
const tabs = "notices";

/** The newest notices, kept up to date as they come. */
export class NoticeFeed implements ReactiveController {
	latest: readonly Notice[] = [];
	readonly #host: ReactiveControllerHost;
	readonly #feeding: Feeding;
	readonly #live: Live;
	#channel: BroadcastChannel | undefined;
	#listening = false;
	#release = () => {};

	constructor(host: ReactiveControllerHost, feeding: Feeding) {
		this.#host = host;
		this.#feeding = feeding;
		this.#live = new Live(host, {
			href: () => (this.#listening ? "/api/v1/notices/events" : undefined),
			after: () => "",
			opened: () => void this.fetch(),
			hear: ({ data }) => this.#tell(JSON.parse(data) as Notice),
			send: feeding.send,
		});
		host.addController(this);
	}

	get unread(): number {
		return this.latest.filter(({ read }) => !read).length;
	}

	hostConnected(): void {
		this.#channel = new BroadcastChannel(tabs);
		this.#channel.onmessage = ({ data }) => this.#take(data as Notice | "read");
	}

	hostDisconnected(): void {
		this.#channel?.close();
		this.#release();
	}

	/** Begins anew, for whoever is there now. */
	async restart(): Promise<void> {
		this.#release();
		this.latest = [];
		if (!this.#feeding.wanted()) return;
		await this.fetch();
		void this.#listen();
	}

	/** Fetches the newest; what cannot be fetched now comes with the next one. */
	async fetch(): Promise<void> {
		const page = await this.#feeding.api("GET /notices", { query: { limit: 50 } }).catch(() => undefined);
		if (!page) return;
		this.latest = page.items;
		this.#host.requestUpdate();
	}

	/** Marks all as read, up to the newest. */
	async markRead(): Promise<void> {
		const newest = this.latest[0];
		if (!newest || this.unread === 0) return;
		await this.#feeding.api("POST /notices/read", { body: { upTo: newest.id } });
		this.#take("read");
		this.#channel?.postMessage("read");
	}

	/** Waits until it is this tab's turn to listen; a tab without locks (no https) listens by itself. */
	async #listen(): Promise<void> {
		const given = new AbortController();
		const held = new Promise<void>((resolve) => {
			this.#release = () => {
				given.abort();
				this.#listening = false;
				this.#live.stop();
				resolve();
			};
		});
		const listen = () => {
			this.#listening = true;
			this.#live.start();
			return held;
		};
		if (!navigator.locks) return listen();
		await navigator.locks.request(tabs, { signal: given.signal }, listen).catch(() => {});
	}

	#tell(notice: Notice): void {
		this.#take(notice);
		this.#channel?.postMessage(notice);
		if (document.hidden && mayShow()) void this.#showOutside(notice);
	}

	/** As a notification of the browser, if the customer wants that. */
	async #showOutside(notice: Notice): Promise<void> {
		const settings = await this.#feeding.api("GET /me/notice-settings").catch(() => undefined);
		if (!settings?.browser) return;
		const shown = new Notification(noticeSentence(notice), { tag: notice.id, lang: document.documentElement.lang });
		shown.onclick = () => {
			window.focus();
			if (notice.link) location.assign(notice.link);
		};
	}

	#take(news: Notice | "read"): void {
		if (news === "read") this.latest = this.latest.map((notice) => ({ ...notice, read: true }));
		else if (!this.latest.some(({ id }) => id === news.id)) {
			this.latest = [news, ...this.latest];
			this.#feeding.arrived(noticeSentence(news));
		}
		this.#host.requestUpdate();
	}
}

function mayShow(): boolean {
	return typeof Notification !== "undefined" && Notification.permission === "granted";
}
