import type { Service } from "./service.ts";

/** https://docs.gotosocial.org */
export const gotosocial: Service = {
	name: "gotosocial",
	title: "GoToSocial",
	promise: "A lightweight Fediverse server with careful privacy and safety settings; you bring the app of your choice",
	goodFor: "People, families and small groups who use a Mastodon app rather than a website",
	website: "https://gotosocial.org",
	hosts: ["social"],
	volumes: [
		{ name: "database", kind: "sqlite" },
		{ name: "storage", kind: "directory" },
	],
	secrets: ["password"],
	needs: [],
	size: {
		memoryMiB: 350,
		diskMiB: 200,
		growth:
			"Mostly by pictures of the accounts you follow, which are dropped after a week: expect 2 to 10 GB in a year",
	},
	account: "handle",
	signsInWith: "email",
};
