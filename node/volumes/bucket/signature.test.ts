import { describe, expect, test } from "vitest";
import { signed } from "./signature.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature calculations". */
const access = {
	region: "us-east-1",
	accessKeyId: "AKIAIOSFODNN7EXAMPLE",
	secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const now = new Date("2013-05-24T00:00:00Z");
const host = "examplebucket.s3.amazonaws.com";
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const get = { method: "GET", path: "/", query: {}, headers: { host }, bodyHash: empty };

describe("signs as in the manual", () => {
	test.each([
		[
			"some bytes of an object",
			{ ...get, path: "/test.txt", headers: { host, range: "bytes=0-9" } },
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		],
		[
			"an object that is put",
			{
				...get,
				method: "PUT",
				path: "/test%24file.text",
				headers: { host, date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
				bodyHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			},
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		],
		[
			"a query without values",
			{ ...get, query: { lifecycle: "" } },
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		],
		[
			"a list",
			{ ...get, query: { prefix: "J", "max-keys": "2" } },
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		],
	])("%s", (_what, request, signature) => {
		expect(signed(access, request, now)["authorization"]).toContain(`Signature=${signature}`);
	});
});

test("the secret stands in no header", () => {
	expect(JSON.stringify(signed(access, get, now))).not.toContain(access.secretAccessKey);
});
