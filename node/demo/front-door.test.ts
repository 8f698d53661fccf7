import { expect, test } from "vitest";
import { frontDoor } from "./front-door.ts";

const zone: Record<string, string> = {
	"social.choir.localhost": "north.localhost",
	"wiki.band.localhost": "www.band.localhost",
	"www.band.localhost": "South.localhost",
	"a.round.localhost": "b.round.localhost",
	"b.round.localhost": "a.round.localhost",
};
const ports: Record<string, number> = { north: 4001 };
const find = frontDoor({
	lookup: (name) => (zone[name] ? [{ type: "CNAME", name, value: zone[name] }] : []),
	portOf: (key) => ports[key],
});

test("a host goes where the zone says, over as many names as that takes", () => {
	expect(find("north.localhost")).toEqual({ kind: "service", port: 4001 });
	expect(find("social.choir.localhost")).toEqual({ kind: "service", port: 4001 });
	expect(find("wiki.band.localhost")).toEqual({ kind: "wait", why: "starting", retryAfter: 3 });
});

test("when the zone changes, so does the way, at once", () => {
	zone["social.choir.localhost"] = "south.localhost";
	ports["south"] = 4002;
	expect(find("social.choir.localhost")).toEqual({ kind: "service", port: 4002 });
});

test("the demo's own pages are here", () => {
	for (const host of ["localhost", "mail.localhost", "127.0.0.1"]) expect(find(host)).toEqual({ kind: "panel" });
});

test("names that are not in the zone, or go round in a circle, lead nowhere", () => {
	for (const host of ["nobody.localhost", "north.example", "", "a.round.localhost"])
		expect(find(host)).toEqual({ kind: "unknown" });
});
