import type { Client } from "#protocol/client.ts";
import type { Clock } from "./controllers/clock.ts";
import type { NoticeFeed } from "./controllers/notice-feed.ts";
import type { SessionKeeper } from "./controllers/session.ts";
import type { Language, Provider, ServiceCard } from "./views.ts";

/** What a page is handed: the node's API, who is there, and the few things that belong to the whole window. */
export interface Panel {
	readonly api: Client;
	/** `fetch` as the API uses it, for streams. */
	readonly send: typeof fetch;
	readonly clock: Clock;
	readonly session: SessionKeeper;
	readonly notices: NoticeFeed;
	readonly provider: Provider;
	readonly services: readonly ServiceCard[];
	/** Shows another page of the panel. */
	go(address: string): void;
	/** Has a screen reader say this when it next falls silent. */
	say(sentence: string): void;
	/** Switches all texts, remembers that in this browser and, for a customer, in the account. */
	speak(language: Language): Promise<void>;
}
