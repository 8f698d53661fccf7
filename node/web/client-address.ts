import type { WebContext } from "./implement.ts";

/**
 * Who is at the other end, for counting attempts. Behind a proxy that is trusted it is what that proxy added last to
 * `X-Forwarded-For`; all before it the client may have made up. IPv6 counts by its /64, which one household or server has whole.
 */
export function clientAddress(c: WebContext, trustProxy: boolean): string {
	const direct = c.env?.incoming?.socket.remoteAddress ?? "";
	const told = trustProxy ? c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
	return network(told || direct);
}

function network(address: string): string {
	const bare = address
		.replace(/^::ffff:(?=\d+\.)/i, "")
		.replace(/%.*$/, "")
		.toLowerCase();
	if (!bare.includes(":")) return bare;
	const [front = "", back] = bare.split("::");
	const first = front ? front.split(":") : [];
	const last = back ? back.split(":") : [];
	const all =
		back === undefined ? first : [...first, ...Array(Math.max(0, 8 - first.length - last.length)).fill("0"), ...last];
	return `${all.slice(0, 4).join(":")}::/64`;
}
