import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Route, routeOf } from "../routes.ts";

/** Turns links inside the panel into pages without loading anything anew; Back and Forward work as anywhere. */
export class Router implements ReactiveController {
	route: Route;
	/** The path, to tell one page from the next of its kind. */
	path: string;
	readonly #host: ReactiveControllerHost;
	readonly #onArrival: () => void;

	/** `onArrival` is called after another page was chosen by a link or by `go`, not by Back. */
	constructor(host: ReactiveControllerHost, onArrival: () => void) {
		this.#host = host;
		this.#onArrival = onArrival;
		this.path = location.pathname;
		this.route = routeOf(this.path);
		host.addController(this);
	}

	hostConnected(): void {
		addEventListener("popstate", this.#read);
		document.addEventListener("click", this.#onClick);
	}

	hostDisconnected(): void {
		removeEventListener("popstate", this.#read);
		document.removeEventListener("click", this.#onClick);
	}

	/** Shows the page at an address of the panel. */
	go(address: string, { replace = false } = {}): void {
		if (replace) history.replaceState(null, "", address);
		else history.pushState(null, "", address);
		this.#read();
		this.#onArrival();
	}

	readonly #read = (): void => {
		this.path = location.pathname;
		this.route = routeOf(this.path);
		this.#host.requestUpdate();
	};

	readonly #onClick = (event: MouseEvent): void => {
		if (
			event.defaultPrevented ||
			event.button !== 0 ||
			event.metaKey ||
			event.ctrlKey ||
			event.shiftKey ||
			event.altKey
		)
			return;
		const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
		if (!link || link.target || link.hasAttribute("download") || !isPage(link)) return;
		event.preventDefault();
		this.go(link.pathname + link.search + link.hash);
	};
}

/** A link to a part of the same page is the browser's business, and so is every address that is no page of the panel. */
function isPage(link: HTMLAnchorElement): boolean {
	const samePage = link.pathname === location.pathname && link.hash !== "";
	return link.origin === location.origin && !samePage && routeOf(link.pathname).page !== "nowhere";
}
