import type { Service } from "./service.ts";

/** https://prosody.im/doc */
export const prosody: Service = {
	name: "prosody",
	title: "Prosody",
	promise: "Chat by XMPP, the open standard, with apps that connect over the web",
	goodFor: "Families, clubs and teams who chat among themselves",
	website: "https://prosody.im",
	hosts: ["chat"],
	volumes: [{ name: "data", kind: "directory" }],
	secrets: ["password"],
	needs: [],
	size: { memoryMiB: 64, diskMiB: 20, growth: "Slowly: messages are small, and files are dropped after some days" },
	account: "login",
	signsInWith: "address",
};
