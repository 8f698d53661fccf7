import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { MemoryZone } from "../domains/memory-zone.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { Database } from "../store/database.ts";
import type { Authority } from "./authority.ts";
import { Certificates, type CertificatesParts } from "./certificates.ts";
import { waitUntilSeen, ZonePlace } from "./zone-place.ts";

const choir = { domain: "choir.test", hosts: ["social.choir.test"] };

/** An authority that gives nothing, and counts how often it was asked. */
function opened(problem: () => Promise<never>, change: Partial<CertificatesParts> = {}) {
	const clock = { now: 1_000_000 };
	let asked = 0;
	const order = () => {
		asked++;
		return problem();
	};
	const vault = new MemoryVault();
	const certificates = new Certificates({
		...{ db: new Database(":memory:"), vault, now: () => clock.now },
		authority: async () => ({ directory: "https://ca.test/dir", order }) as unknown as Authority,
		...{ wanted: () => [choir], isKept: () => true, settled: async () => {} },
		place: () => new ZonePlace(new MemoryZone("test")),
		...change,
	});
	return { certificates, clock, vault, asked: () => asked };
}

test("an authority that has had enough is left alone for as long as it says", async () => {
	const later = async () => {
		throw new Problem("certificate-later", { server: "ca.test", seconds: 100_000 });
	};
	const { certificates, clock, asked } = opened(later);
	await certificates.round();
	clock.now += 99_999_000;
	await certificates.round();
	expect(asked()).toBe(1);
	clock.now += 1000;
	await certificates.round();
	expect(asked()).toBe(2);
	expect(certificates.standing(choir.domain)).toMatchObject({ failures: 2, endsAt: null });
});

test("orders for one domain come one after the other", async () => {
	let under = 0;
	let most = 0;
	const { certificates, asked } = opened(async () => {
		most = Math.max(most, ++under);
		await new Promise((resolve) => setImmediate(resolve));
		under--;
		throw new Problem("certificate-silent", { server: "ca.test" });
	});
	await Promise.allSettled([certificates.order(choir), certificates.order(choir), certificates.order(choir)]);
	expect(most).toBe(1);
	expect(asked()).toBeGreaterThanOrEqual(2);
});

test("without an authority nothing is ordered, and where no records can be set nothing is tried", async () => {
	const never = async () => {
		throw new Error("It was asked");
	};
	const off = opened(never, { authority: null });
	await off.certificates.round();
	expect(off.certificates.standings()).toEqual([]);
	const elsewhere = opened(never, { place: () => undefined });
	await elsewhere.certificates.round();
	expect(elsewhere.certificates.standings()).toEqual([]);
	await expect(elsewhere.certificates.order(choir)).rejects.toMatchObject({ code: "certificate-zone" });
});

test("of a domain that is gone no key is kept", async () => {
	const silent = async () => {
		throw new Problem("certificate-silent", { server: "ca.test" });
	};
	let isKept = true;
	const wanted = () => (isKept ? [choir] : []);
	const { certificates, vault } = opened(silent, { isKept: () => isKept, wanted });
	await certificates.round();
	await vault.put("certificates/choir.test", "a key");
	await vault.put("certificate-orders/choir.test", "another");
	isKept = false;
	await certificates.round();
	expect([...(await vault.names("certificates/")), ...(await vault.names("certificate-orders/"))]).toEqual([]);
	expect(certificates.standings().map(({ domain }) => domain)).toEqual([]);
});

test("the last of a zone's servers is waited for, but not one that cannot be asked", async () => {
	const challenge = { host: "choir.test", value: "v" };
	const said = (values: readonly string[] | null) => ({ server: "ns", at: 0, values });
	let looks = 0;
	const ask = async () => (++looks < 2 ? [said(["v"]), said([]), said(null)] : [said(["v"]), said(["v"]), said(null)]);
	await waitUntilSeen([challenge], { ask }, 60_000, new AbortController().signal);
	expect(looks).toBe(2);
	await waitUntilSeen([challenge], { ask: async () => [] }, 60_000, new AbortController().signal);
	await waitUntilSeen([challenge], { ask: async () => [said([])] }, 0, new AbortController().signal);
});
