import { Problem } from "#protocol/problem.ts";
import { looksPublic } from "../peers/public-address.ts";

/**
 * The address of a webhook in its one spelling; throws `webhook-not-valid` for one that cannot be public.
 * Where a name leads is looked at each time it is used, by `publicLookup`.
 */
export function webhookAddress(text: string, privateToo: boolean): string {
	const url = URL.parse(text);
	const fits =
		url !== null &&
		!url.username &&
		!url.password &&
		(privateToo ? /^https?:$/.test(url.protocol) : url.protocol === "https:" && looksPublic(url.hostname));
	if (!fits) throw new Problem("webhook-not-valid", { url: url ? `${url.protocol}//${url.host}` : text.slice(0, 100) });
	url.hash = "";
	return url.href;
}
