/** Who provides, and what can be picked. */
import type { Answer } from "#protocol/client.ts";
import { catalogue } from "../../../node/services/catalogue.ts";

export type Provider = Answer<"GET /provider">;
export type Card = Answer<"GET /services">["items"][number];

export const north: Provider = {
	name: "North",
	promise: "Your own place in the Fediverse",
	place: "Machines in Oslo, under Norwegian law",
	url: "http://north.localhost",
	accent: "#1f5f8b",
	logo: null,
	terms: "/terms",
	help: "/help",
	keepDays: 30,
	customerSsh: true,
	zones: ["localhost"],
	engine: "local",
	demo: true,
	version: "0.1.0",
};

const missing: Readonly<Record<string, string>> = {
	mastodon: "NixOps4",
	pixelfed: "NixOps4",
	peertube: "NixOps4",
	galene: "galene",
	prosody: "prosody",
};

/** The real catalogue, on a node that lacks some programs. */
export const cards: Card[] = catalogue.map(({ name, title, promise, goodFor, website, needs, size, hosts }) => ({
	...{ name, title, promise, goodFor, website, size, needs: [...needs], host: hosts[0] ?? null },
	...(missing[name] ? cannot(missing[name]) : { canRun: true, why: null, whyCode: null, missing: null }),
}));

function cannot(missing: string): Pick<Card, "canRun" | "why" | "whyCode" | "missing"> {
	const whyCode = missing === "NixOps4" ? "needs-engine" : "needs-program";
	return { canRun: false, why: `It needs ${missing}`, whyCode, missing };
}
