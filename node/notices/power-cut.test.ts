import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Customers } from "../customers/customers.ts";
import { MemoryVault } from "../secrets/memory-vault.ts";
import { Database } from "../store/database.ts";
import { Outbox } from "./outbox.ts";
import { NoticeSettings } from "./settings.ts";

/** A node that only sends, an hour later at each start so that every pause is over. */
const node = `
	const load = (file) => import("${import.meta.dirname}/" + file);
	const [, file, mailServer, start] = process.argv;
	const { Database } = await load("../store/database.ts");
	const { Mail } = await load("mail.ts");
	const { Webhook } = await load("webhook.ts");
	const { Sender } = await load("sender.ts");
	const panel = "https://north.example";
	const mail = new Mail({ server: mailServer, from: "us@north.example", passwordFile: null, panel, provider: "North" });
	const webhook = new Webhook({ panel, secretOf: async () => "whsec_AAAA", privateToo: true });
	new Sender(new Database(file), [mail, webhook], () => Date.now() + Number(start) * 3_600_000).start();
	setInterval(() => {}, 1000);`;

let folder: string;
let child: ChildProcess | undefined;
const arrived: string[] = [];
const closing: (() => void)[] = [];
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "outbox-"));
});
afterEach(() => {
	child?.kill("SIGKILL");
	for (const close of closing) close();
	rmSync(folder, { recursive: true, force: true });
});

/** Whoever receives something for the first time cuts the node's power before it can hear that it was received. */
function cutPowerAtFirst(id: string) {
	if (!arrived.includes(id)) child?.kill("SIGKILL");
	arrived.push(id);
}

async function mailServer(): Promise<string> {
	const server = new SMTPServer({
		disabledCommands: ["STARTTLS", "AUTH"],
		async onData(stream, _session, done) {
			cutPowerAtFirst((await PostalMime.parse(await text(stream))).messageId ?? "");
			done();
		},
	});
	server.on("error", () => {});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(() => server.close(() => {}));
	return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
}

async function webhookServer(): Promise<string> {
	const server = createServer(async (request: IncomingMessage, response) => {
		await text(request);
		cutPowerAtFirst(String(request.headers["webhook-id"]));
		response.end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("power cut after each sending, before it is written down: all is sent again under the same id, nothing is lost", async () => {
	const file = join(folder, "node.db");
	const database = new Database(file);
	const [smtp, hook] = [await mailServer(), await webhookServer()];
	const wish = { name: "Ada", email: "ada@choir.example", language: "en", password: "" } as const;
	const customer = new Customers(database, Date.now).add(wish).id;
	const settings = new NoticeSettings(database, new MemoryVault(), { privateWebhooks: true });
	await settings.change(customer, { mail: true, browser: true, webhook: hook, successes: true });
	const outbox = new Outbox({ database, settings, sender: { has: () => true, wake: () => {} } });
	for (const key of ["1", "2", "3"]) outbox.tell({ key, customer, kind: "job-stuck", params: {} });

	const waiting = () => database.all<object>("SELECT id FROM delivery WHERE state <> 'sent'").length;
	let starts = 0;
	while (waiting() > 0) {
		child = spawn(process.execPath, ["--input-type=module", "--eval", node, file, smtp, String(starts++)], {
			stdio: ["ignore", "ignore", "inherit"],
		});
		const dead = once(child, "exit").then(() => true);
		const done = new Promise<boolean>((resolve) => {
			const look = setInterval(() => waiting() === 0 && resolve(false), 20);
			dead.then(() => clearInterval(look));
		});
		if (!(await Promise.race([dead, done]))) child.kill("SIGKILL");
		await dead;
	}

	const mails = database.all<{ id: string }>("SELECT id FROM delivery WHERE channel = 'mail'");
	const notices = database.all<{ id: string }>("SELECT id FROM notice");
	const ids = [...mails.map(({ id }) => `<${id}@north.example>`), ...notices.map(({ id }) => id)];
	expect(ids.length).toBe(6);
	expect(new Set(arrived)).toEqual(new Set(ids));
	for (const id of ids) expect(arrived.filter((other) => other === id).length).toBeGreaterThan(1);
	expect(starts).toBeGreaterThan(1);
	database.close();
}, 60_000);
