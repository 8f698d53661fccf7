import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ask, cookieOf, openPanel, type Panel, password, signedUp, voucher } from "../../test/contracts/panel.ts";
import { Passwords } from "./passwords.ts";

const day = 86_400_000;
let panel: Panel;

beforeEach(() => {
	panel = openPanel();
});
afterEach(() => panel.close());

const wish = (code: string, email = "anna@choir.example") => ({ voucher: code, email, password, name: "Anna" });
const signIn = (email: string, typed = password, cookie?: string) =>
	ask(panel.app, "POST /sign-in", { body: { email, password: typed }, cookie });
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const count = (table: string) => panel.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n;

describe("signing up", () => {
	test("opens an account, an entitlement and a session", async () => {
		const { code } = voucher(panel, { services: ["snac"] });
		const answer = await ask(panel.app, "POST /sign-up", { body: { ...wish(code.toLowerCase()), language: "de" } });
		expect(answer.status).toBe(201);
		expect(await answer.json()).toMatchObject({ name: "Anna", email: "anna@choir.example", language: "de" });
		const mine = await ask(panel.app, "GET /me/entitlements", { cookie: cookieOf(answer) });
		expect(await mine.json()).toMatchObject({ items: [{ services: ["snac"], deployment: null }], next: null });
	});

	test.each([
		["nobody made", () => "north-7KQX-9M2P-T4HZ-XW8D-3RVA", "voucher-unknown"],
		[
			"was withdrawn",
			(made: { id: string; code: string }) => panel.vouchers.withdraw(made.id) ?? made.code,
			"voucher-unknown",
		],
		[
			"has expired",
			(made: { code: string }) => {
				panel.clock.time += 30 * day;
				return made.code;
			},
			"voucher-expired",
		],
	])("with a voucher that %s leaves nothing behind", async (_, prepare, problem) => {
		const made = voucher(panel);
		const answer = await ask(panel.app, "POST /sign-up", { body: wish(prepare(made)) });
		expect(await codeOf(answer)).toBe(problem);
		expect([count("customer"), count("entitlement"), count("session")]).toEqual([0, 0, 0]);
		expect(answer.headers.get("set-cookie")).toBeNull();
	});

	test("with a voucher used before says so", async () => {
		const { code } = voucher(panel);
		await ask(panel.app, "POST /sign-up", { body: wish(code) });
		expect(await codeOf(await ask(panel.app, "POST /sign-up", { body: wish(code, "b@x.example") }))).toBe(
			"voucher-spent",
		);
	});

	test("with an e-mail that is taken uses no voucher", async () => {
		await signedUp(panel, "anna@choir.example");
		const { code } = voucher(panel);
		const answer = await ask(panel.app, "POST /sign-up", { body: wish(code, "ANNA@choir.EXAMPLE") });
		expect(await codeOf(answer)).toBe("email-taken");
		expect(panel.vouchers.check(code).used).toBe(0);
	});

	test("does not tell who has no voucher whether an e-mail is taken", async () => {
		await signedUp(panel, "anna@choir.example");
		const answer = await ask(panel.app, "POST /sign-up", { body: wish("north-7KQX-9M2P-T4HZ-XW8D-3RVA") });
		expect(await codeOf(answer)).toBe("voucher-unknown");
	});

	test("of two at once with one voucher lets one in, whole", async () => {
		const { code } = voucher(panel);
		const answers = await Promise.all(
			["a@x.example", "b@x.example", "c@x.example"].map((email) =>
				ask(panel.app, "POST /sign-up", { body: wish(code, email) }),
			),
		);
		expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
		expect([count("customer"), count("entitlement"), count("session")]).toEqual([1, 1, 1]);
	});

	test("of two at once with one e-mail lets one in and keeps the other voucher", async () => {
		const codes = [voucher(panel).code, voucher(panel).code];
		const answers = await Promise.all(codes.map((code) => ask(panel.app, "POST /sign-up", { body: wish(code) })));
		expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
		expect(
			panel.vouchers
				.page({ limit: 9 })
				.items.map(({ used }) => used)
				.toSorted(),
		).toEqual([0, 1]);
	});

	test.each([
		["a short password", { password: "elevenchars" }, "/password", "Use at least 12 characters"],
		["no e-mail", { email: "anna" }, "/email", "This is not an e-mail address"],
		["a name of blanks", { name: "  " }, "/name", "This is empty"],
		["no name", { name: undefined }, "/name", "This is missing"],
		["a name that is a number", { name: 7 }, "/name", "This must be a text"],
		["a language there is not", { language: "xx" }, "/language", "Use one of en, de"],
		[
			"an e-mail of 255 characters",
			{ email: `${"a".repeat(243)}@x.example.org` },
			"/email",
			"Use at most 254 characters",
		],
	])("with %s says what is wrong with it", async (_, change, pointer, detail) => {
		const answer = await ask(panel.app, "POST /sign-up", { body: { ...wish(voucher(panel).code), ...change } });
		expect(answer.status).toBe(400);
		expect(await answer.json()).toMatchObject({ errors: expect.arrayContaining([{ pointer, detail }]) });
	});
});

