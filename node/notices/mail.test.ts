import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Letter } from "./channel.ts";
import { Mail, type MailParts, smtpOptions } from "./mail.ts";

const never = new AbortController().signal;
const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});
// It warns that its own certificate is no secret; here that is the point.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => {}));

/** A real mail server on loopback, and what came in. */
async function mailServer(options: SMTPServerOptions = {}) {
	const mails: (Email & { raw: string; mailFrom: string; receivers: string[]; secure: boolean })[] = [];
	const server = new SMTPServer({
		authOptional: true,
		async onData(stream, session, done) {
			const raw = await text(stream);
			const { mailFrom, rcptTo } = session.envelope;
			mails.push({
				...(await PostalMime.parse(raw)),
				raw,
				mailFrom: mailFrom ? mailFrom.address : "",
				receivers: rcptTo.map(({ address }) => address),
				secure: session.secure,
			});
			done();
		},
		...options,
	});
	server.on("error", () => {});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(() => new Promise<void>((resolve) => server.close(resolve)));
	return { mails, address: `127.0.0.1:${(server.server.address() as AddressInfo).port}` };
}

const letter = (change: Partial<Letter> = {}): Letter => ({
	...{ id: "3f2a", target: "ada@choir.example", customer: { id: "c", language: "en" }, notice: "n" },
	...{ kind: "deploy-done", params: { domain: "choir.example" }, link: "/d/choir.example", at: 1_790_000_000_000 },
	...change,
});
const mail = (server: string, parts: Partial<MailParts> = {}) =>
	new Mail({
		...{ server, from: "North <panel@north.example>", passwordFile: null },
		...{ panel: "https://north.example:8080", provider: "North", ...parts },
	});
const refusal = (responseCode: number) => Object.assign(new Error("no"), { responseCode });

