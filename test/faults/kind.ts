import type { Passage } from "./internet.ts";

/** What one node asks of the other, and in which session. */
export function kindOf(url: string, body: Buffer): Pick<Passage, "kind" | "sid"> {
	const [, sid, below] = /^\/migrate\/([\w-]{22})(?:\/([a-z]+))?/.exec(url) ?? [];
	if (sid === undefined) return { kind: url.split("?")[0]?.split("/").at(-1) || "page", sid: undefined };
	if (below !== undefined) return { kind: below, sid };
	try {
		const { object } = JSON.parse(body.toString()) as { object: { content: string } };
		const { kind, content } = JSON.parse(object.content) as { kind: string; content: { final?: boolean } };
		return { kind: kind === "manifest" && content.final ? "final" : kind, sid };
	} catch {
		return { kind: "nothing", sid };
	}
}