describe("signing in", () => {
	test("needs the right e-mail and password, and says no more than that", async () => {
		await signedUp(panel, "anna@choir.example");
		expect((await signIn("Anna@Choir.Example")).status).toBe(200);
		const wrong = await (await signIn("anna@choir.example", "wrong password")).text();
		expect(wrong).toContain("wrong-credentials");
		expect(await (await signIn("nobody@choir.example")).text()).toBe(wrong);
		expect(await (await signIn("", "")).text()).toBe(wrong);
	});

	test("hashes anew what was kept at another cost, and the password stays the same", async () => {
		const { id, email } = await signedUp(panel, "anna@choir.example");
		const dated = await new Passwords({ cost: { memory: 16, passes: 1, parallelism: 1 } }).hash(password);
		panel.customers.setPassword(id, dated);
		expect((await signIn(email)).status).toBe(200);
		expect(panel.customers.passwordOf(id)).toContain("m=8,");
		expect((await signIn(email)).status).toBe(200);
		expect((await signIn(email, "wrong password")).status).toBe(401);
	});

	test("always begins a session with a new token, whatever cookie comes along", async () => {
		const { email, cookie } = await signedUp(panel, "anna@choir.example");
		const planted = `__Host-session=${"A".repeat(43)}`;
		const fresh = cookieOf(await signIn(email, password, planted));
		const again = cookieOf(await signIn(email, password, cookie));
		expect(new Set([planted, fresh, cookie, again]).size).toBe(4);
		expect((await ask(panel.app, "GET /me", { cookie: planted })).status).toBe(401);
	});

	test("sets a cookie that scripts, other hosts and plain http never see", async () => {
		const { email } = await signedUp(panel, "anna@choir.example");
		const set = (await signIn(email)).headers.get("set-cookie");
		expect(set).toMatch(/^__Host-session=[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure$/);
	});

	test("over http, on localhost, sets a cookie that works there", async () => {
		panel.close();
		panel = openPanel({ origin: "http://north.localhost:8080" });
		const { email } = await signedUp(panel, "anna@choir.example");
		const set = (await signIn(email)).headers.get("set-cookie") ?? "";
		expect(set).toMatch(/^session=[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax$/);
	});

	test("too often at one account means waiting, from wherever, and success wins time back", async () => {
		const { email } = await signedUp(panel, "anna@choir.example");
		const attempt = (typed: string, at: number) =>
			ask(panel.app, "POST /sign-in", {
				body: { email, password: typed },
				headers: { "x-forwarded-for": `192.0.2.${at}` },
			});
		for (let at = 0; at < 30; at++) expect((await attempt(password, at)).status).toBe(200);
		for (let at = 0; at < 10; at++) expect((await attempt("wrong password", at)).status).toBe(401);
		const refused = await attempt(password, 11);
		expect(refused.status).toBe(429);
		expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
		expect(refused.headers.get("ratelimit")).toBe(`"sign-in-account";r=0;t=${refused.headers.get("retry-after")}`);
		const other = await signedUp(panel, "ben@choir.example");
		expect((await signIn(other.email)).status).toBe(200);
	});

	test("too often from one address means waiting, whatever that address claims", async () => {
		const attempt = (at: number, forwarded: string) =>
			ask(panel.app, "POST /sign-in", {
				body: { email: `${at}@x.example`, password: "wrong password" },
				headers: { "x-forwarded-for": forwarded },
			});
		for (let at = 0; at < 40; at++) expect((await attempt(at, `198.51.100.${at}, 203.0.113.7`)).status).toBe(401);
		expect((await attempt(41, "198.51.100.41, 203.0.113.7")).status).toBe(429);
		expect((await attempt(42, "203.0.113.7, 203.0.113.8")).status).toBe(401);
	});

	test("without a trusted proxy `X-Forwarded-For` counts for nothing", async () => {
		panel.close();
		panel = openPanel({ trustProxy: false });
		const attempt = (at: number) =>
			ask(panel.app, "POST /sign-in", {
				body: { email: `${at}@x.example`, password: "wrong password" },
				headers: { "x-forwarded-for": `192.0.2.${at}` },
			});
		for (let at = 0; at < 40; at++) await attempt(at);
		expect((await attempt(40)).status).toBe(429);
	});
});

describe("a session", () => {
	test("ends by signing out, at once and on the server", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const answer = await ask(panel.app, "POST /sign-out", { cookie });
		expect(answer.status).toBe(204);
		expect(answer.headers.get("set-cookie")).toMatch(
			/^__Host-session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax; Secure$/,
		);
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(401);
	});

	test("is listed with the others, and can be ended from another", async () => {
		const { email, cookie } = await signedUp(panel, "anna@choir.example");
		panel.clock.time += 1;
		const phone = cookieOf(
			await ask(panel.app, "POST /sign-in", { body: { email, password }, headers: { "user-agent": "Phone/1.0" } }),
		);
		const list = await (await ask(panel.app, "GET /me/sessions", { cookie })).json();
		expect(list.items).toMatchObject([
			{ agent: "Phone/1.0", current: false },
			{ agent: "", current: true },
		]);
		const ended = await ask(panel.app, `DELETE /me/sessions/${list.items[0].id}`, { cookie });
		expect([ended.status, ended.headers.get("set-cookie")]).toEqual([204, null]);
		expect((await ask(panel.app, "GET /me", { cookie: phone })).status).toBe(401);
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(200);
	});

	test("lasts while it is used and ends when it is not, also when the clock jumps", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const me = async () => (await ask(panel.app, "GET /me", { cookie })).status;
		for (const days of [13, 13, 13]) {
			panel.clock.time += days * day;
			expect(await me()).toBe(200);
		}
		panel.clock.time -= 300 * day;
		expect(await me()).toBe(200);
		panel.clock.time += 13 * day;
		expect(await me()).toBe(200);
		panel.clock.time += 14 * day;
		expect(await me()).toBe(401);
	});

	test("is written down at most once a minute", async () => {
		const { id, cookie } = await signedUp(panel, "anna@choir.example");
		const lastSeen = () => panel.sessions.page(id, { limit: 1 }).items[0]?.lastSeenAt;
		const begun = panel.clock.time;
		panel.clock.time += 59_999;
		await ask(panel.app, "GET /me", { cookie });
		expect(lastSeen()).toBe(begun);
		panel.clock.time += 1;
		await ask(panel.app, "GET /me", { cookie });
		expect(lastSeen()).toBe(begun + 60_000);
	});

	test("of a hundred and one the one unused for longest ends", async () => {
		const { id, email, cookie } = await signedUp(panel, "anna@choir.example");
		for (let at = 0; at < 100; at++) {
			panel.clock.time += 1;
			panel.sessions.begin(id, "");
		}
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(401);
		expect(count("session")).toBe(100);
		expect((await signIn(email)).status).toBe(200);
	});

	test("is nothing in the database that could be used", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const kept = JSON.stringify(panel.db.all("SELECT *, hex(token_hash) FROM session"));
		expect(kept).not.toContain(cookie.split("=")[1]);
	});
});

