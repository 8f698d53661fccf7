import type { IncomingMessage } from "node:http";
import { createServer as listen } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { afterwards, ask, eventually, Line, listening, service } from "../../test/loopback.ts";
import type { Destination } from "./destination.ts";
import { Gateway, type GatewayParts } from "./gateway.ts";

const about = { provider: "North", panel: "https://north.example/" };
const unknown: Destination = { kind: "unknown" };

async function open(parts: Partial<GatewayParts>): Promise<{ gateway: Gateway; port: number }> {
	const panel: GatewayParts["panel"] = (_, response) => response.end("panel");
	const gateway = new Gateway({ find: () => unknown, panel, about, trustProxy: false, ...parts });
	const port = await gateway.listen({ host: "127.0.0.1", port: 0 });
	afterwards(() => gateway.close(0));
	return { gateway, port };
}

/** A gateway before one service that tells what it was asked. */
async function before(parts: Partial<GatewayParts> = {}) {
	const seen = await service((_, response) => response.end("hello"));
	const { gateway, port } = await open({ find: () => ({ kind: "service", port: seen.port }), ...parts });
	return { gateway, port, requests: seen.requests };
}

function body(answer: string): string {
	return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

function values(request: IncomingMessage | undefined, name: string): string[] {
	const raw = request?.rawHeaders ?? [];
	return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
}

test.each([
	["as it stands", "GET / HTTP/1.1\nHost: social.choir.example", "social.choir.example"],
	["in capitals", "GET / HTTP/1.1\nHost: SOCIAL.Choir.Example", "social.choir.example"],
	["with a port", "GET / HTTP/1.1\nHost: social.choir.example:8080", "social.choir.example"],
	["with a final dot", "GET / HTTP/1.1\nHost: social.choir.example.:8080", "social.choir.example"],
	["international, as DNS has it", "GET / HTTP/1.1\nHost: xn--chr-tna.example", "xn--chr-tna.example"],
	["international, in raw UTF-8", "GET / HTTP/1.1\nHost: ch\xc3\xb6r.example:80", "xn--chr-tna.example"],
	["an IPv4 address", "GET / HTTP/1.1\nHost: 127.0.0.1:80", "127.0.0.1"],
	["an IPv6 address", "GET / HTTP/1.1\nHost: [::1]:80", "[::1]"],
	["none, which HTTP/1.0 allows", "GET / HTTP/1.0", ""],
	["empty, which HTTP/1.1 allows", "GET / HTTP/1.1\nHost:", ""],
	["in the request line", "GET http://social.choir.example/x HTTP/1.1\nHost: other.example", "social.choir.example"],
	["in the request line, without a path", "GET HTTP://wiki.choir.example?q HTTP/1.1\nHost: a", "wiki.choir.example"],
])("the host is found %s", async (_, head, host) => {
	const asked: string[] = [];
	const { port } = await before({
		find: (name) => {
			asked.push(name);
			return unknown;
		},
	});
	expect(await ask(port, head)).toMatch(/^HTTP\/1.1 421 /);
	expect(asked).toEqual([host]);
});

test.each([
	["no Host", "GET / HTTP/1.1"],
	["two Hosts", "GET / HTTP/1.1\nHost: a.example\nHost: b.example"],
	["the same Host twice", "GET / HTTP/1.1\nHost: a.example\nHost: a.example"],
	["a Host with a path", "GET / HTTP/1.1\nHost: a.example/b"],
	["a Host with a user", "GET / HTTP/1.1\nHost: a@b.example"],
	["a Host with a space", "GET / HTTP/1.1\nHost: a.example b.example"],
	["a Host with a quote", 'GET / HTTP/1.1\nHost: "><script>'],
	["a Host that is only a port", "GET / HTTP/1.1\nHost: :80"],
	["a Host of 300 characters", `GET / HTTP/1.1\nHost: ${"a".repeat(300)}`],
	["a Host that is not UTF-8", "GET / HTTP/1.1\nHost: ch\xf6\xf6r.example"],
	["another scheme in the request line", "GET ftp://a.example/ HTTP/1.1\nHost: a.example"],
	["a user in the request line", "GET http://a@b.example/ HTTP/1.1\nHost: b.example"],
	["no host in the request line", "GET http:///x HTTP/1.1\nHost: b.example"],
	["only an asterisk", "OPTIONS * HTTP/1.1\nHost: b.example"],
])("refuses %s", async (_, head) => {
	const { port, requests } = await before();
	expect(await ask(port, head)).toMatch(/^HTTP\/1.1 400 /);
	expect(requests).toEqual([]);
});

const end = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
test.each([
	["both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked"],
	["both lengths, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 5"],
	["two lengths", "Content-Length: 5\r\nContent-Length: 44"],
	["a list of lengths", "Content-Length: 5, 44"],
	["a signed length", "Content-Length: +5"],
	["a hexadecimal length", "Content-Length: 0x5"],
	["a coding that we do not undo", "Transfer-Encoding: gzip, chunked"],
	["chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
	["chunked that is not last", "Transfer-Encoding: chunked, identity"],
	["a coding that nobody knows", "Transfer-Encoding: xchunked"],
	["a space before the colon", "Transfer-Encoding : chunked"],
	["a folded line", "Transfer-Encoding:\r\n chunked"],
	["a bare line feed", "X: y\nTransfer-Encoding: chunked"],
	["a NUL", "X: y\0\r\nTransfer-Encoding: chunked"],
])("nothing is smuggled past it with %s", async (_, framing) => {
	const { port, requests } = await before();
	const answer = await new Line(port, `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${end}`).closed();
	expect(answer).toMatch(/^HTTP\/1.1 400 /);
	expect(answer).not.toContain("hello");
	expect(requests).toEqual([]);
});

test("chunks in HTTP/1.0 are a trick", async () => {
	const { port, requests } = await before();
	const answer = await ask(port, "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked", "0\r\n\r\n");
	expect(answer).toMatch(/^HTTP\/1.1 400 /);
	expect(requests).toEqual([]);
});

test("a service gets the request as it was sent, to the byte", async () => {
	const { port, requests } = await before();
	const path = "/caf%C3%A9/%0d%0aX:%20y//../%2e%2E/?a=%20&b=%c3%a9&&";
	await ask(port, `GET ${path} HTTP/1.1\nHost: Social.Choir.Example.:81\nX-Name: \xc3\xa9\nCookie: a=1\nCookie: b=2`);
	const [request] = requests;
	expect(request?.url).toBe(path);
	expect(values(request, "host")).toEqual(["Social.Choir.Example.:81"]);
	expect(values(request, "x-name")).toEqual(["\xc3\xa9"]);
	expect(values(request, "cookie")).toEqual(["a=1", "b=2"]);
	expect(values(request, "x")).toEqual([]);
});

test.each([
	["http://social.choir.example:81/a?b", "/a?b"],
	["http://social.choir.example:81?b", "/?b"],
	["http://social.choir.example:81", "/"],
])("a host in the request line replaces the other one: %s", async (target, path) => {
	const { port, requests } = await before();
	await ask(port, `GET ${target} HTTP/1.1\nHost: other.example`);
	expect(requests[0]?.url).toBe(path);
	expect(values(requests[0], "host")).toEqual(["social.choir.example:81"]);
	expect(values(requests[0], "x-forwarded-host")).toEqual(["social.choir.example:81"]);
});

test("what frames a message cannot be taken out of it", async () => {
	const { port, requests } = await before();
	const head = "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nConnection: Content-Length, Host";
	expect(body(await ask(port, head, "hello"))).toBe("hello");
	expect(requests[0]?.headers).toMatchObject({ host: "a", "content-length": "5" });
	expect(requests[0]?.headers).not.toHaveProperty("transfer-encoding");
});

const lies = [
	"X-Forwarded-For: 192.0.2.1",
	"X-Forwarded-Proto: https",
	"X-Forwarded-Host: bank.example",
	"X-Forwarded-Port: 443",
	"X-Forwarded-Ssl: on",
	"X-Forwarded-Prefix: /admin",
	"X_Forwarded_For: 192.0.2.2",
	"Forwarded: for=192.0.2.3;proto=https",
	"X-Real-IP: 192.0.2.4",
	"Client-IP: 192.0.2.5",
	"True-Client-IP: 192.0.2.6",
	"Proxy: http://192.0.2.7",
];

test("nobody can claim to be somebody else", async () => {
	const { port, requests } = await before();
	await ask(port, `GET / HTTP/1.1\nHost: a.example\n${lies.join("\n")}\nConnection: X-Forwarded-For, Host`);
	const headers = requests[0]?.headers ?? {};
	expect(Object.values(headers).join(" ")).not.toMatch(/192\.0\.2|bank|admin/);
	expect(headers).toEqual({
		host: "a.example",
		"x-forwarded-for": "127.0.0.1",
		"x-forwarded-proto": "http",
		"x-forwarded-host": "a.example",
		connection: "keep-alive",
	});
});

test("a trusted proxy is believed, but only its own word", async () => {
	const { port, requests } = await before({ trustProxy: true });
	const claimed = ["X-Forwarded-For: 192.0.2.1, 198.51.100.7", "X-Forwarded-Proto: gopher, HTTPS", ...lies.slice(2)];
	await ask(port, `GET / HTTP/1.1\nHost: a.example\n${claimed.join("\n")}`);
	expect(values(requests[0], "x-forwarded-for")).toEqual(["198.51.100.7"]);
	expect(values(requests[0], "x-forwarded-proto")).toEqual(["https"]);
	expect(values(requests[0], "x-forwarded-host")).toEqual(["a.example"]);
	expect(requests[0]?.rawHeaders.join(" ")).not.toMatch(/192\.0\.2|bank|admin/);
});

test.each([
	["nothing", ""],
	["nonsense", "\nX-Forwarded-For: <script>\nX-Forwarded-Proto: javascript"],
	["a list that ends with nothing", "\nX-Forwarded-For: 192.0.2.1,\nX-Forwarded-Proto: https,"],
])("a trusted proxy that says %s is the client itself", async (_, more) => {
	const { port, requests } = await before({ trustProxy: true });
	await ask(port, `GET / HTTP/1.1\nHost: a.example${more}`);
	expect(values(requests[0], "x-forwarded-for")).toEqual(["127.0.0.1"]);
	expect(values(requests[0], "x-forwarded-proto")).toEqual(["http"]);
});

test("two gateways in a row name the client once", async () => {
	const inner = await before({ trustProxy: true });
	const outer = await open({ find: () => ({ kind: "service", port: inner.port }) });
	const line = `GET / HTTP/1.1\nHost: social.choir.localhost:8080\nX-Forwarded-For: 192.0.2.1`;
	expect(body(await ask(outer.port, line))).toBe("hello");
	expect(values(inner.requests[0], "host")).toEqual(["social.choir.localhost:8080"]);
	expect(values(inner.requests[0], "x-forwarded-for")).toEqual(["127.0.0.1"]);
	expect(values(inner.requests[0], "x-forwarded-host")).toEqual(["social.choir.localhost:8080"]);
});

test("headers for one connection only stay there, in both directions", async () => {
	const raw = listen((socket) =>
		socket.once("data", (data) => {
			told = data.toString("latin1");
			socket.write("HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=1\r\n");
			socket.write("Proxy-Authenticate: Basic\r\nTrailer: x\r\nUpgrade: h2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
			socket.end("X-Name: \xc3\xa9\r\n\r\nuntil the end", "latin1");
		}),
	);
	let told = "";
	const port = await listening(raw);
	const gateway = await open({ find: () => ({ kind: "service", port }) });
	const sent = ["TE: trailers", "Keep-Alive: 5", "Proxy-Authorization: x", "Trailer: y", "X-Mine: 2", "X-Keep: 3"];
	const answer = await ask(gateway.port, `GET / HTTP/1.1\nHost: a\n${sent.join("\n")}\nConnection: x-mine`);
	expect(told).not.toMatch(/^(te|proxy-authorization|trailer|x-mine|upgrade):/im);
	expect(told).toMatch(/^X-Keep: 3\r$/m);
	expect(answer).not.toMatch(/^(x-mine|proxy-authenticate|trailer|upgrade):/im);
	expect(answer).toMatch(/^Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Name: \xc3\xa9\r$/im);
	expect(answer).toMatch(/until the end/);
});

test("the panel is asked in this process and sees the truth about the client", async () => {
	const app = new Hono();
	app.all("*", async (c) => c.json([c.req.url, c.req.header("x-forwarded-for"), await c.req.text()]));
	const hono = getRequestListener(app.fetch);
	const urls: unknown[] = [];
	const panel: GatewayParts["panel"] = (request, response) => {
		urls.push(request.url);
		return hono(request, response);
	};
	const { port } = await open({ find: () => ({ kind: "panel" }), panel });
	const head = "Host: north.example\nX-Forwarded-For: 192.0.2.1\nX_Forwarded_For: 192.0.2.1";
	expect(await ask(port, `GET http://north.example/a HTTP/1.1\n${head}`)).toMatch(
		/\["http:\/\/north.example\/a","127.0.0.1",""\]/,
	);
	expect(await ask(port, `POST /b HTTP/1.1\n${head}\nContent-Length: 4`, "body")).toMatch(/"127.0.0.1","body"\]/);
	expect(await ask(port, `POST /b HTTP/1.1\n${head}`)).toMatch(/"127.0.0.1",""\]/);
	expect(urls).toEqual(["/a", "/b", "/b"]);
});

test.each([
	["rejects", () => Promise.reject(new Error("bug"))],
	[
		"throws",
		() => {
			throw new Error("bug");
		},
	],
])("a panel that %s gives 500 and nothing else", async (_, panel) => {
	const { port } = await open({ find: () => ({ kind: "panel" }), panel });
	const answer = await ask(port, "GET / HTTP/1.1\nHost: a");
	expect(answer).toMatch(/^HTTP\/1.1 500 /);
	expect(answer).not.toContain("bug");
});

test("a fault in finding is a reason to wait, not to give up", async () => {
	const { port } = await open({
		find: () => {
			throw new Error("bug");
		},
	});
	expect(await ask(port, "GET / HTTP/1.1\nHost: a")).toMatch(/^HTTP\/1.1 503 .*Retry-After: 60/s);
	const knock = "GET / HTTP/1.1\nHost: a\nUpgrade: websocket";
	expect(await ask(port, `${knock}\nConnection: Upgrade`)).toMatch(/^HTTP\/1.1 503 /);
});

test("TRACE and CONNECT lead nowhere", async () => {
	const { port, requests } = await before();
	const answer = await ask(port, "TRACE / HTTP/1.1\nHost: a\nCookie: secret");
	expect(answer).toMatch(/^HTTP\/1.1 405 /);
	expect(answer).not.toContain("secret");
	expect(await ask(port, "CONNECT a:80 HTTP/1.1\nHost: a:80")).toBe("");
	expect(requests).toEqual([]);
});

test("it counts what it does", async () => {
	const { gateway, port } = await before();
	const line = new Line(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	await line.until((text) => text.includes("hello"));
	await ask(port, "GET /?x HTTP/1.1\nHost: a\nHost: b");
	expect(gateway.tally).toEqual({ panel: 0, service: 1, away: 0, wait: 0, unknown: 0, failed: 0, refused: 1 });
	await eventually(() => gateway.open.connections === 1);
	expect(gateway.open.webSockets).toBe(0);
});

test("closing lets a request end and takes no other", async () => {
	let answer = () => {};
	const seen = await service((_, response) => {
		answer = () => response.end("done");
	});
	const { gateway, port } = await open({ find: () => ({ kind: "service", port: seen.port }) });
	const line = new Line(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	await eventually(() => seen.requests.length === 1);
	const closed = gateway.close(60_000);
	expect(await ask(port, "GET / HTTP/1.1\nHost: a")).toBe("");
	answer();
	expect(await line.closed()).toMatch(/done$/);
	await closed;
	await gateway.close();
});

test("closing hangs up on who does not end", async () => {
	const seen = await service(() => {});
	const { gateway, port } = await open({ find: () => ({ kind: "service", port: seen.port }) });
	const line = new Line(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	await eventually(() => seen.requests.length === 1);
	await gateway.close(1);
	expect(await line.closed()).toBe("");
});

test("a port that is taken is said", async () => {
	const { gateway, port } = await before();
	expect(gateway).toBeDefined();
	const other = new Gateway({ find: () => unknown, panel: () => {}, about, trustProxy: false });
	await expect(other.listen({ host: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
