import { msg, str } from "@lit/localize";
import type { ServiceCard } from "../views.ts";
import { serviceTitle } from "./params.ts";
import { translated } from "./translated.ts";

/** The card's texts in the reader's language. */
export function cardWords({ promise, goodFor, size }: ServiceCard) {
	return { promise: translated(promise), goodFor: translated(goodFor), growth: translated(size.growth) };
}

/** Why this node cannot run a service. */
export function whyNot({ why, whyCode, missing }: Pick<ServiceCard, "why" | "whyCode" | "missing">): string {
	const name = missing ? serviceTitle(missing) : "";
	if (whyCode === "needs-engine") return msg(str`It needs the ${name} engine, which this node does not have`);
	if (whyCode === "needs-program") return msg(str`It needs ${name}, which is not installed on this node`);
	if (whyCode === "needs-platform") return msg(str`It needs ${name}, and this node is something else`);
	return why ?? msg("This node cannot run it");
}

const kinds = {
	posts: ["snac", "gotosocial", "mastodon"],
	photos: ["pixelfed"],
	videos: ["peertube"],
	meet: ["galene"],
	wiki: ["wiki"],
	chat: ["prosody"],
	store: ["garage", "postgres"],
} as const;

export type ServiceKind = keyof typeof kinds | "other";

/** What a service is about, for its picture. */
export function serviceKind(name: string): ServiceKind {
	const found = Object.entries(kinds).find(([, names]) => (names as readonly string[]).includes(name));
	return (found?.[0] as ServiceKind | undefined) ?? "other";
}

/** How its first account is found from elsewhere in the Fediverse; null where it is only for signing in. */
export function handleOf(name: string, username: string, host: string): string | null {
	return ["posts", "photos", "videos"].includes(serviceKind(name)) ? `@${username}@${host}` : null;
}
