/**
 * A stand-in for an S3 server, for the tests alone: as strict as AWS where a client can go wrong (signatures, hashes of
 * bodies, sizes of parts, escaping), with everything in memory, and with faults on demand.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Stored {
	readonly bytes: Buffer;
	readonly etag: string;
	readonly modified: number;
	readonly meta: Readonly<Record<string, string>>;
}

interface Upload {
	readonly key: string;
	readonly meta: Readonly<Record<string, string>>;
	readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
}

interface Kept {
	readonly objects: Map<string, Stored>;
	readonly uploads: Map<string, Upload>;
	/** Keys in the order of their bytes; some may be gone by now. */
	order: Buffer[];
}

/** A request as a test sees it, to count it or to let it fail. */
export interface Seen {
	readonly method: string;
	readonly url: string;
	readonly bucket: string;
	/** Empty: it is about the bucket. */
	readonly key: string;
	readonly query: URLSearchParams;
	readonly headers: IncomingMessage["headers"];
}

/**
 * Answers this error instead; or answers well but cuts the connection after so many bytes of the body; or does what it
 * is asked, and the answer is lost.
 */
export type Fault =
	| { readonly status: number; readonly code: string; readonly headers?: Record<string, string> }
	| { readonly cutAfter: number }
	| { readonly lose: true };

class Refusal extends Error {
	readonly status: number;
	readonly code: string;

	constructor(status: number, code: string, message = code) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

const standing =
	/^(cache-control|content-(disposition|encoding|language|type)|expires|x-amz-website-redirect-location|x-amz-meta-.*)$/;
const smallestPart = 5 * 1024 * 1024;

export class S3StandIn {
	readonly #server: Server;
	readonly #buckets = new Map<string, Kept>();
	/** Secret of each key id, and the buckets it may use. */
	readonly #keys = new Map<string, { readonly secret: string; readonly buckets: ReadonlySet<string> }>();
	readonly seen: Seen[] = [];
	/** Is asked before each request that is signed rightly. */
	fault: (seen: Seen) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
	/** A header that it takes and does not keep. */
	forgets = "";
	/** How many keys one page of a list has at most. */
	page = 1000;

	constructor() {
		this.#server = createServer((request, response) => void this.#serve(request, response));
	}

	async listen(): Promise<this> {
		await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
		return this;
	}

	async close(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => void this.#server.close(resolve));
	}

	/** Makes a bucket with a key of its own, which may read these others too. */
	open(bucket: string, reads: readonly string[] = []) {
		this.#buckets.set(bucket, { objects: new Map(), uploads: new Map(), order: [] });
		const accessKeyId = `AK${randomUUID().slice(0, 8).toUpperCase()}`;
		const secret = randomUUID();
		this.#keys.set(accessKeyId, { secret, buckets: new Set([bucket, ...reads]) });
		const { port } = this.#server.address() as AddressInfo;
		const endpoint = `http://127.0.0.1:${port}`;
		return { kind: "bucket", endpoint, region: "test", bucket, accessKeyId, secretAccessKey: secret } as const;
	}

	/** What is in a bucket, beside the door. */
	objects(bucket: string): Map<string, Stored> {
		return this.#kept(bucket).objects;
	}

	uploads(bucket: string): number {
		return this.#kept(bucket).uploads.size;
	}

	/** Lets the server lose all uploads that are under way. */
	giveUp(bucket: string): void {
		this.#kept(bucket).uploads.clear();
	}

	/** Puts something there as a service would; `age` in milliseconds. */
	keep(bucket: string, key: string, bytes: Buffer | string, meta: Record<string, string> = {}, age = 60_000): void {
		this.#put(bucket, key, Buffer.from(bytes), meta, undefined, Date.now() - age);
	}

	#kept(bucket: string): Kept {
		const kept = this.#buckets.get(bucket);
		if (!kept) throw new Refusal(404, "NoSuchBucket");
		return kept;
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		try {
			const body = await bodyOf(request);
			const seen = seenIn(request);
			this.#authenticate(request, seen, body);
			this.seen.push(seen);
			const fault = await this.fault(seen);
			if (fault && "cutAfter" in fault) cut(response, fault.cutAfter);
			else if (fault && "lose" in fault) lose(response);
			else if (fault) {
				for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
				throw new Refusal(fault.status, fault.code);
			}
			this.#answer(seen, body, response);
		} catch (error) {
			if (response.headersSent) return void response.destroy();
			const { status, code, message } =
				error instanceof Refusal ? error : new Refusal(500, "InternalError", String(error));
			const text = xml("Error", [tag("Code", code), tag("Message", message)]);
			response.writeHead(status, { "content-type": "application/xml" }).end(request.method === "HEAD" ? "" : text);
		}
	}

