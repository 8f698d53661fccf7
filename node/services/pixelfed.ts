import type { Service } from "./service.ts";

/** https://docs.pixelfed.org */
export const pixelfed: Service = {
	name: "pixelfed",
	title: "Pixelfed",
	promise: "A social network for photographs, in the order in which they were taken and without advertisements",
	goodFor: "Photographers, clubs and families who share pictures",
	website: "https://pixelfed.org",
	hosts: ["photos"],
	volumes: [
		{ name: "database", kind: "postgres" },
		{ name: "photos", kind: "bucket" },
		{ name: "files", kind: "directory" },
	],
	secrets: ["password", "app-key"],
	needs: ["garage"],
	size: {
		memoryMiB: 1024,
		diskMiB: 2048,
		growth: "By the photographs: about 1 GB for every 1,000 of them",
	},
	account: "handle",
	signsInWith: "email",
};
