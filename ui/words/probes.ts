import { msg } from "@lit/localize";
import { serviceTitle } from "./params.ts";

/** What a probe looked at, in the reader's language where it is known. */
export function probeWord(what: string): string {
	const words: Record<string, string> = {
		page: msg("Its page"),
		api: msg("Its interface for apps and other servers"),
		account: msg("Its first account, as others look it up"),
		process: msg("Its process"),
		storage: msg("Its storage: something kept, shown and deleted"),
	};
	return words[what] ?? what;
}

/** What was looked at while services were tried: `snac: page`, or something in the node's own words. */
export function checkWord(what: string): string {
	const [, service, probe] = /^([\w-]+): ([\w-]+)$/.exec(what) ?? [];
	return service && probe ? `${serviceTitle(service)}: ${probeWord(probe)}` : probeWord(what);
}