describe("changing the password", () => {
	const change = (cookie: string, body: object) => ask(panel.app, "POST /me/password", { cookie, body });
	const next = "another long password";

	test("ends all other sessions and gives this one a new token", async () => {
		const { email, cookie } = await signedUp(panel, "anna@choir.example");
		const other = cookieOf(await signIn(email));
		const answer = await change(cookie, { current: password, next });
		expect(answer.status).toBe(204);
		const statuses = [cookie, other, cookieOf(answer)].map(
			async (c) => (await ask(panel.app, "GET /me", { cookie: c })).status,
		);
		expect(await Promise.all(statuses)).toEqual([401, 401, 200]);
		expect([(await signIn(email)).status, (await signIn(email, next)).status]).toEqual([401, 200]);
	});

	test("needs the current one, and cannot be tried without end", async () => {
		const { email, cookie } = await signedUp(panel, "anna@choir.example");
		for (let at = 0; at < 10; at++)
			expect((await change(cookie, { current: "wrong password", next })).status).toBe(401);
		expect((await change(cookie, { current: password, next })).status).toBe(429);
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(200);
		expect((await signIn(email)).status).toBe(429);
	});

	test("twice at once changes it once", async () => {
		const { email, cookie } = await signedUp(panel, "anna@choir.example");
		const answers = await Promise.all([
			change(cookie, { current: password, next }),
			change(cookie, { current: password, next: `${next} too` }),
		]);
		expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 401]);
		const tries = [await signIn(email, next), await signIn(email, `${next} too`)];
		expect(tries.map(({ status }) => status).toSorted()).toEqual([200, 401]);
	});
});

