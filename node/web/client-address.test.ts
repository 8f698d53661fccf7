import { expect, test } from "vitest";
import { clientAddress } from "./client-address.ts";
import type { WebContext } from "./implement.ts";

const from = (remoteAddress: string | undefined, forwarded?: string) =>
	({ env: { incoming: { socket: { remoteAddress } } }, req: { header: () => forwarded } }) as unknown as WebContext;

test.each([
	["192.0.2.7", "192.0.2.7"],
	["::ffff:192.0.2.7", "192.0.2.7"],
	["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
	["2001:db8:1:2::1", "2001:db8:1:2::/64"],
	["2001:DB8::1", "2001:db8:0:0::/64"],
	["::1", "0:0:0:0::/64"],
	["fe80::1%eth0", "fe80:0:0:0::/64"],
	[undefined, ""],
])("%s counts as %s", (address, counted) => {
	expect(clientAddress(from(address), false)).toBe(counted);
});

test("only a trusted proxy's own word counts", () => {
	expect(clientAddress(from("127.0.0.1", "1.1.1.1, 2.2.2.2"), true)).toBe("2.2.2.2");
	expect(clientAddress(from("127.0.0.1", "1.1.1.1, 2.2.2.2"), false)).toBe("127.0.0.1");
	expect(clientAddress(from("127.0.0.1"), true)).toBe("127.0.0.1");
	expect(clientAddress(from("127.0.0.1", ""), true)).toBe("127.0.0.1");
});
