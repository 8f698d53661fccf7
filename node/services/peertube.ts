import type { Service } from "./service.ts";

/** https://docs.joinpeertube.org */
export const peertube: Service = {
	name: "peertube",
	title: "PeerTube",
	promise: "Your own place for videos and live streams that others can follow and comment on",
	goodFor: "Those who publish videos and do not want somebody else's advertisements beside them",
	website: "https://joinpeertube.org",
	hosts: ["videos"],
	volumes: [
		{ name: "database", kind: "postgres" },
		{ name: "videos", kind: "bucket" },
		{ name: "files", kind: "directory" },
	],
	secrets: ["password", "secret"],
	needs: ["garage"],
	size: {
		memoryMiB: 2048,
		diskMiB: 4096,
		growth: "By what you upload: about 2 to 5 GB for each hour of video, since it is kept in several sizes",
	},
	account: "handle",
};