describe("an API token", () => {
	const make = (by: { cookie?: string; token?: string }, body: object) =>
		ask(panel.app, "POST /me/tokens", { ...by, body });

	test("does what its scopes allow, until it is revoked", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const made = await (await make({ cookie }, { name: "backup", scopes: ["read", "read"] })).json();
		expect(made).toMatchObject({
			name: "backup",
			scopes: ["read"],
			lastUsedAt: null,
			token: expect.stringMatching(/^fdv_[\w-]{43}$/),
		});
		expect((await ask(panel.app, "GET /me", { token: made.token })).status).toBe(200);
		expect((await ask(panel.app, "PATCH /me", { token: made.token, body: {} })).status).toBe(403);
		const list = await (await ask(panel.app, "GET /me/tokens", { cookie })).json();
		expect(list.items).toMatchObject([{ id: made.id, lastUsedAt: expect.any(String) }]);
		expect(JSON.stringify(list)).not.toContain(made.token);
		expect((await ask(panel.app, `DELETE /me/tokens/${made.id}`, { cookie })).status).toBe(204);
		expect((await ask(panel.app, "GET /me", { token: made.token })).status).toBe(401);
	});

	test("expires", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const { token } = await (await make({ cookie }, { name: "x", scopes: ["read"], days: 1 })).json();
		panel.clock.time += day - 1;
		expect((await ask(panel.app, "GET /me", { token })).status).toBe(200);
		panel.clock.time += 1;
		expect((await ask(panel.app, "GET /me", { token })).status).toBe(401);
	});

	test("makes no token that can do more or lasts longer than itself", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const { token, expiresAt } = await (await make({ cookie }, { name: "x", scopes: ["account"], days: 2 })).json();
		expect(await codeOf(await make({ token }, { name: "y", scopes: ["account", "deploy"] }))).toBe("scope-missing");
		expect(await (await make({ token }, { name: "y", scopes: ["account"], days: 365 })).json()).toMatchObject({
			expiresAt,
		});
	});

	test("cannot sign out, and changing the password by it ends every session", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const { token } = await (await make({ cookie }, { name: "x", scopes: ["read", "account"] })).json();
		expect((await ask(panel.app, "POST /sign-out", { token })).status).toBe(403);
		const body = { current: password, next: "another long password" };
		const answer = await ask(panel.app, "POST /me/password", { token, body });
		expect([answer.status, answer.headers.get("set-cookie")]).toEqual([204, null]);
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(401);
		expect((await ask(panel.app, "GET /me", { token })).status).toBe(200);
	});

	test("wins over a cookie that comes along", async () => {
		const anna = await signedUp(panel, "anna@choir.example");
		const ben = await signedUp(panel, "ben@choir.example");
		const { token } = await (await make(anna, { name: "x", scopes: ["read"] })).json();
		expect(await (await ask(panel.app, "GET /me", { token, cookie: ben.cookie })).json()).toMatchObject({
			id: anna.id,
		});
		expect((await ask(panel.app, "GET /me", { token: "fdv_wrong", cookie: ben.cookie })).status).toBe(401);
	});
});

