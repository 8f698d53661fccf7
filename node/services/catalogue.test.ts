import { describe, expect, test } from "vitest";
import { catalogue, serviceNamed } from "./catalogue.ts";

describe.each(catalogue.map((service) => [service.name, service] as const))("%s", (name, service) => {
	test("is found by its name, which can be part of a path and of a host name", () => {
		expect(serviceNamed(name)).toBe(service);
		expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
	});

	test("is described for a customer: short plain sentences without a full stop at the end", () => {
		for (const text of [service.promise, service.goodFor, service.size.growth]) {
			expect(text.length).toBeGreaterThan(20);
			expect(text.length).toBeLessThan(140);
			expect(text).not.toMatch(/[.!]$|!/);
		}
	});

	test("needs only what can be picked too", () => {
		expect(service.needs.filter((need) => !serviceNamed(need))).toEqual([]);
	});

	test("keeps the first account's password among its secrets if it has an account", () => {
		expect(service.secrets.includes("password")).toBe(service.account !== "none");
	});

	test("has host labels of letters", () => {
		expect(service.hosts.length).toBeGreaterThan(0);
		for (const label of service.hosts) expect(label).toMatch(/^[a-z]+$/);
	});
});

test("no two services have one name", () => {
	expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
});

test("what keeps media needs the storage", () => {
	const needing = catalogue.filter(({ needs }) => needs.includes("garage")).map(({ name }) => name);
	expect(needing).toEqual(["mastodon", "pixelfed", "peertube"]);
});

test("nobody is found by another name", () => {
	expect(serviceNamed("twitter")).toBeUndefined();
});