	/** From what came over the wire and the secret alone (AWS Signature Version 4). */
	#authenticate(request: IncomingMessage, seen: Seen, body: Buffer): void {
		if (/x-amz-(signature|credential)/i.test(seen.url)) throw new Refusal(400, "AuthorizationQueryParametersError");
		const form =
			/^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/test\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
		const [, id = "", day = "", names = "", signature = ""] = form.exec(request.headers.authorization ?? "") ?? [];
		const known = this.#keys.get(id);
		if (!known) throw new Refusal(403, "InvalidAccessKeyId", `no such key: ${id}`);
		const moment = String(request.headers["x-amz-date"]);
		const hash = String(request.headers["x-amz-content-sha256"]);
		const unsigned = Object.keys(request.headers).filter(
			(name) => /^(host|x-amz-.*)$/.test(name) && !names.split(";").includes(name),
		);
		if (unsigned.length > 0 || !moment.startsWith(day)) throw new Refusal(403, "AccessDenied", `unsigned: ${unsigned}`);
		const lines = names
			.split(";")
			.map((name) => `${name}:${String(request.headers[name]).trim().replaceAll(/\s+/g, " ")}\n`);
		const query = [...seen.query]
			.map(([name, value]) => `${strictly(name)}=${strictly(value)}`)
			.sort()
			.join("&");
		const path = decodeURIComponent(seen.url.split("?")[0] ?? "")
			.split("/")
			.map(strictly)
			.join("/");
		const canonical = [request.method, path, query, lines.join(""), names, hash].join("\n");
		const text = [
			"AWS4-HMAC-SHA256",
			moment,
			`${day}/test/s3/aws4_request`,
			sha(Buffer.from(canonical, "latin1")),
		].join("\n");
		const key = [day, "test", "s3", "aws4_request"].reduce<Buffer | string>(
			(made, part) => mac(made, part),
			`AWS4${known.secret}`,
		);
		if (!timingSafeEqual(mac(key, text), Buffer.from(signature, "hex")))
			throw new Refusal(403, "SignatureDoesNotMatch", `key ${id}: ${text}`);
		if (sha(body) !== hash) throw new Refusal(400, "XAmzContentSHA256Mismatch");
		const copied = copySource(seen)?.bucket;
		if (!known.buckets.has(seen.bucket) || (copied !== undefined && !known.buckets.has(copied)))
			throw new Refusal(403, "AccessDenied");
	}

	#answer(seen: Seen, body: Buffer, response: ServerResponse): ServerResponse {
		const { method, bucket, key, query } = seen;
		const upload = query.get("uploadId");
		if (key === "") {
			if (method !== "GET") throw new Refusal(501, "NotImplemented");
			const list = query.has("uploads") ? this.#listUploads(bucket, query) : this.#list(bucket, query);
			return answerXml(response, list);
		}
		if (method === "GET" || method === "HEAD") return this.#get(seen, response);
		if (method === "DELETE" && upload !== null) return this.#abort(bucket, upload, response);
		if (method === "DELETE") return this.#remove(bucket, key, response);
		if (method === "POST" && query.has("uploads")) return this.#begin(seen, response);
		if (method === "POST" && upload !== null) return this.#complete(seen, upload, body, response);
		const copy = copySource(seen);
		const bytes = copy ? this.#copied(copy, seen) : body;
		if (upload !== null) return this.#part(seen, upload, bytes, response);
		if (copy && seen.headers["x-amz-metadata-directive"] !== "REPLACE") throw new Refusal(501, "NotImplemented");
		const { [this.forgets]: _, ...meta } = metaIn(seen.headers);
		const { etag } = this.#put(bucket, key, bytes, meta);
		if (copy) return answerXml(response, xml("CopyObjectResult", [tag("ETag", `"${etag}"`)]));
		return response.writeHead(200, { etag: `"${etag}"` }).end();
	}

	#remove(bucket: string, key: string, response: ServerResponse): ServerResponse {
		this.#kept(bucket).objects.delete(key);
		return response.writeHead(204).end();
	}

	#put(
		bucket: string,
		key: string,
		bytes: Buffer,
		meta: Stored["meta"],
		etag = md5(bytes),
		modified = Date.now(),
	): Stored {
		if (Buffer.byteLength(key) > 1024) throw new Refusal(400, "KeyTooLongError");
		const kept = this.#kept(bucket);
		// As AWS does, whole seconds.
		const stored = {
			bytes,
			etag,
			modified: Math.floor(modified / 1000) * 1000,
			meta: { "content-type": "binary/octet-stream", ...meta },
		};
		if (!kept.objects.has(key)) kept.order = [];
		kept.objects.set(key, stored);
		return stored;
	}

	#get({ method, bucket, key, headers }: Seen, response: ServerResponse): ServerResponse {
		const object = this.#kept(bucket).objects.get(key);
		if (!object) throw new Refusal(404, "NoSuchKey");
		if (headers["if-match"] !== undefined && headers["if-match"] !== `"${object.etag}"`)
			throw new Refusal(412, "PreconditionFailed");
		const range = rangeOf(headers.range, object.bytes.length);
		const bytes = range ? object.bytes.subarray(range[0], range[1] + 1) : object.bytes;
		response.writeHead(range ? 206 : 200, {
			...object.meta,
			etag: `"${object.etag}"`,
			"last-modified": new Date(object.modified).toUTCString(),
			"content-length": bytes.length,
			...(range && { "content-range": `bytes ${range[0]}-${range[1]}/${object.bytes.length}` }),
		});
		return response.end(method === "HEAD" ? undefined : bytes);
	}

	#list(bucket: string, query: URLSearchParams): string {
		if (query.get("list-type") !== "2") throw new Refusal(501, "NotImplemented");
		const kept = this.#kept(bucket);
		if (kept.order.length === 0)
			kept.order = [...kept.objects.keys()].map((key) => Buffer.from(key)).sort(Buffer.compare);
		const prefix = query.get("prefix") ?? "";
		const after = Buffer.from(query.get("continuation-token") ?? "", "base64");
		const all = kept.order.slice(firstAfter(kept.order, after)).map(String);
		const keys: string[] = [];
		for (const key of all) {
			if (key.startsWith(prefix) && kept.objects.has(key)) keys.push(key);
			if (keys.length > this.page) break;
		}
		const isMore = keys.length > this.page;
		const shown = keys.slice(0, this.page);
		const contents = shown.map((key) => {
			const { etag, modified, bytes } = kept.objects.get(key) as Stored;
			const time = new Date(modified).toISOString();
			return `<Contents>${tag("Key", inList(key, query))}${tag("LastModified", time)}${tag("ETag", `"${etag}"`)}${tag("Size", String(bytes.length))}<Owner><ID>a</ID></Owner></Contents>`;
		});
		const token = isMore ? tag("NextContinuationToken", Buffer.from(shown.at(-1) ?? "").toString("base64")) : "";
		const encoding = query.has("encoding-type") ? tag("EncodingType", "url") : "";
		return xml("ListBucketResult", [encoding, tag("IsTruncated", String(isMore)), token, ...contents]);
	}

	#listUploads(bucket: string, query: URLSearchParams): string {
		const prefix = query.get("prefix") ?? "";
		const rows = [...this.#kept(bucket).uploads].filter(([, { key }]) => key.startsWith(prefix));
		const uploads = rows.map(
			([id, { key }]) => `<Upload>${tag("Key", inList(key, query))}${tag("UploadId", id)}</Upload>`,
		);
		return xml("ListMultipartUploadsResult", [tag("EncodingType", "url"), tag("IsTruncated", "false"), ...uploads]);
	}

	#begin({ bucket, key, headers }: Seen, response: ServerResponse): ServerResponse {
		const id = randomUUID();
		this.#kept(bucket).uploads.set(id, { key, meta: metaIn(headers), parts: new Map() });
		return answerXml(response, xml("InitiateMultipartUploadResult", [tag("UploadId", id)]));
	}

	#part({ bucket, key, query, headers }: Seen, id: string, bytes: Buffer, response: ServerResponse): ServerResponse {
		const upload = this.#kept(bucket).uploads.get(id);
		if (upload?.key !== key) throw new Refusal(404, "NoSuchUpload");
		const number = Number(query.get("partNumber"));
		if (!(number >= 1 && number <= 10_000)) throw new Refusal(400, "InvalidArgument");
		const etag = md5(bytes);
		upload.parts.set(number, { bytes, etag });
		if (headers["x-amz-copy-source"] === undefined) return response.writeHead(200, { etag: `"${etag}"` }).end();
		return answerXml(response, xml("CopyPartResult", [tag("ETag", `"${etag}"`)]));
	}

	#complete({ bucket, key }: Seen, id: string, body: Buffer, response: ServerResponse): ServerResponse {
		const { uploads } = this.#kept(bucket);
		const upload = uploads.get(id);
		if (upload?.key !== key) throw new Refusal(404, "NoSuchUpload");
		const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"([0-9a-f]+)"<\/ETag>/g)];
		const parts = named.map(([, number, etag]) => {
			const part = upload.parts.get(Number(number));
			if (part?.etag !== etag) throw new Refusal(400, "InvalidPart");
			return part;
		});
		if (parts.length === 0 || parts.slice(0, -1).some((part) => (part?.bytes.length ?? 0) < smallestPart))
			throw new Refusal(400, "EntityTooSmall");
		const digests = Buffer.concat(parts.map((part) => Buffer.from(part?.etag ?? "", "hex")));
		const whole = Buffer.concat(parts.map((part) => part?.bytes ?? Buffer.alloc(0)));
		const { etag } = this.#put(bucket, key, whole, upload.meta, `${md5(digests)}-${parts.length}`);
		uploads.delete(id);
		return answerXml(response, xml("CompleteMultipartUploadResult", [tag("ETag", `"${etag}"`)]));
	}

	#abort(bucket: string, id: string, response: ServerResponse): ServerResponse {
		if (!this.#kept(bucket).uploads.delete(id)) throw new Refusal(404, "NoSuchUpload");
		return response.writeHead(204).end();
	}

	#copied(source: { bucket: string; key: string }, { headers }: Seen): Buffer {
		const object = this.#kept(source.bucket).objects.get(source.key);
		if (!object) throw new Refusal(404, "NoSuchKey");
		const match = headers["x-amz-copy-source-if-match"];
		if (match !== undefined && match !== `"${object.etag}"`) throw new Refusal(412, "PreconditionFailed");
		const range = rangeOf(headers["x-amz-copy-source-range"] as string | undefined, object.bytes.length);
		return range ? object.bytes.subarray(range[0], range[1] + 1) : object.bytes;
	}
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks);
}

