import { createHash, createHmac } from "node:crypto";
import type { Answer, Ask } from "../../recipe.ts";

/** Who asks, and where. */
export interface S3Access {
	readonly keyId: string;
	readonly secret: string;
	readonly region: string;
}

/** One signed request to an S3 server (AWS Signature Version 4, the body's hash among what is signed). */
export interface S3Request {
	readonly method: "GET" | "PUT" | "DELETE";
	/** `/<bucket>/<key>`, of characters that need no escaping. */
	readonly path: string;
	readonly body?: string;
	/** `127.0.0.1:3900`: it is signed, so it must be what the server sees. */
	readonly host: string;
	readonly now: Date;
}

/** Sends the request through `ask` to the port called `s3`. */
export function askS3(ask: Ask, access: S3Access, request: S3Request): Promise<Answer> {
	const { method, path, body } = request;
	return ask(path, { method, port: "s3", headers: signed(access, request), ...(body !== undefined && { body }) });
}

/** The headers that prove who asks. */
export function signed({ keyId, secret, region }: S3Access, request: S3Request): Record<string, string> {
	const { method, path, body = "", host, now } = request;
	const moment = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
	const day = moment.slice(0, 8);
	const headers = { host, "x-amz-content-sha256": hash(body), "x-amz-date": moment };
	const names = Object.keys(headers).join(";");
	const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
	const canonical = [method, path, "", lines.join(""), names, hash(body)].join("\n");
	const scope = `${day}/${region}/s3/aws4_request`;
	const key = [day, region, "s3", "aws4_request"].reduce<Buffer | string>(keyed, `AWS4${secret}`);
	const signature = keyed(key, ["AWS4-HMAC-SHA256", moment, scope, hash(canonical)].join("\n")).toString("hex");
	const authorization = `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
	return { ...headers, authorization };
}

function hash(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function keyed(key: Buffer | string, text: string): Buffer {
	return createHmac("sha256", key).update(text).digest();
}
