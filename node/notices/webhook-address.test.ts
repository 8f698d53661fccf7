import type { LookupAddress } from "node:dns";
import { expect, test } from "vitest";
import { isPublic, publicLookup } from "../peers/public-address.ts";
import { webhookAddress } from "./webhook-address.ts";

test.each([
	...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
	...["172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"],
	...["198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
	...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808"],
	...["fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "100::1", "2001::1", "2001:1::1", "2001:db8::1"],
	...["2002:7f00:1::", "3fff::1", "5f00::1", "", "localhost", "8.8.8", "0x7f.1", "fe80::1%lo"],
])("%s is not public", (address) => {
	expect(isPublic(address)).toBe(false);
});

test.each([
	...["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1"],
	...["223.255.255.255", "2606:4700::1111", "2a01:4f8::1", "2001:200::1", "2001:4860:4860::8888"],
])("%s is public", (address) => {
	expect(isPublic(address)).toBe(true);
});

test.each([
	["https://hooks.example/x?y=1#part", "https://hooks.example/x?y=1"],
	["HTTPS://Hooks.Example:443", "https://hooks.example/"],
	["https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"],
	["https://8.8.8.8:8443/", "https://8.8.8.8:8443/"],
	["https://[2606:4700::1111]/", "https://[2606:4700::1111]/"],
])("%s can be a webhook", (text, spelled) => {
	expect(webhookAddress(text, false)).toBe(spelled);
});

test.each([
	...[
		"http://hooks.example/",
		"ftp://hooks.example/",
		"file:///etc/passwd",
		"javascript:alert(1)",
		"hooks.example",
		"",
	],
	...["https://user@hooks.example/", "https://:secret@hooks.example/", "https://localhost/", "https://localhost./"],
	...["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://[::1]/"],
	...[
		"https://[::ffff:127.0.0.1]/",
		"https://169.254.169.254/latest/meta-data",
		"https://intranet/",
		"https://a.local/",
	],
	...["https://a.internal/", "https://north.localhost/", "https://north.localhost./", "https://a.home.arpa/"],
])("%s cannot be a webhook", (text) => {
	expect(() => webhookAddress(text, false)).toThrow(expect.objectContaining({ code: "webhook-not-valid" }));
});

test("the problem repeats neither a password nor a path, which may be a secret too", () => {
	expect(() => webhookAddress("http://me:hunter2@hooks.example/hunter3", false)).toThrow(
		expect.objectContaining({ params: { url: "http://hooks.example" } }),
	);
});

test("the demo may have webhooks on this machine, but not with a password in the address", () => {
	expect(webhookAddress("http://localhost:1/x", true)).toBe("http://localhost:1/x");
	expect(() => webhookAddress("http://a:b@localhost:1/x", true)).toThrow(/cannot be a webhook/);
	expect(() => webhookAddress("ftp://localhost/", true)).toThrow(/cannot be a webhook/);
});

test.each([{ all: true }, { all: false }, {}])(
	"a name that leads to this machine is not connected to (%o)",
	async (options) => {
		const looked = await new Promise<{ error: Error | null; found: string | LookupAddress[] }>((resolve) => {
			publicLookup("localhost", options, (error, found) => resolve({ error, found }));
		});
		expect(looked.error).toMatchObject({ code: "NOT_PUBLIC" });
		expect(looked.found).toBe("");
	},
);

test("a public address is given in the shape asked for", async () => {
	const look = (all: boolean) =>
		new Promise((resolve) => publicLookup("8.8.8.8", { all }, (...answer) => resolve(answer)));
	expect(await look(true)).toEqual([null, [{ address: "8.8.8.8", family: 4 }]]);
	expect(await look(false)).toEqual([null, "8.8.8.8", 4]);
});
