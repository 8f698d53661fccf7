/** Where a request of one host name belongs. */
export type Destination =
	/** The node's own pages and API, answered in this process. */
	| { readonly kind: "panel" }
	/** An HTTP listener: a service, or another gateway behind this one. `host` is 127.0.0.1 unless said. */
	| { readonly kind: "service"; readonly port: number; readonly host?: string }
	/** Services that have moved: the other node's door, such as `https://south.example`; it is asked under the same host name. */
	| { readonly kind: "away"; readonly front: string }
	/** A service that is there but must not be asked now; `retryAfter` in seconds. */
	| { readonly kind: "wait"; readonly why: Wait; readonly retryAfter: number }
	/** No host name of ours. Never say this of a service that will come back: other servers give up on it for good. */
	| { readonly kind: "unknown" };

export type Wait = "starting" | "frozen" | "stopped";

/**
 * The gateway's question, asked for every request, so it must answer from memory.
 * `host` is in lower case, without port and final dot, internationalised names as A-labels (`xn--…`); empty when the
 * client named none (HTTP/1.0).
 */
export type Find = (host: string) => Destination;
