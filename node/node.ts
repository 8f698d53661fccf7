import type { IncomingMessage, ServerResponse } from "node:http";
import { getLogger } from "@logtape/logtape";
import type { Config, Listen } from "./config.ts";
import type { Doors } from "./doors.ts";
import { Gateway } from "./gateway/gateway.ts";
import type { Life } from "./life.ts";
import type { Surroundings } from "./parts.ts";
import { publicLookup } from "./peers/public-address.ts";
import { Front } from "./web/front.ts";
import { panelFolder } from "./web/panel-files.ts";

export interface Node {
	readonly address: Listen;
	/** Ends everything it started; services in its care too. A second call waits for the first. */
	close(): Promise<void>;
}

/** How long requests under way may take to end when the node stops. Whoever waits for news comes back by themselves. */
const closingGrace = 1000;

const log = getLogger(["fediversity", "node"]);

/** Opens a whole node: it listens when this resolves, and goes on with whatever it did when it last ended. */
export async function openNode(config: Config, surroundings: Surroundings): Promise<Node> {
	const panel = new URL(config.web.url).hostname;
	const opened = Promise.withResolvers<Life>();
	// Whoever waits for it hears why it does not open; if nobody does, openNode says it.
	opened.promise.catch(() => {});
	let life: Life | undefined;
	const reception = receptionOf(config, async () => (await opened.promise).doors());
	const gateway = new Gateway({
		// Until the node knows what it has, other servers must not take that for the end of a service.
		find: (host) =>
			host === panel ? { kind: "panel" } : (life?.find(host) ?? { kind: "wait", why: "starting", retryAfter: 3 }),
		panel: reception.receive,
		about: { provider: config.provider.name, panel: config.web.url },
		trustProxy: config.web.trustProxy,
		counted: (...request) => life?.counted(...request),
		...(config.web.listenTls && {
			secure: { fallback: panel, contextFor: async (host) => (await opened.promise).contextFor(host) },
		}),
		// The new provider says where it takes requests: that must not lead into this machine or its networks.
		...(config.demo === null && { lookup: publicLookup }),
	});
	const port = await gateway.listen(config.web.listen);
	try {
		if (config.web.listenTls) await gateway.listenSecurely(config.web.listenTls);
		await reception.visited();
		const { openLife } = await import("./life.ts");
		life = openLife(config, surroundings);
		opened.resolve(life);
		// The operators' socket also says that no other node is at work on this state, so nothing else begins before it is open.
		reception.open(await life.doors());
	} catch (error) {
		opened.reject(error);
		await gateway.close(0);
		throw error;
	}
	life.begin();
	const { close } = life;
	let closing: Promise<void> | undefined;
	return {
		address: { host: config.web.listen.host, port },
		close: () => (closing ??= close(() => gateway.close(closingGrace))),
	};
}

/**
 * Who comes for the panel right after the start gets its page at once; whatever needs the API waits until that is loaded,
 * which keeps the process from answering for a moment. `visited` lasts until the first visitor has the page, but not long.
 */
function receptionOf(config: Config, doors: () => Promise<Doors>) {
	const front = new Front(panelFolder, config.web.url, config.provider.logo);
	const visit = Promise.withResolvers<void>();
	let open: Doors | undefined;
	return {
		async receive(request: IncomingMessage, response: ServerResponse) {
			if (open) return open.panel(request, response);
			// Not before the answer is on its way: loading keeps the process from sending it.
			response.once("close", visit.resolve);
			try {
				if (!(await front.answer(request, response))) (await doors()).panel(request, response);
			} catch (error) {
				log.error("The panel cannot be opened: {error}", { error });
				response.writeHead(503, { "retry-after": "10" }).end();
			}
		},
		async visited() {
			const timer = setTimeout(visit.resolve, 100);
			await visit.promise;
			clearTimeout(timer);
		},
		open(made: Doors) {
			open = made;
		},
	};
}