test("name and language change, and what is not given stays", async () => {
	const { cookie } = await signedUp(panel, "anna@choir.example");
	await ask(panel.app, "PATCH /me", { cookie, body: { language: "de" } });
	const answer = await ask(panel.app, "PATCH /me", { cookie, body: { name: " Anna B. " } });
	expect(await answer.json()).toMatchObject({ name: "Anna B.", language: "de", email: "anna@choir.example" });
});

test("an SSH key is kept once, listed and removed", async () => {
	const { cookie } = await signedUp(panel, "anna@choir.example");
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
	const add = (name: string, line: string) =>
		ask(panel.app, "POST /me/ssh-keys", { cookie, body: { name, key: line } });
	const first = await (await add("laptop", `${key} anna@laptop`)).json();
	expect(first).toMatchObject({ key, fingerprint: "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU" });
	expect(await (await add("desk", key)).json()).toEqual({ ...first, name: "desk" });
	expect(await (await add("x", "ssh-ed25519 nonsense")).json()).toMatchObject({
		code: "not-valid",
		errors: [{ pointer: "/key", detail: expect.stringContaining("damaged") }],
	});
	expect((await ask(panel.app, `DELETE /me/ssh-keys/${first.id}`, { cookie })).status).toBe(204);
	expect(await (await ask(panel.app, "GET /me/ssh-keys", { cookie })).json()).toEqual({ items: [], next: null });
});

test("another voucher gives another entitlement; guessing vouchers means waiting", async () => {
	const { cookie } = await signedUp(panel, "anna@choir.example");
	const redeem = (code: string) => ask(panel.app, "POST /me/entitlements", { cookie, body: { voucher: code } });
	for (let at = 0; at < 15; at++) expect((await redeem(voucher(panel).code)).status).toBe(201);
	for (let at = 0; at < 10; at++) expect((await redeem("north-7KQX-9M2P-T4HZ-XW8D-3RVA")).status).toBe(404);
	expect((await redeem(voucher(panel).code)).status).toBe(429);
	const first = await (await ask(panel.app, "GET /me/entitlements?limit=10", { cookie })).json();
	const rest = await (await ask(panel.app, `GET /me/entitlements?limit=10&after=${first.next}`, { cookie })).json();
	expect([first.items.length, rest.items.length, rest.next]).toEqual([10, 6, null]);
});

