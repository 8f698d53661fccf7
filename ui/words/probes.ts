import { msg } from "@lit/localize";

/** What a probe looked at, in the reader's language where it is known. */
export function probeWord(what: string): string {
	const words: Record<string, string> = {
		page: msg("Its page"),
		api: msg("Its API"),
		webfinger: msg("Its name in the Fediverse (WebFinger)"),
		nodeinfo: msg("What it says of itself (NodeInfo)"),
		process: msg("Its process"),
	};
	return words[what] ?? what;
}
