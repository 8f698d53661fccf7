import type { Service } from "./service.ts";

/** https://garagehq.deuxfleurs.fr/documentation/ */
export const garage: Service = {
	name: "garage",
	title: "Garage",
	promise: "The storage in which other services keep pictures and videos",
	goodFor: "Mastodon, PeerTube and Pixelfed; they cannot do without it",
	website: "https://garagehq.deuxfleurs.fr",
	hosts: ["media"],
	volumes: [
		{ name: "metadata", kind: "directory" },
		{ name: "data", kind: "directory" },
	],
	secrets: ["rpc", "admin", "metrics", "key"],
	needs: [],
	size: { memoryMiB: 256, diskMiB: 512, growth: "By what the other services put into it" },
	account: "none",
};
