import { expect, test } from "vitest";
import { eventsOf, type ServerEvent } from "./event-stream.ts";

function stream(...chunks: string[]): ReadableStream<Uint8Array> {
	const bytes = new TextEncoder();
	return new ReadableStream({
		start(controller) {
			for (const chunk of chunks) controller.enqueue(bytes.encode(chunk));
			controller.close();
		},
	});
}

test("reads events however the network cuts them, in the middle of a letter too", async () => {
	const whole = new TextEncoder().encode('id: 7\nevent: step\ndata: {"title":"Grüße"}\n\n');
	for (let cut = 1; cut < whole.length; cut++) {
		const body = new ReadableStream<Uint8Array>({
			start(controller) {
				controller.enqueue(whole.slice(0, cut));
				controller.enqueue(whole.slice(cut));
				controller.close();
			},
		});
		const events = await all(eventsOf(body));
		expect(events, `cut at ${cut}`).toEqual([{ id: "7", event: "step", data: '{"title":"Grüße"}' }]);
	}
});

test("keeps the id until another comes, joins lines of data, and takes \\r\\n", async () => {
	const events = await all(eventsOf(stream("id: 3\r\ndata: a\r\ndata: b\r", "\n\r\ndata:c\n\n")));
	expect(events).toEqual([
		{ id: "3", event: "message", data: "a\nb" },
		{ id: "3", event: "message", data: "c" },
	]);
});

test("takes comments as signs of life, and an event without its end as none", async () => {
	let alive = 0;
	const events = await all(eventsOf(stream(":\n\n", ": still here\n\n", "data: cut off"), () => alive++));
	expect(events).toEqual([]);
	expect(alive).toBeGreaterThan(1);
});

async function all(events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
	const found: ServerEvent[] = [];
	for await (const event of events) found.push(event);
	return found;
}
