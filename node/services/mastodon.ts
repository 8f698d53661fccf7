import type { Service } from "./service.ts";

/** https://docs.joinmastodon.org */
export const mastodon: Service = {
	name: "mastodon",
	title: "Mastodon",
	promise: "A social network of short posts, with everything people know from Mastodon",
	goodFor: "Organisations and communities with many accounts and somebody who moderates",
	website: "https://joinmastodon.org",
	hosts: ["social"],
	volumes: [
		{ name: "database", kind: "postgres" },
		{ name: "media", kind: "bucket" },
		{ name: "keys", kind: "secret" },
	],
	secrets: ["password", "secret-key-base", "vapid", "active-record"],
	needs: ["garage"],
	size: {
		memoryMiB: 3072,
		diskMiB: 4096,
		growth: "Mostly by pictures and videos of the accounts you follow: expect 10 to 50 GB in a year for 50 people",
	},
	account: "handle",
	signsInWith: "email",
};
