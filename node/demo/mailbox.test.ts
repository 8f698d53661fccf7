import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Mailbox, openMailbox } from "./mailbox.ts";

let folder: string;
let file: string;
let mailbox: Mailbox;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "mailbox-"));
	file = join(folder, "mail.jsonl");
	mailbox = await openMailbox({ file, now: () => 1_790_000_000_000 });
});
afterEach(async () => {
	await mailbox.close();
	rmSync(folder, { recursive: true, force: true });
});

async function restart() {
	await mailbox.close();
	mailbox = await openMailbox({ file, now: () => 1_790_000_000_000 });
}

async function send(message: object = {}, port = mailbox.port) {
	const transport = createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
	await transport.sendMail({ from: "North <panel@north.localhost>", to: "ada@choir.example", ...message });
}
const subjects = () => mailbox.list().map(({ subject }) => subject);

test("takes mail for anybody and shows it as it was meant", async () => {
	await send({ subject: "Grüße ✓", text: "Zeile 1\n\nZeile ü", html: "<p>other", to: "ada@a.example, bob@b.example" });
	const [mail] = mailbox.list();
	expect(mail).toEqual({
		...{ id: expect.any(String), at: 1_790_000_000_000, from: "North <panel@north.localhost>", subject: "Grüße ✓" },
		...{ to: ["ada@a.example", "bob@b.example"], text: "Zeile 1\n\nZeile ü\n", messageId: expect.any(String) },
	});
	expect(mailbox.get(mail?.id ?? "")).toEqual(mail);
	expect(mailbox.get("other")).toBeUndefined();
});

test("a mail that has only HTML is shown as text", async () => {
	await send({ html: "<style>p{}</style><p>Hello <b>you</b></p>" });
	expect(mailbox.list()[0]?.text).toContain("Hello");
	expect(mailbox.list()[0]?.text).not.toContain("<");
});

test("who is hidden in the mail is shown by the envelope", async () => {
	await send({ to: undefined, bcc: "ada@choir.example" });
	expect(mailbox.list()[0]?.to).toEqual(["ada@choir.example"]);
});

test("newest first, and only the last ones are kept, in a file that does not grow without end", async () => {
	await mailbox.close();
	mailbox = await openMailbox({ file, now: Date.now, most: 3 });
	for (let n = 0; n < 20; n++) {
		await send({ subject: `${n}` });
		expect(readFileSync(file, "utf8").split("\n").length).toBeLessThanOrEqual(7);
	}
	expect(subjects()).toEqual(["19", "18", "17"]);
	await mailbox.close();
	mailbox = await openMailbox({ file, now: Date.now, most: 2 });
	expect(subjects()).toEqual(["19", "18"]);
});

test("a mail that comes again is one, unless it is for somebody else", async () => {
	const message = { subject: "Ready", messageId: "<1@north.localhost>" };
	await send(message);
	await restart();
	await send(message);
	await send({ ...message, to: "bob@choir.example" });
	expect(mailbox.list().map(({ to }) => to)).toEqual([["bob@choir.example"], ["ada@choir.example"]]);
});

test("mails without a Message-ID are each their own", async () => {
	const raw = "Subject: bare\r\n\r\nText";
	const envelope = { from: "a@a.example", to: ["ada@choir.example"] };
	await send({ raw, envelope });
	await send({ raw, envelope });
	expect(subjects()).toEqual(["bare", "bare"]);
});

test("is for us alone", async () => {
	await send();
	expect(statSync(file).mode & 0o077).toBe(0);
});

test("what was accepted is there after kill -9, and what was cut off does no harm", async () => {
	const program = `
		const { openMailbox } = await import("${join(import.meta.dirname, "mailbox.ts")}");
		const mailbox = await openMailbox({ file: process.argv[1], now: Date.now });
		process.stdout.write(String(mailbox.port));`;
	await mailbox.close();
	const child = spawn(process.execPath, ["--input-type=module", "--eval", program, file]);
	const [port] = (await once(child.stdout, "data")) as [Buffer];
	for (const subject of ["1", "2", "3"]) await send({ subject }, Number(port));
	child.kill("SIGKILL");
	await once(child, "exit");
	appendFileSync(file, '{"id":"cut","subject":"cut o');
	mailbox = await openMailbox({ file, now: Date.now });
	expect(subjects()).toEqual(["3", "2", "1"]);
	await send({ subject: "4" });
	await restart();
	expect(subjects()).toEqual(["4", "3", "2", "1"]);
});

test("a mail that cannot be kept is not accepted", async () => {
	rmSync(folder, { recursive: true });
	await expect(send({ subject: "lost" })).rejects.toThrow();
	expect(subjects()).toEqual([]);
});

test("a mail that is too large is refused", async () => {
	await expect(send({ text: "x".repeat(1_500_000) })).rejects.toMatchObject({ responseCode: 552 });
	expect(subjects()).toEqual([]);
});

test("a file that is no mailbox is as good as none", async () => {
	await mailbox.close();
	writeFileSync(file, "\0garbage\n[]\nnull\n7\n");
	mailbox = await openMailbox({ file, now: Date.now });
	await send({ subject: "1" });
	expect(subjects()).toEqual(["1"]);
});

test("whoever hangs up in the middle leaves nothing", async () => {
	const socket = connect(mailbox.port, "127.0.0.1");
	socket.on("error", () => {});
	const say = async (line: string) => {
		socket.write(`${line}\r\n`);
		await once(socket, "data");
	};
	await once(socket, "data");
	await say("EHLO me");
	await say("MAIL FROM:<a@a.example>");
	await say("RCPT TO:<b@b.example>");
	await say("DATA");
	socket.write("Subject: half");
	socket.destroy();
	await once(socket, "close");
	await send({ subject: "whole" });
	expect(subjects()).toEqual(["whole"]);
});
