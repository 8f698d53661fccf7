/** One server-sent event. */
export interface ServerEvent {
	id: string;
	event: string;
	data: string;
}

/**
 * Reads `text/event-stream` (HTML, "Server-sent events") from an answer's body. Comments are heartbeats: they pass
 * `alive` and yield nothing. Ends when the body ends.
 */
export async function* eventsOf(
	body: ReadableStream<Uint8Array>,
	alive: () => void = () => {},
): AsyncGenerator<ServerEvent> {
	let id = "";
	let fields: Record<string, string> = {};
	for await (const line of linesOf(body)) {
		alive();
		if (line === "") {
			if (fields["data"] !== undefined) yield { id, event: fields["event"] ?? "message", data: fields["data"] };
			fields = {};
			continue;
		}
		const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
		if (name === "id") id = value;
		else if (name === "data" && fields["data"] !== undefined) fields["data"] += `\n${value}`;
		else if (name) fields[name] = value;
	}
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
	const reader = body.getReader();
	const decoder = new TextDecoder();
	let rest = "";
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
			rest = lines.pop() ?? "";
			yield* lines;
		}
	} finally {
		await reader.cancel().catch(() => {});
	}
}
