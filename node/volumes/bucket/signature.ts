import { createHash, createHmac } from "node:crypto";

/** Who asks an S3 server. */
export interface Access {
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
}

/** What is signed; all of it exactly as it goes over the wire. */
export interface Signable {
	readonly method: string;
	/** Escaped once, but for its slashes. Nothing in it is made simpler, so that keys such as `a/../b` and `a//b` are reached. */
	readonly path: string;
	/** Names and values not yet escaped. */
	readonly query: Readonly<Record<string, string>>;
	/** Names in lower case, values one character a byte; `host` among them. */
	readonly headers: Readonly<Record<string, string>>;
	/** SHA-256 of the body, hexadecimal: the server refuses another body. */
	readonly bodyHash: string;
}

/**
 * The headers that prove who asks and what is asked, the given ones among them: AWS Signature Version 4, always in a
 * header and never in the address (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 */
export function signed(access: Access, request: Signable, now: Date, keyOf = signingKey): Record<string, string> {
	const moment = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
	const headers: Record<string, string> = {
		...request.headers,
		"x-amz-content-sha256": request.bodyHash,
		"x-amz-date": moment,
	};
	const names = Object.keys(headers).sort();
	const lines = names.map((name) => `${name}:${headers[name]?.trim().replaceAll(/ +/g, " ")}\n`).join("");
	const signedNames = names.join(";");
	const canonical = [request.method, request.path, queryText(request.query), lines, signedNames, request.bodyHash];
	const scope = `${moment.slice(0, 8)}/${access.region}/s3/aws4_request`;
	const text = ["AWS4-HMAC-SHA256", moment, scope, hash(canonical.join("\n"))].join("\n");
	const signature = keyed(keyOf(access, moment.slice(0, 8)), text).toString("hex");
	const credential = `${access.accessKeyId}/${scope}`;
	headers["authorization"] =
		`AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedNames}, Signature=${signature}`;
	return headers;
}

/** A query in the one order and spelling in which it is signed; it is sent like that, too. */
export function queryText(query: Readonly<Record<string, string>>): string {
	const pairs = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
	return pairs.sort().join("&");
}

/** All but letters, digits and `-._~` as `%XX` of its UTF-8. */
export function escaped(text: string): string {
	return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What a day's requests are signed with (`day` as 20130524); worth keeping until the next. */
export function signingKey({ region, secretAccessKey }: Access, day: string): Buffer {
	return [day, region, "s3", "aws4_request"].reduce(keyed, Buffer.from(`AWS4${secretAccessKey}`));
}

function keyed(key: Buffer, text: string): Buffer {
	return createHmac("sha256", key).update(text, "latin1").digest();
}

function hash(text: string): string {
	return createHash("sha256").update(text, "latin1").digest("hex");
}