/** Blanks are `%20` in what is signed, so `+` means itself. */
function seenIn({ method = "", url = "", headers }: IncomingMessage): Seen {
	const [path = "", search = ""] = url.split("?", 2);
	const [, bucket = "", ...rest] = path.split("/");
	const key = decodeURIComponent(rest.join("/"));
	return { method, url, bucket, key, query: new URLSearchParams(search.replaceAll("+", "%2B")), headers };
}

function copySource({ headers }: Seen): { bucket: string; key: string } | undefined {
	const [, bucket = "", ...key] = decodeURIComponent(String(headers["x-amz-copy-source"] ?? "")).split("/");
	return bucket === "" ? undefined : { bucket, key: key.join("/") };
}

function metaIn(headers: IncomingMessage["headers"]): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) => (standing.test(name) ? [[name, String(value)]] : [])),
	);
}

function rangeOf(text: string | undefined, size: number): [number, number] | undefined {
	const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(text ?? "") ?? [];
	if (first === undefined) return undefined;
	if (Number(first) >= size) throw new Refusal(416, "InvalidRange");
	return [Number(first), last ? Math.min(Number(last), size - 1) : size - 1];
}

function lose(response: ServerResponse): void {
	response.writeHead = () => response;
	response.end = (() => response.destroy()) as unknown as typeof response.end;
}

