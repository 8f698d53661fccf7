import { expect, test } from "vitest";
import { deploymentAddress, jobAddress, needsCustomer, routeOf } from "./routes.ts";

test.each([
	["/", "front", {}],
	["/home", "home", {}],
	["/home/", "home", {}],
	["/d/choir.example", "deployment", { domain: "choir.example" }],
	["/d/m%C3%BCnchen.example", "deployment", { domain: "münchen.example" }],
	["/d/choir.example/jobs/j1", "job", { domain: "choir.example", id: "j1" }],
	["/provider", "provider", {}],
	["/provider/moves", "provider-moves", {}],
	["/provider/nothing", "nowhere", {}],
	["/d/", "nowhere", {}],
	["/d/%E0%A4%A", "nowhere", {}],
	["/d/choir.example/jobs", "nowhere", {}],
	["/assets/x.js", "nowhere", {}],
])("%s shows %s", (path, page, params) => {
	expect(routeOf(path)).toEqual({ page, params });
});

test("addresses that are made are understood again", () => {
	expect(routeOf(deploymentAddress("a/b.example")).params).toEqual({ domain: "a/b.example" });
	expect(routeOf(jobAddress("choir.example", "j/1")).params).toEqual({ domain: "choir.example", id: "j/1" });
});

test("strangers see the front page and the ways in, and nothing of a customer", () => {
	const open = ["/", "/sign-in", "/sign-up", "/nowhere"].map((path) => needsCustomer(routeOf(path).page));
	const closed = ["/home", "/new", "/d/a.example", "/account", "/notices", "/provider"].map((path) =>
		needsCustomer(routeOf(path).page),
	);
	expect([...open, ...closed]).toEqual([...open.map(() => false), ...closed.map(() => true)]);
});
