import { expect, test } from "vitest";
import type { Service } from "../services/service.ts";
import { chosen, planOf } from "./plan.ts";

const service = (name: string, host: string | null, needs: string[] = []): Service => ({
	name,
	title: name.toUpperCase(),
	promise: "",
	goodFor: "",
	website: "",
	hosts: host ? [host] : [],
	volumes: [],
	secrets: [],
	needs,
	size: { memoryMiB: 1, diskMiB: 1, growth: "" },
	account: "login",
});
const catalogue = [
	service("photos", "photos", ["store"]),
	service("store", "media"),
	service("micro", "social"),
	service("macro", "social"),
];
const wish = (services: string[]) => ({
	deployment: "d1",
	domain: "choir.example",
	services,
	owner: { username: "ada", email: "ada@choir.example" },
});
const plan = (...names: string[]) => planOf(wish(names), chosen(names, catalogue), (host) => `https://${host}`);

test("each service gets its host under the domain, and what others need comes first", () => {
	expect(plan("photos", "store", "photos").services).toEqual([
		{ name: "store", hosts: ["media.choir.example"], origin: "https://media.choir.example", owner: wish([]).owner },
		{ name: "photos", hosts: ["photos.choir.example"], origin: "https://photos.choir.example", owner: wish([]).owner },
	]);
});

test.each([
	[[], "services-empty", {}],
	[["nothing"], "service-unknown", { service: "nothing" }],
	[["photos"], "service-needs", { service: "PHOTOS", needs: "STORE" }],
	[["micro", "macro"], "service-clash", { service: "MACRO", other: "MICRO", host: "social.choir.example" }],
])("choosing %j is refused as %s", (names, code, params) => {
	expect(() => plan(...names)).toThrowError(expect.objectContaining({ code, params }));
});
