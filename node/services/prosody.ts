import type { Service } from "./service.ts";

/** https://prosody.im/doc */
export const prosody: Service = {
	name: "prosody",
	title: "Prosody",
	promise: "Chat by XMPP, the open standard: with every XMPP app, and with people on other servers",
	goodFor: "Families, clubs and teams who chat and want to choose their app themselves",
	website: "https://prosody.im",
	hosts: ["chat"],
	volumes: [{ name: "data", kind: "directory" }],
	secrets: ["password"],
	needs: [],
	size: { memoryMiB: 64, diskMiB: 20, growth: "Slowly: messages are small, and files are dropped after some days" },
	account: "login",
	signsInWith: "address",
};
