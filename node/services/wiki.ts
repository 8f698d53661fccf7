import type { Service } from "./service.ts";

/** http://fed.wiki.org, https://github.com/fedwiki/wiki */
export const wiki: Service = {
	name: "wiki",
	title: "Federated Wiki",
	promise: "A wiki of your own whose pages others can take over into theirs, change and give back",
	goodFor: "Notes, teaching and thinking together, where everybody keeps their own version",
	website: "https://fed.wiki",
	hosts: ["wiki"],
	volumes: [{ name: "data", kind: "directory" }],
	secrets: ["password", "cookie", "admin"],
	needs: [],
	size: { memoryMiB: 160, diskMiB: 10, growth: "Hardly: a page is some kilobytes; pictures count as what they are" },
	account: "login",
};
