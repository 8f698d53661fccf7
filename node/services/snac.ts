import type { Service } from "./service.ts";

/** https://codeberg.org/grunfink/snac2, snac(8) */
export const snac: Service = {
	name: "snac",
	title: "snac",
	promise: "A small, quick Fediverse server that works with every Mastodon app",
	goodFor: "One person or a handful of people who want to be on the Fediverse without ado",
	website: "https://codeberg.org/grunfink/snac2",
	hosts: ["social"],
	volumes: [{ name: "data", kind: "directory" }],
	secrets: ["password"],
	needs: [],
	size: {
		memoryMiB: 32,
		diskMiB: 20,
		growth: "Slowly: posts of those you follow are dropped after four months; expect some 100 MB in a year",
	},
	account: "handle",
};