/** Lets the answer begin as it would, and then breaks it off. */
function cut(response: ServerResponse, after: number): void {
	const end = response.end.bind(response) as (chunk?: unknown) => ServerResponse;
	response.end = ((chunk?: Buffer) => {
		if (!chunk || chunk.length <= after) return end(chunk);
		response.write(chunk.subarray(0, after), () => void response.destroy());
		return response;
	}) as typeof response.end;
}

function firstAfter(order: readonly Buffer[], after: Buffer): number {
	let [low, high] = [0, order.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (Buffer.compare(order[middle] as Buffer, after) <= 0 && after.length > 0) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** As AWS escapes keys in lists: like a form, slashes as they are. */
function inList(key: string, query: URLSearchParams): string {
	return query.has("encoding-type") ? strictly(key).replaceAll("%2F", "/").replaceAll("%20", "+") : key;
}

function answerXml(response: ServerResponse, text: string): ServerResponse {
	return response.writeHead(200, { "content-type": "application/xml" }).end(text);
}

function xml(name: string, parts: readonly string[]): string {
	return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</${name}>`;
}

function tag(name: string, text: string): string {
	return `<${name}>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")}</${name}>`;
}

function strictly(text: string): string {
	return [...Buffer.from(text)]
		.map((byte) =>
			/[\w.~-]/.test(String.fromCharCode(byte)) && byte < 128
				? String.fromCharCode(byte)
				: `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
		)
		.join("");
}

const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");
const mac = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();
