import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { signingRequest } from "./signing-request.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
	.privateKey.export({ type: "pkcs8", format: "pem" })
	.toString();

function read(request: Buffer): string {
	const asked = ["req", "-inform", "DER", "-verify", "-noout", "-text"];
	const { stdout, stderr } = spawnSync("openssl", asked, { input: request, encoding: "utf8" });
	return stdout + stderr;
}

// One name, and enough of them for lengths of one, two and three bytes.
test.skipIf(!hasOpenssl).each([1, 6, 100])("another program reads a request for %i hosts as it is meant", (count) => {
	const hosts = Array.from({ length: count }, (_, n) => `host-${n}.choir.example`);
	const text = read(signingRequest(key, hosts));
	expect(text).toContain(hosts.map((host) => `DNS:${host}`).join(", "));
	expect(text).toContain("ecdsa-with-SHA256");
	expect(text).toContain("verify OK");
});

test.skipIf(!hasOpenssl)("one that was changed on the way does not verify", () => {
	const request = signingRequest(key, ["choir.example"]);
	request.write("X", request.indexOf("choir"));
	expect(read(request)).not.toContain("verify OK");
});
