import { expect, test } from "vitest";
import type { Standing } from "../certificates/certificate.ts";
import { certificates } from "./certificates.ts";

const day = 86_400_000;
const now = Date.parse("2030-05-01T00:00:00Z");
const fresh: Standing = {
	...{ domain: "choir.example", hosts: ["social.choir.example"], beginsAt: now - 10 * day, endsAt: now + 80 * day },
	...{ failures: 0, nextAt: 0, problem: null },
};
const states = (...known: Standing[]) => certificates(known, now).map(({ state, detail }) => [state, detail]);
const failing = { failures: 3, nextAt: now + day / 4, problem: "ca.example gives no certificate: no TXT record" };

test("certificates that are good are one good finding; none are none", () => {
	expect(states()).toEqual([]);
	expect(states(fresh, { ...fresh, domain: "band.example", endsAt: now + 70 * day })).toEqual([
		["good", "2 certificates are good; the first one ends on 2030-07-10"],
	]);
});

test("one that ends soon and was not renewed is a warning, with why", () => {
	const old = { ...fresh, beginsAt: now - 62 * day, endsAt: now + 28 * day };
	expect(states(old)).toEqual([
		["warning", "The certificate of choir.example ends on 2030-05-29: nobody here sets its records"],
	]);
	expect(states({ ...old, ...failing })).toEqual([
		["warning", `The certificate of choir.example ends on 2030-05-29: ${failing.problem}`],
	]);
	const [finding] = certificates([{ ...old, ...failing }], now);
	expect(finding?.fix).toBe("Mend that; it is tried again after 2030-05-01T06:00Z");
});

test("one that is being renewed on its day is well", () => {
	expect(states({ ...fresh, beginsAt: now - 60.5 * day, endsAt: now + 29.5 * day })).toMatchObject([
		["good", expect.any(String)],
	]);
});

test("one that has ended, and one that never came, are bad; a first failure is waited out", () => {
	expect(states({ ...fresh, endsAt: now - day, ...failing })).toMatchObject([["bad", expect.any(String)]]);
	const never = { ...fresh, hosts: [], beginsAt: null, endsAt: null, ...failing };
	expect(states(never)).toEqual([["bad", `choir.example has no certificate: ${failing.problem}`]]);
	expect(states({ ...never, failures: 1 }, fresh)).toMatchObject([["good", expect.any(String)]]);
});