describe("an account that is staff's", () => {
	const voucherWish = { body: { services: ["snac"] } };
	const member = async () => {
		const sara = await signedUp(panel, "sara@north.example");
		const answer = await ask(panel.staff, `PATCH /staff/customers/${sara.id}`, { body: { staff: true } });
		expect(await answer.json()).toMatchObject({ email: "sara@north.example", staff: true });
		return sara;
	};

	test("does what staff does, and its own page knows", async () => {
		const { cookie } = await member();
		expect(await (await ask(panel.app, "GET /me", { cookie })).json()).toMatchObject({ staff: true });
		expect(await (await ask(panel.app, "GET /staff/customers", { cookie })).json()).toMatchObject({
			items: [{ email: "sara@north.example", staff: true }],
		});
		expect((await ask(panel.app, "POST /staff/vouchers", { cookie, ...voucherWish })).status).toBe(201);
	});

	test("says its password again before it changes something a quarter of an hour later, and looks meanwhile", async () => {
		const { cookie } = await member();
		const make = () => ask(panel.app, "POST /staff/vouchers", { cookie, ...voucherWish });
		const confirm = (typed: string) => ask(panel.app, "POST /me/confirm", { cookie, body: { password: typed } });
		panel.clock.time += 15 * 60_000;
		expect(await codeOf(await make())).toBe("confirm-needed");
		expect((await ask(panel.app, "GET /staff/vouchers", { cookie })).status).toBe(200);
		expect(await codeOf(await confirm("not this one"))).toBe("wrong-credentials");
		expect(await codeOf(await make())).toBe("confirm-needed");
		expect((await confirm(password)).status).toBe(204);
		expect((await make()).status).toBe(201);
	});

	test("a password said in one session counts for no other", async () => {
		const { cookie } = await member();
		panel.clock.time += 20 * 60_000;
		await signIn("sara@north.example");
		expect(await codeOf(await ask(panel.app, "POST /staff/vouchers", { cookie, ...voucherWish }))).toBe(
			"confirm-needed",
		);
	});

	test("a token confirms nothing", async () => {
		const { id } = await member();
		const wish = { name: "x", scopes: ["account" as const], expiresAt: panel.clock.time + day };
		const token = panel.tokens.make(id, wish).secret;
		expect(await codeOf(await ask(panel.app, "POST /me/confirm", { token, body: { password } }))).toBe("not-allowed");
	});

	test("that is no longer so is a customer's like any other, from its next request on", async () => {
		const { id, cookie } = await member();
		await ask(panel.staff, `PATCH /staff/customers/${id}`, { body: { staff: false } });
		expect(await codeOf(await ask(panel.app, "GET /staff/customers", { cookie }))).toBe("not-found");
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(200);
		expect((await ask(panel.staff, "PATCH /staff/customers/none", { body: { staff: true } })).status).toBe(404);
	});
});

describe("staff", () => {
	test("makes, lists and withdraws vouchers; the code is told once", async () => {
		const body = { services: ["snac"], days: 2, uses: 3, diskMiB: 5, note: "choir" };
		const made = await (await ask(panel.staff, "POST /staff/vouchers", { body })).json();
		expect(made).toMatchObject({
			services: ["snac"],
			uses: 3,
			used: 0,
			note: "choir",
			code: expect.stringMatching(/^north-/),
		});
		const text = await (await ask(panel.staff, "GET /staff/vouchers")).text();
		expect(text).toContain(made.hint);
		expect(text).not.toContain(made.code);
		expect((await ask(panel.staff, `DELETE /staff/vouchers/${made.id}`)).status).toBe(204);
		expect(await (await ask(panel.staff, "GET /staff/vouchers")).json()).toEqual({ items: [], next: null });
	});

	test("is told of a service there is not", async () => {
		const answer = await ask(panel.staff, "POST /staff/vouchers", { body: { services: ["snack"] } });
		expect(await answer.json()).toMatchObject({ code: "service-unknown", params: { service: "snack" } });
	});

	test("gives a customer a new password, which ends their sessions", async () => {
		const { id, email, cookie } = await signedUp(panel, "anna@choir.example");
		const list = await (await ask(panel.staff, "GET /staff/customers")).json();
		expect(list.items).toMatchObject([{ id, email, deployments: 0, lastSeenAt: expect.any(String) }]);
		const reset = await (await ask(panel.staff, `POST /staff/customers/${id}/reset-password`)).json();
		expect((await ask(panel.app, "GET /me", { cookie })).status).toBe(401);
		expect([(await signIn(email)).status, (await signIn(email, reset.password)).status]).toEqual([401, 200]);
		expect((await ask(panel.staff, "POST /staff/customers/none/reset-password")).status).toBe(404);
	});
});
