import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { getLogger } from "@logtape/logtape";
import type { WebContext } from "./implement.ts";

/** One event: `seq` becomes its `id:`, `data` is sent as JSON. */
export interface StreamEvent {
	readonly seq: number;
	readonly event: string;
	readonly data: unknown;
}

/** Gives the events after one (undefined: the reader has seen none yet) until the signal is aborted or there are no more. */
export type EventSource = (after: number | undefined, signal: AbortSignal) => AsyncIterable<StreamEvent>;

interface Pace {
	/** Milliseconds between signs of life; proxies and phones cut what is silent for longer than 15 s or so. */
	beat: number;
	/** Milliseconds a browser waits before it comes back. */
	retry: number;
	/** Milliseconds after which a reader that takes nothing is dropped. */
	patience: number;
}

const ordinary: Pace = { beat: 10_000, retry: 2000, patience: 60_000 };

interface Sink {
	/** False when the reader is behind and nothing more should be sent until `drained`. */
	write(text: string): boolean;
	drained(signal: AbortSignal): Promise<unknown>;
	end(): void;
}

const headers = {
	"content-type": "text/event-stream; charset=utf-8",
	"cache-control": "no-store",
	"x-accel-buffering": "no",
	"x-content-type-options": "nosniff",
};

/**
 * Server-sent events (HTML Standard, 9.2). Comes back where `Last-Event-ID` left off, sends a comment now and then,
 * waits for slow readers, and ends when the reader goes or its session is over.
 * Writes to Node's own response where there is one: that takes half the memory of a web stream.
 */
export function eventStream(c: WebContext, events: EventSource, pace: Partial<Pace> = {}): Response {
	if (c.req.raw.method === "HEAD") return new Response(null, { headers });
	const reading = new AbortController();
	const stream = {
		reading,
		events: events(lastSeen(c), reading.signal),
		valid: c.get("caller")?.valid,
		pace: { ...ordinary, ...pace },
	};
	const outgoing = c.env?.outgoing;
	if (!outgoing) return new Response(webStream(stream), { headers });
	if (!outgoing.destroyed) follow(outgoing, stream);
	return alreadySent();
}

interface Stream {
	readonly reading: AbortController;
	readonly events: AsyncIterable<StreamEvent>;
	readonly valid: (() => boolean) | undefined;
	readonly pace: Pace;
}

/** Apart from `eventStream`, so that what lives as long as the stream holds nothing of the request. */
function follow(outgoing: ServerResponse, stream: Stream): void {
	const { reading } = stream;
	outgoing.writeHead(200, headers);
	outgoing.once("close", () => reading.abort());
	outgoing.on("error", () => reading.abort());
	void pump(nodeSink(outgoing), stream);
}

async function pump(sink: Sink, { events, reading, valid, pace }: Stream) {
	const { beat, retry, patience } = pace;
	let behind = 0;
	const heart = setInterval(() => {
		if (reading.signal.aborted) return;
		if (valid?.() === false || behind * beat > patience) reading.abort();
		else behind = sink.write(":\n\n") ? 0 : behind + 1;
	}, beat);
	try {
		sink.write(`retry: ${retry}\n\n`);
		for await (const { seq, event, data } of events) {
			if (reading.signal.aborted) break;
			const ready = sink.write(`id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
			if (!ready) await sink.drained(reading.signal);
		}
	} catch (error) {
		if (!reading.signal.aborted)
			getLogger(["fediversity", "web"]).error("A stream of events broke: {error}", { error });
	} finally {
		clearInterval(heart);
		sink.end();
	}
}

function nodeSink(outgoing: ServerResponse): Sink {
	return {
		write: (text) => outgoing.write(text),
		drained: (signal) => once(outgoing, "drain", { signal }),
		// Who has stopped reading will not read the end either.
		end: () => void (outgoing.writableNeedDrain ? outgoing.destroy() : outgoing.end()),
	};
}

function webStream(stream: Stream): ReadableStream<Uint8Array> {
	const bytes = new TextEncoder();
	let wanted: (() => void) | undefined;
	let open = true;
	return new ReadableStream<Uint8Array>({
		start(controller) {
			const sink: Sink = {
				write(text) {
					if (open) controller.enqueue(bytes.encode(text));
					return (controller.desiredSize ?? 0) > 0;
				},
				drained: (signal) =>
					new Promise<void>((resolve) => {
						wanted = resolve;
						signal.addEventListener("abort", () => resolve(), { once: true });
					}),
				end() {
					if (open) controller.close();
					open = false;
				},
			};
			void pump(sink, stream);
		},
		pull: () => wanted?.(),
		cancel() {
			open = false;
			stream.reading.abort();
		},
	});
}

function lastSeen(c: WebContext): number | undefined {
	const seen = c.req.header("last-event-id");
	return seen && /^\d{1,15}$/.test(seen) ? Number(seen) : undefined;
}

/** Tells @hono/node-server that the answer is on its way. Its lightweight Response looks at that mark only once `body` was read. */
function alreadySent(): Response {
	const response = new Response(null, { headers: { "x-hono-already-sent": "true" } });
	void response.body;
	return response;
}
