import { beforeEach, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { Customers } from "./customers.ts";
import { Entitlements } from "./entitlements.ts";
import { Vouchers } from "./vouchers.ts";

const day = 86_400_000;
let time: number;
let db: Database;
let vouchers: Vouchers;
let entitlements: Entitlements;
let anna: string;
let ben: string;

beforeEach(() => {
	time = Date.UTC(2026, 10, 22);
	const now = () => time;
	db = new Database(":memory:");
	vouchers = new Vouchers(db, "North", now);
	entitlements = new Entitlements(db, vouchers, now);
	const customers = new Customers(db, now);
	const add = (name: string) => customers.add({ name, email: `${name}@x.example`, language: "en", password: "" }).id;
	anna = add("anna");
	ben = add("ben");
});

const make = (wish = {}) => vouchers.make({ services: [], days: 30, uses: 1, diskMiB: 1024, note: "", ...wish });
const asking = { limit: 10 };

test("a voucher becomes an entitlement, once", () => {
	const { code } = make({ services: ["snac"], diskMiB: 7 });
	expect(entitlements.redeem(anna, code)).toMatchObject({ services: ["snac"], diskMiB: 7, deployment: null });
	expect(() => entitlements.redeem(ben, code)).toThrow("already been used");
	expect(entitlements.page(ben, asking).items).toEqual([]);
});

test("a code nobody made is unknown", () => {
	expect(() => vouchers.check("north-7KQX-9M2P-T4HZ-XW8D-3RVA")).toThrow("no such voucher");
	expect(() => vouchers.check("")).toThrow("no such voucher");
});

test("a voucher of many uses is for as many people, each once", () => {
	const { code } = make({ uses: 2 });
	entitlements.redeem(anna, code);
	expect(() => entitlements.redeem(anna, code)).toThrow("already been used");
	expect(vouchers.page(asking).items[0]).toMatchObject({ uses: 2, used: 1 });
	entitlements.redeem(ben, code);
	expect(vouchers.page(asking).items[0]).toMatchObject({ uses: 2, used: 2 });
});

test("a voucher expires at its moment, and says when", () => {
	const { code } = make({ days: 1 });
	time += day - 1;
	expect(vouchers.check(code).used).toBe(0);
	time += 1;
	expect(() => vouchers.use(code)).toThrow("expired on 2026-11-23");
	time -= day;
	expect(vouchers.use(code).used).toBe(0);
});

test("a withdrawn voucher is as unknown as one that never was, and is not listed", () => {
	const { id, code } = make();
	vouchers.withdraw(id);
	vouchers.withdraw(id);
	expect(() => vouchers.check(code)).toThrow("no such voucher");
	expect(vouchers.page(asking).items).toEqual([]);
	expect(() => vouchers.withdraw("none")).toThrow("nothing here");
});

test("what a voucher gave stays when it is withdrawn", () => {
	const { id, code } = make();
	entitlements.redeem(anna, code);
	vouchers.withdraw(id);
	expect(entitlements.claim(anna, "d1", ["snac"]).deployment).toBe("d1");
});

test("nobody can read a code in the database", () => {
	const { code } = make();
	const kept = JSON.stringify(db.all("SELECT *, hex(code_hash) FROM voucher"));
	for (const group of code.split("-").slice(2)) expect(kept).not.toContain(group);
});

test("an entitlement carries one deployment until it is released", () => {
	entitlements.redeem(anna, make().code);
	entitlements.claim(anna, "d1", ["snac"]);
	expect(() => entitlements.claim(anna, "d2", ["snac"])).toThrow("no unused voucher");
	entitlements.release("d1");
	entitlements.release("d1");
	expect(entitlements.claim(anna, "d2", ["snac"]).deployment).toBe("d2");
});

test("nobody uses what belongs to another", () => {
	const { id } = entitlements.redeem(anna, make().code);
	expect(() => entitlements.claim(ben, "d1", ["snac"])).toThrow("no unused voucher");
	expect(() => entitlements.claim(ben, "d1", ["snac"], id)).toThrow("no unused voucher");
});

test("an entitlement includes its services and no others; one without a list includes all", () => {
	entitlements.redeem(anna, make({ services: ["snac", "wiki"] }).code);
	expect(() => entitlements.claim(anna, "d1", ["snac", "mastodon"])).toThrow("does not include mastodon");
	time += 1;
	const { id } = entitlements.redeem(anna, make().code);
	expect(entitlements.claim(anna, "d1", ["snac", "mastodon"]).id).toBe(id);
	expect(entitlements.claim(anna, "d2", ["wiki"]).id).not.toBe(id);
});

test("the wished entitlement is used, or none", () => {
	const first = entitlements.redeem(anna, make().code);
	time += 1;
	const second = entitlements.redeem(anna, make({ services: ["wiki"] }).code);
	expect(() => entitlements.claim(anna, "d1", ["snac"], second.id)).toThrow("does not include snac");
	expect(entitlements.claim(anna, "d1", ["wiki"], second.id).id).toBe(second.id);
	expect(entitlements.claim(anna, "d2", ["snac"]).id).toBe(first.id);
});

test("a claim goes back with the transaction it was made in", () => {
	entitlements.redeem(anna, make().code);
	expect(() =>
		db.transaction(() => {
			entitlements.claim(anna, "d1", []);
			throw new Error("no");
		}),
	).toThrow("no");
	expect(entitlements.page(anna, asking).items[0]?.deployment).toBeNull();
});

test("lists come in pages that neither repeat nor leave out, also when something is added or goes meanwhile", () => {
	const made = Array.from({ length: 7 }, (_, at) => {
		if (at % 2) time += 1;
		return make({ note: String(at) }).id;
	});
	const first = vouchers.page({ limit: 3 });
	vouchers.withdraw(first.items[2]?.id ?? "");
	time += 1;
	make();
	const second = vouchers.page({ limit: 3, after: first.next ?? "" });
	const third = vouchers.page({ limit: 3, after: second.next ?? "" });
	const seen = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
	expect(third.next).toBeNull();
	expect(seen.toSorted()).toEqual(made.toSorted());
	expect(() => vouchers.page({ limit: 3, after: "nonsense" })).toThrow(expect.objectContaining({ code: "not-valid" }));
});
