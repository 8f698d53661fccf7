import { textOf } from "./answer.ts";
import { type Answer, type Ask, type BucketPlace, Connection, escapedKey, Passing } from "./connection.ts";
import { type Meta, metaOf } from "./meta.ts";
import { Patience } from "./patience.ts";

/** An object as a list of the bucket names it. */
export interface Listed {
	readonly key: string;
	/** Without quotes; another one means other content. */
	readonly etag: string;
	readonly size: number;
	/** As the server writes it, to be compared and not counted with. */
	readonly modified: string;
}

/** What is known of an object besides its content. */
export interface Head {
	readonly etag: string;
	readonly size: number;
	readonly meta: Meta;
	/** Milliseconds it had been as it is, by the server's own clock. */
	readonly age: number;
}

export interface Range {
	readonly start: number;
	readonly length: number;
	/** Only this version is wanted. */
	readonly etag: string;
}

/** A version of an object in a bucket of the same server. */
export interface Original {
	readonly bucket: string;
	readonly key: string;
	readonly etag: string;
	readonly size: number;
}

/** A copy by one request holds at most 5 GiB (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html). */
const copiedAtOnce = 5 * 1024 ** 3;
const copiedPart = 1024 ** 3;
/** Object is not there, or not in the version asked for. */
const gone = [404, 412];

/** One bucket of an S3 server: just what it takes to move it. */
export class Bucket {
	readonly #connection: Connection;

	constructor(place: BucketPlace) {
		this.#connection = new Connection(place);
	}

	/** All objects under the prefix in the order of their keys, at most a thousand at a time. */
	async *objects(signal: AbortSignal, prefix = ""): AsyncIterable<readonly Listed[]> {
		let token: string | undefined;
		do {
			const query = {
				...{ "list-type": "2", "encoding-type": "url", prefix },
				...(token !== undefined && { "continuation-token": token }),
			};
			const page = await this.#connection.askXml(() => ({ method: "GET", query, signal }));
			const decode = textOf(page, "EncodingType") === "url" ? fromUrl : (text: string) => text;
			yield page.children
				.filter(({ name }) => name === "Contents")
				.map((object) => ({
					key: decode(textOf(object, "Key") ?? ""),
					etag: bare(textOf(object, "ETag")),
					size: Number(textOf(object, "Size")),
					modified: textOf(object, "LastModified") ?? "",
				}));
			token = textOf(page, "IsTruncated") === "true" ? textOf(page, "NextContinuationToken") : undefined;
		} while (token !== undefined);
	}

