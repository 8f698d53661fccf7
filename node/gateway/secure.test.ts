import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Find } from "./destination.ts";
import { Gateway } from "./gateway.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)("a gateway with certificates", () => {
	const folder = mkdtempSync(join(tmpdir(), "secure-"));
	const contexts = new Map<string, SecureContext>();
	const roots: string[] = [];
	let gateway: Gateway;
	let plain: number;
	let secure: number;

	const find: Find = (host) => (host.endsWith(".example") ? { kind: "panel" } : { kind: "unknown" });

	beforeAll(async () => {
		for (const host of ["north.example", "social.choir.example"]) {
			const [key, cert] = [join(folder, `${host}.key`), join(folder, `${host}.pem`)];
			const asked = [
				"req",
				"-x509",
				"-newkey",
				"ec",
				"-pkeyopt",
				"ec_paramgen_curve:prime256v1",
				"-nodes",
				"-days",
				"2",
			];
			const name = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
			execFileSync("openssl", [...asked, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" });
			roots.push(readFileSync(cert, "utf8"));
			contexts.set(host, createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) }));
		}
		gateway = new Gateway({
			find,
			panel: (request, response) => {
				const proto = request.rawHeaders[request.rawHeaders.indexOf("X-Forwarded-Proto") + 1];
				response.end(`${proto} ${request.headers.host} ${request.url}`);
			},
			about: { provider: "North", panel: "https://north.example" },
			trustProxy: false,
			secure: { fallback: "north.example", contextFor: async (host) => contexts.get(host) },
		});
		plain = await gateway.listen({ host: "127.0.0.1", port: 0 });
		secure = await gateway.listenSecurely({ host: "127.0.0.1", port: 0 });
	});
	afterAll(async () => {
		await gateway?.close(0);
		rmSync(folder, { recursive: true });
	});

	interface Asked {
		readonly host: string;
		readonly path?: string;
		readonly method?: string;
		readonly headers?: Record<string, string>;
		readonly tls?: boolean;
	}

	function ask({ host, path = "/", method = "GET", headers = {}, tls = false }: Asked) {
		return new Promise<{ status: number; location: string | undefined; text: string }>((resolve, reject) => {
			const options = { ...{ host: "127.0.0.1", path, method, agent: false as const }, headers: { host, ...headers } };
			const asked = tls
				? secureRequest({ ...options, port: secure, servername: host, ca: roots })
				: plainRequest({ ...options, port: plain });
			asked.once("error", reject).once("response", async (response) => {
				let text = "";
				for await (const part of response) text += part;
				resolve({ status: response.statusCode ?? 0, location: response.headers.location, text });
			});
			asked.end();
		});
	}

	test.each(["north.example", "social.choir.example"])(
		"shows the one for %s, and says how it was reached",
		async (host) => {
			const { status, text } = await ask({ host, path: "/a?b=c", tls: true });
			expect({ status, text }).toEqual({ status: 200, text: `https ${host} /a?b=c` });
		},
	);

	test("shows the panel's to who asks for a host that there is none for", async () => {
		await expect(ask({ host: "other.example", tls: true })).rejects.toMatchObject({
			code: "ERR_TLS_CERT_ALTNAME_INVALID",
			cert: { subject: { CN: "north.example" } },
		});
	});

	test("leads pages to TLS", async () => {
		for (const method of ["GET", "HEAD"])
			expect(await ask({ host: "social.choir.example:80", path: "/a?b=c", method })).toMatchObject({
				status: 308,
				location: "https://social.choir.example/a?b=c",
			});
	});

	test.each<[string, Asked, string]>([
		["for which there is no certificate yet", { host: "new.example" }, "http new.example /"],
		["that brings something", { host: "north.example", method: "POST" }, "http north.example /"],
		["that another node hands on", { host: "north.example", headers: { via: "1.1 south" } }, "http north.example /"],
		[
			"of a certificate authority",
			{ host: "north.example", path: "/.well-known/acme-challenge/x" },
			"http north.example /.well-known/acme-challenge/x",
		],
	])("answers a request without TLS %s", async (_what, asked, text) => {
		expect(await ask(asked)).toMatchObject({ status: 200, text });
	});

	test("hangs up on who is shown nothing, and goes on", async () => {
		contexts.delete("north.example");
		await expect(ask({ host: "other.example", tls: true })).rejects.toThrow();
		expect(await ask({ host: "social.choir.example", tls: true })).toMatchObject({ status: 200 });
	});
});