test("a mail arrives as one that can be read, answered by nobody, and told from its double", async () => {
	const { mails, address } = await mailServer();
	const post = mail(`smtp://${address}`);
	await post.send(letter({ customer: { id: "c", language: "de" } }), never);
	await post.send(letter({ customer: { id: "c", language: "de" } }), never);
	expect(mails[0]).toMatchObject({
		...{ mailFrom: "panel@north.example", receivers: ["ada@choir.example"], messageId: "<3f2a@north.example>" },
		...{ subject: "Ihre Dienste unter choir.example sind bereit", date: new Date(1_790_000_000_000).toISOString() },
		text: expect.stringContaining(
			"Ihre Dienste unter choir.example sind bereit.\n\nZur Verwaltung: https://north.example:8080/d/choir.example\n",
		),
		html: expect.stringContaining('href="https://north.example:8080/d/choir.example"'),
	});
	expect(mails[0]?.raw).toMatch(/^From: North <panel@north.example>\r$/m);
	expect(mails[0]?.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
	expect(mails[1]?.messageId).toBe(mails[0]?.messageId);
});

test.each([
	"ada@choir.example, eve@evil.example",
	"ada@choir.example\r\nRCPT TO:<eve@evil.example>",
	"ada@choir.example>, <eve@evil.example",
])("an address cannot name a second receiver: %j", async (target) => {
	const { mails, address } = await mailServer();
	await mail(`smtp://${address}`)
		.send(letter({ target }), never)
		.catch(() => {});
	expect(mails.flatMap(({ receivers }) => receivers)).not.toContain("eve@evil.example");
});

test("what is no address is given up", async () => {
	const { address } = await mailServer();
	await expect(mail(`smtp://${address}`).send(letter({ target: "ada" }), never)).rejects.toMatchObject({ final: true });
});

describe("when the server refuses", () => {
	test.each([
		["the receiver for now", 450, { onRcptTo: (_a, _s, done) => done(refusal(450)) }, false],
		["the receiver for ever", 550, { onRcptTo: (_a, _s, done) => done(refusal(550)) }, true],
		[
			"the mail for now",
			452,
			{ onData: (stream, _s, done) => void stream.resume().on("end", () => done(refusal(452))) },
			false,
		],
		[
			"the mail for ever",
			554,
			{ onData: (stream, _s, done) => void stream.resume().on("end", () => done(refusal(554))) },
			true,
		],
		["us as a sender", 553, { onMailFrom: (_a, _s, done) => done(refusal(553)) }, false],
		["all connections", 554, { onConnect: (_s, done) => done(refusal(554)) }, false],
	] satisfies [string, number, SMTPServerOptions, boolean][])("%s (%i)", async (_what, code, options, final) => {
		const { address } = await mailServer(options);
		const sending = mail(`smtp://${address}`).send(letter(), never);
		await expect(sending).rejects.toMatchObject({ final, message: expect.stringContaining(`answered`) });
		await expect(sending).rejects.toThrow(String(code));
	});
});

test("a server that is down is tried again", async () => {
	await expect(mail("smtp://127.0.0.1:1").send(letter(), never)).rejects.toMatchObject({
		...{ final: false, message: "Our mail server does not answer" },
	});
	await expect(mail("smtp://no.such.name.invalid").send(letter(), never)).rejects.toMatchObject({ final: false });
});

test("a server that takes the connection and says nothing is left when time is up", async () => {
	const stop = new AbortController();
	const address = await silentServer(() => stop.abort());
	await expect(mail(`smtp://${address}`).send(letter(), stop.signal)).rejects.toMatchObject({
		...{ final: false, message: "Our mail server took too long" },
	});
}, 5000); // Its own patience with a greeting is twice as long.

test("a server that hangs up at once is tried again", async () => {
	const address = await silentServer((server) => server.emit("hang-up"));
	await expect(mail(`smtp://${address}`).send(letter(), never)).rejects.toMatchObject({ final: false });
});

describe("with an account", () => {
	let folder: string;
	const file = () => join(folder, "password");
	const account = (password: string): SMTPServerOptions => ({
		authOptional: false,
		onAuth: ({ username, password: given }, _session, done) =>
			username === "us@north.example" && given === password ? done(null, { user: 1 }) : done(new Error("no")),
	});
	const withPassword = (password: string) => {
		folder = mkdtempSync(join(tmpdir(), "mail-"));
		closing.push(() => rmSync(folder, { recursive: true, force: true }));
		writeFileSync(file(), `${password}\n`);
	};

	test("signs in with the password of the file, over TLS where the server offers it", async () => {
		withPassword("hunter2 grün");
		const { mails, address } = await mailServer(account("hunter2 grün"));
		await mail(`smtp://us%40north.example@${address}`, { passwordFile: file() }).send(letter(), never);
		expect(mails[0]?.secure).toBe(true);
	});

	test("a wrong password is our fault: tried again, and a new one needs no restart", async () => {
		withPassword("wrong-password");
		const { mails, address } = await mailServer(account("right"));
		const post = mail(`smtp://us%40north.example@${address}`, { passwordFile: file() });
		const error = await post.send(letter(), never).catch((thrown) => thrown);
		expect(error).toMatchObject({ final: false, message: "Our mail server does not let us in" });
		await expect(post.check()).rejects.toMatchObject({ code: "mail-silent", params: { server: address } });
		await expect(post.check()).rejects.not.toThrow("wrong-password");
		writeFileSync(file(), "right");
		await post.check();
		await post.send(letter(), never);
		expect(mails.length).toBe(1);
	});

	test("a password that cannot be read is said", async () => {
		withPassword("x");
		rmSync(file());
		const sending = mail("smtp://us@127.0.0.1:1", { passwordFile: file() }).send(letter(), never);
		await expect(sending).rejects.toMatchObject({ final: false, message: "Our mail password cannot be read" });
	});
});

test("smtps is TLS from the start, with a certificate that somebody vouches for", async () => {
	const { mails, address } = await mailServer({ secure: true });
	await expect(mail(`smtps://${address}`).send(letter(), never)).rejects.toMatchObject({ final: false });
	await expect(mail(`smtps://${address}`).check()).rejects.toThrow(/certificate|self-signed/);
	expect(mails).toEqual([]);
});

test.each([
	["smtp://mail.example", null, { port: 587, secure: false, requireTLS: false }],
	["smtp://us@mail.example:25", "pw", { port: 25, secure: false, requireTLS: true, auth: { user: "us", pass: "pw" } }],
	["smtps://us@mail.example", "pw", { port: 465, secure: true, auth: { user: "us", pass: "pw" } }],
	["smtp://us@[::1]:2525", "pw", { host: "::1", requireTLS: false, tls: { rejectUnauthorized: false } }],
	["smtp://127.0.0.1.evil.example", "pw", { requireTLS: true }],
	["smtp://localhost.evil.example", "pw", { requireTLS: true }],
] as const)("%s, with the password %s", (server, password, options) => {
	expect(smtpOptions(server, password)).toMatchObject(options);
});

test.each(["smtp://mail.example", "smtps://localhost", "smtp://127.0.0.1.evil.example"])(
	"the certificate of %s is checked",
	(server) => {
		expect(smtpOptions(server, "pw").tls?.rejectUnauthorized).not.toBe(false);
	},
);

/** A server that speaks no SMTP; it hangs up when told to. */
async function silentServer(connected: (server: Server) => void): Promise<string> {
	const server = createServer((socket) => {
		socket.on("error", () => {});
		server.once("hang-up", () => socket.end());
		closing.push(() => void socket.destroy());
		connected(server);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(() => void server.close());
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