	/** Undefined: it is not there. */
	async head(key: string, signal: AbortSignal): Promise<Head | undefined> {
		return this.#connection.ask(
			() => ({ method: "HEAD", key, expected: gone, signal }),
			async (answer) => {
				await answer.body.dump();
				return answer.statusCode < 300 ? headOf(answer, Number(answer.headers["content-length"])) : undefined;
			},
		);
	}

	/**
	 * Gives the whole content of one version to `each`, and goes on where it was when the connection breaks. Undefined:
	 * it is not there, or another version has taken its place meanwhile.
	 */
	async stream(key: string, each: (chunk: Buffer) => void, signal: AbortSignal): Promise<Head | undefined> {
		const patience = new Patience(signal);
		let head: Head | undefined;
		let seen = 0;
		const headers = (): Record<string, string> =>
			head ? { range: `bytes=${seen}-`, "if-match": `"${head.etag}"` } : {};
		return this.#connection.ask(
			() => ({ method: "GET", key, headers: headers(), expected: [...gone, 416], signal }),
			async (answer) => {
				if (answer.statusCode >= 300) return answer.body.dump().then(() => undefined);
				const now = headOf(answer, Number(answer.headers["content-length"]) + seen);
				if (seen > 0 && (answer.statusCode !== 206 || now.etag !== head?.etag))
					return answer.body.dump().then(() => undefined);
				head ??= now;
				for await (const chunk of answer.body as AsyncIterable<Buffer>) {
					each(chunk);
					seen += chunk.length;
					patience.renew();
				}
				if (seen !== head.size) throw new Passing("an object was cut off");
				return head;
			},
			patience,
		);
	}

	/** Some bytes of an object, which must be few enough for the memory. Undefined: that version is not there. */
	async bytes(key: string, { start, length, etag }: Range, signal: AbortSignal): Promise<Buffer | undefined> {
		const headers = { range: `bytes=${start}-${start + length - 1}`, "if-match": `"${etag}"` };
		return this.#connection.ask(
			() => ({ method: "GET", key, headers, expected: [...gone, 416], signal }),
			async (answer) => {
				if (answer.statusCode !== 206) return answer.body.dump({ limit: 1024 }).then(() => undefined);
				const bytes = Buffer.from(await answer.body.arrayBuffer());
				if (bytes.length < length && bytes.length !== Number(answer.headers["content-length"]))
					throw new Passing("some bytes were cut off");
				return bytes.length === length ? bytes : undefined;
			},
		);
	}

	/** Answers the new version's etag. The server refuses a body that is not what was signed. */
	async put(key: string, body: Buffer, meta: Meta, signal: AbortSignal): Promise<string> {
		return this.#connection.ask(() => ({ method: "PUT", key, headers: meta, body, signal }), etagOf);
	}

	/** An object that is not there is fine. */
	async remove(key: string, signal: AbortSignal): Promise<void> {
		await this.#connection.ask(() => ({ method: "DELETE", key, expected: [404], signal }), dump);
	}

	/** Begins an object that comes in parts (at least 5 MiB each but the last); answers the upload's id. */
	async begin(key: string, meta: Meta, signal: AbortSignal): Promise<string> {
		const ask = () => ({ method: "POST", key, query: { uploads: "" }, headers: meta, signal }) as const;
		const id = textOf(await this.#connection.askXml(ask), "UploadId");
		if (!id) throw new Error("an upload began without an id");
		return id;
	}

	/** Undefined: there is no such upload any more. */
	async part(
		key: string,
		upload: string,
		number: number,
		body: Buffer,
		signal: AbortSignal,
	): Promise<string | undefined> {
		const query = { partNumber: String(number), uploadId: upload };
		return this.#connection.ask(
			() => ({ method: "PUT", key, query, body, expected: [404], signal }),
			async (answer) => (answer.statusCode === 404 ? answer.body.dump().then(() => undefined) : etagOf(answer)),
		);
	}

	/** Makes the parts the object and answers its etag; undefined: there is no such upload any more. */
	async complete(
		key: string,
		upload: string,
		etags: readonly string[],
		signal: AbortSignal,
	): Promise<string | undefined> {
		const parts = etags.map(
			(etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`,
		);
		const body = Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
		const query = { uploadId: upload };
		const ask = () => ({ method: "POST", key, query, body, expected: [404], signal }) as const;
		const answer = await this.#connection.askXml(ask, ["NoSuchUpload"]);
		return answer.name === "Error" ? undefined : bare(textOf(answer, "ETag"));
	}

	async abort(key: string, upload: string, signal: AbortSignal): Promise<void> {
		const query = { uploadId: upload };
		await this.#connection.ask(() => ({ method: "DELETE", key, query, expected: [404], signal }), dump);
	}

	/** Uploads that were begun and neither completed nor aborted. */
	async *uploads(signal: AbortSignal, prefix = ""): AsyncIterable<{ readonly key: string; readonly id: string }> {
		let marker: Record<string, string> | undefined = {};
		while (marker) {
			const query: Record<string, string> = { uploads: "", "encoding-type": "url", prefix, ...marker };
			const page = await this.#connection.askXml(() => ({ method: "GET", query, signal }));
			const decode = textOf(page, "EncodingType") === "url" ? fromUrl : (text: string) => text;
			for (const upload of page.children.filter(({ name }) => name === "Upload"))
				yield { key: decode(textOf(upload, "Key") ?? ""), id: textOf(upload, "UploadId") ?? "" };
			marker =
				textOf(page, "IsTruncated") === "true"
					? {
							"key-marker": decode(textOf(page, "NextKeyMarker") ?? ""),
							"upload-id-marker": textOf(page, "NextUploadIdMarker") ?? "",
						}
					: undefined;
		}
	}

	/**
	 * Lets the server copy an object of one of its buckets under a key of this one, with this metadata. Undefined: that
	 * version is not there. Throws `bucket-refused` where the key of this bucket may not read the other.
	 */
	async copy(source: Original, key: string, meta: Meta, signal: AbortSignal): Promise<string | undefined> {
		const from = {
			"x-amz-copy-source": `/${escapedKey(`${source.bucket}/${source.key}`)}`,
			"x-amz-copy-source-if-match": `"${source.etag}"`,
		};
		if (source.size > copiedAtOnce) return this.#copyInParts(from, source.size, key, meta, signal);
		const headers = { ...from, ...meta, "x-amz-metadata-directive": "REPLACE" };
		return this.#copied(() => ({ method: "PUT", key, headers, expected: gone, signal }));
	}

	async #copyInParts(from: Meta, size: number, key: string, meta: Meta, signal: AbortSignal) {
		const upload = await this.begin(key, meta, signal);
		const etags: string[] = [];
		for (let start = 0; start < size; start += copiedPart) {
			const end = Math.min(start + copiedPart, size) - 1;
			const headers = { ...from, "x-amz-copy-source-range": `bytes=${start}-${end}` };
			const query = { partNumber: String(etags.length + 1), uploadId: upload };
			const etag = await this.#copied(() => ({ method: "PUT", key, query, headers, expected: gone, signal }));
			if (etag === undefined) return this.abort(key, upload, signal).then(() => undefined);
			etags.push(etag);
		}
		return this.complete(key, upload, etags, signal);
	}

	async #copied(ask: () => Ask): Promise<string | undefined> {
		const answer = await this.#connection.askXml(ask, ["NoSuchKey", "PreconditionFailed"]);
		return answer.name === "Error" ? undefined : bare(textOf(answer, "ETag"));
	}

	/** Whether one server keeps both, which can then copy by itself. */
	isBeside(other: Bucket): boolean {
		return this.#connection.isBeside(other.#connection);
	}

	get name(): string {
		return this.#connection.bucket;
	}

	close(): Promise<void> {
		return this.#connection.close();
	}
}

async function dump(answer: Answer): Promise<void> {
	await answer.body.dump();
}

async function etagOf(answer: Answer): Promise<string> {
	await answer.body.dump();
	return bare(answer.headers["etag"] as string | undefined);
}

function headOf({ headers }: Answer, size: number): Head {
	const time = (name: string) => Date.parse(String(headers[name] ?? ""));
	const age = time("date") - time("last-modified");
	return { etag: bare(String(headers["etag"])), size, meta: metaOf(headers), age: Number.isNaN(age) ? 0 : age };
}

function bare(etag = ""): string {
	return etag.replace(/^(?:W\/)?"(.*)"$/, "$1");
}

/** Keys are escaped in lists, since XML has no words for some characters; a blank may then stand as `+`. */
function fromUrl(text: string): string {
	return decodeURIComponent(text.replaceAll("+", " "));
}
