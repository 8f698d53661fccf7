import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, openPanel, type Panel, signedUp } from "../../test/contracts/panel.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { KeptNotices } from "./kept-notices.ts";
import { Outbox } from "./outbox.ts";
import { noticeRoutes } from "./routes.ts";
import { NoticeSettings } from "./settings.ts";

let panel: Panel;
let outbox: Outbox;
let ada: { id: string; cookie: string };
let bob: { id: string; cookie: string };
beforeEach(async () => {
	panel = openPanel({
		more(routes, database) {
			const notices = new KeptNotices(database);
			const noticeSettings = new NoticeSettings(database, new MemoryVault());
			const sender = { has: () => true, wake: () => {} };
			outbox = new Outbox({ database, settings: noticeSettings, sender, told: (customer) => notices.ring(customer) });
			noticeRoutes(routes, { notices, noticeSettings, outbox });
		},
	});
	ada = await signedUp(panel, "ada@choir.example");
	bob = await signedUp(panel, "bob@choir.example");
});
afterEach(() => panel.close());

const tell = (customer: string, domain: string) =>
	outbox.tell({
		key: `${customer} ${domain}`,
		customer,
		kind: "deploy-done",
		params: { domain },
		link: `/d/${domain}`,
	});
const as = (who: { cookie: string }, name: string, body?: unknown, headers: Record<string, string> = {}) =>
	ask(panel.app, name, { body, headers, cookie: who.cookie });
const json = async (answer: Promise<Response>) => (await answer).json() as Promise<{ items: { id: string }[] }>;

test("a customer finds what they were told, and marks it as read", async () => {
	tell(ada.id, "a.example");
	tell(ada.id, "b.example");
	tell(bob.id, "c.example");
	const { items } = await json(as(ada, "GET /notices?limit=1"));
	expect(items).toMatchObject([{ text: "Your services under b.example are ready", read: false }]);
	expect((await as(ada, "POST /notices/read", { upTo: items[0]?.id })).status).toBe(204);
	expect(await json(as(ada, "GET /notices"))).toMatchObject({ items: [{ read: true }, { read: true }], next: null });
	expect(await json(as(bob, "GET /notices"))).toMatchObject({ items: [{ read: false }] });
	expect((await as(bob, "POST /notices/read", { upTo: items[0]?.id })).status).toBe(404);
});

test("settings are kept, and a webhook's secret is told this once", async () => {
	expect(await json(as(ada, "GET /me/notice-settings"))).toEqual({
		...{ mail: true, browser: true, webhook: null, successes: true },
	});
	const wish = { mail: false, browser: true, webhook: "https://hooks.example/x" };
	const first = await as(ada, "PUT /me/notice-settings", wish);
	expect(await first.json()).toEqual({
		settings: { ...wish, successes: true },
		webhookSecret: expect.stringMatching(/^whsec_/),
	});
	const again = await as(ada, "PUT /me/notice-settings", { ...wish, successes: false });
	expect(await again.json()).toEqual({ settings: { ...wish, successes: false }, webhookSecret: null });
});

test.each(["http://hooks.example/", "https://10.0.0.1/", "https://localhost/"])("%s is refused", async (webhook) => {
	const answer = await as(ada, "PUT /me/notice-settings", { mail: true, browser: true, webhook });
	expect([answer.status, await answer.json()]).toMatchObject([400, { code: "webhook-not-valid" }]);
});

test.each([
	{ mail: true, browser: true },
	{ mail: "yes", browser: true, webhook: null },
	{ mail: true, browser: true, webhook: "nonsense" },
	{ mail: true, browser: true, webhook: `https://hooks.example/${"x".repeat(2000)}` },
	{ mail: true, browser: true, webhook: null, pigeon: true },
])("settings that do not fit are refused: %j", async (wish) => {
	const answer = await as(ada, "PUT /me/notice-settings", wish);
	expect([answer.status, await answer.json()]).toMatchObject([400, { code: "not-valid" }]);
});

test("a test notice goes out, and its delivery can be watched", async () => {
	expect((await as(ada, "POST /me/notice-settings/test")).status).toBe(202);
	expect(await json(as(ada, "GET /notices"))).toMatchObject({ items: [{ kind: "test" }] });
	expect(await json(as(ada, "GET /notices/deliveries"))).toMatchObject({
		items: [{ channel: "mail", state: "waiting", attempts: 0 }],
	});
	expect(await json(as(bob, "GET /notices/deliveries"))).toEqual({ items: [], next: null });
});

test("notices come as events, from where the reader left off, and only one's own", async () => {
	for (const domain of ["a.example", "b.example"]) tell(ada.id, domain);
	tell(bob.id, "not.hers.example");
	const stream = await as(ada, "GET /notices/events", undefined, { "last-event-id": "1" });
	expect(stream.headers.get("content-type")).toContain("text/event-stream");
	const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
	let said = "";
	const until = async (text: string) => {
		while (!said.includes(text)) said += (await reader?.read())?.value ?? "";
	};
	await until("b.example");
	tell(ada.id, "c.example");
	await until("c.example");
	await reader?.cancel();
	expect(said.match(/^id: .*$/gm)).toEqual(["id: 2", "id: 4"]);
	expect(said.match(/^event: .*$/gm)).toEqual(["event: notice", "event: notice"]);
	expect(said).not.toContain("a.example");
	expect(said).not.toContain("not.hers");
});

test.each([
	...["GET /notices", "POST /notices/read", "GET /notices/events", "GET /notices/deliveries"],
	...["GET /me/notice-settings", "PUT /me/notice-settings", "POST /me/notice-settings/test"],
])("%s is for who is signed in", async (name) => {
	expect((await ask(panel.app, name, { body: name.startsWith("GET") ? undefined : {} })).status).toBe(401);
});
