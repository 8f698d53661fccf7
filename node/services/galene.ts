import type { Service } from "./service.ts";

/** https://galene.org/galene.html */
export const galene: Service = {
	name: "galene",
	title: "Galene",
	promise: "Video meetings and lectures in the browser; guests need nothing but the link",
	goodFor: "Meetings, lessons and office hours, from two people to some dozens",
	website: "https://galene.org",
	hosts: ["meet"],
	volumes: [],
	secrets: ["password"],
	needs: [],
	size: { memoryMiB: 128, diskMiB: 20, growth: "It does not grow: meetings are not kept, unless you record them" },
	account: "login",
};
