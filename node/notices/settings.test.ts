import { beforeEach, expect, test, vi } from "vitest";
import { Customers } from "../customers/customers.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { Database } from "../store/database.ts";
import { Outbox } from "./outbox.ts";
import { NoticeSettings } from "./settings.ts";

let database: Database;
let vault: MemoryVault;
let settings: NoticeSettings;
let ada: string;
let bob: string;
beforeEach(() => {
	database = new Database(":memory:");
	vault = new MemoryVault();
	settings = new NoticeSettings(database, vault);
	const customers = new Customers(database, Date.now);
	const add = (name: string) =>
		customers.add({ name, email: `${name}@choir.example`, language: "en", password: "" }).id;
	[ada, bob] = [add("ada"), add("bob")];
});

const wish = { mail: true, browser: true, webhook: null, successes: true };
const hook = { ...wish, webhook: "https://hooks.example/a" };
const secretNames = () => [...vaultNames(vault)];
function vaultNames(of: MemoryVault) {
	return vi.mocked(of.put).mock.calls.map(([name]) => name);
}
const tell = (customer: string, key: string) =>
	new Outbox({ database, settings, sender: { has: () => true, wake: () => {} } }).tell({
		...{ key, customer, kind: "job-stuck", params: {} },
	});
const deliveries = () =>
	database.all("SELECT channel, target, state, next_at IS NULL AS over, last_error FROM delivery ORDER BY seq");

test("whoever said nothing is told of everything, by mail and in the browser", () => {
	expect(settings.of(ada)).toEqual(wish);
});

test("keeps what each customer said", async () => {
	const quiet = { mail: false, browser: false, webhook: null, successes: false };
	expect(await settings.change(ada, quiet)).toEqual({ settings: quiet, webhookSecret: null });
	expect(settings.of(ada)).toEqual(quiet);
	expect(settings.of(bob)).toEqual(wish);
	await settings.change(ada, { ...quiet, browser: true });
	expect(settings.of(ada)).toEqual({ ...quiet, browser: true });
});

test("a webhook's secret is told once, and is in no table", async () => {
	const { webhookSecret } = await settings.change(ada, hook);
	expect(webhookSecret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
	expect(await settings.webhookSecret(ada)).toBe(webhookSecret);
	expect(await settings.change(ada, { ...hook, mail: false })).toMatchObject({ webhookSecret: null });
	expect(await settings.webhookSecret(ada)).toBe(webhookSecret);
	expect(JSON.stringify(database.all("SELECT * FROM notice_setting"))).not.toContain(webhookSecret);
});

test("a new address gets a new secret, and the old one is gone", async () => {
	vi.spyOn(vault, "put");
	const first = await settings.change(ada, hook);
	const second = await settings.change(ada, { ...hook, webhook: "https://hooks.example/b" });
	expect(second.webhookSecret).not.toBe(first.webhookSecret);
	expect(await settings.webhookSecret(ada)).toBe(second.webhookSecret);
	const [old = "", fresh = ""] = secretNames();
	expect([await vault.get(old), await vault.get(fresh)]).toEqual([undefined, second.webhookSecret]);
	await settings.change(ada, wish);
	expect(await settings.webhookSecret(ada)).toBeUndefined();
	expect(await vault.get(fresh)).toBeUndefined();
});

test("when the vault fails, the settings stay as they were", async () => {
	await settings.change(ada, hook);
	const secret = await settings.webhookSecret(ada);
	vi.spyOn(vault, "put").mockRejectedValueOnce(new Error("disk full"));
	await expect(settings.change(ada, { ...hook, webhook: "https://hooks.example/b" })).rejects.toThrow("disk full");
	expect(settings.of(ada)).toEqual(hook);
	expect(await settings.webhookSecret(ada)).toBe(secret);
});

test("an address that is not public is refused, and nothing changes", async () => {
	const bad = { ...hook, mail: false, webhook: "https://127.0.0.1/x" };
	await expect(settings.change(ada, bad)).rejects.toMatchObject({ code: "webhook-not-valid" });
	expect(settings.of(ada)).toEqual(wish);
	const inTheDemo = new NoticeSettings(database, vault, { privateWebhooks: true });
	expect((await inTheDemo.change(ada, bad)).settings.webhook).toBe("https://127.0.0.1/x");
});

test("what waits goes to the webhook's new address, and nobody else's does", async () => {
	await settings.change(ada, hook);
	await settings.change(bob, hook);
	tell(ada, "1");
	tell(bob, "2");
	await settings.change(ada, { ...hook, webhook: "https://hooks.example/b" });
	expect(deliveries()).toMatchObject([
		{ channel: "mail", state: "waiting", target: "ada@choir.example" },
		{ channel: "webhook", state: "waiting", target: "https://hooks.example/b" },
		{ channel: "mail", state: "waiting", target: "bob@choir.example" },
		{ channel: "webhook", state: "waiting", target: "https://hooks.example/a" },
	]);
});

test("what waits for a channel that is switched off is given up, and what was sent stays sent", async () => {
	await settings.change(ada, hook);
	tell(ada, "1");
	database.run("UPDATE delivery SET state = 'sent', next_at = NULL WHERE channel = 'mail'");
	tell(ada, "2");
	tell(bob, "3");
	const [sent, waiting] = [
		{ state: "sent", last_error: null },
		{ state: "waiting", last_error: null },
	];
	const off = { state: "given-up", over: 1, last_error: "Switched off" };
	await settings.change(ada, wish);
	expect(deliveries()).toMatchObject([sent, off, waiting, off, waiting]);
	await settings.change(ada, { ...hook, mail: false });
	tell(ada, "4");
	expect(deliveries()).toMatchObject([sent, off, off, off, waiting, { channel: "webhook", ...waiting }]);
	await settings.change(ada, { ...hook, mail: false, browser: false });
	expect(deliveries()).toMatchObject([sent, off, off, off, waiting, waiting]);
});
