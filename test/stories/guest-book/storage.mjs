import { createHash, createHmac } from "node:crypto";

const hash = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** One bucket of an S3 server: what a small service needs of it, signed by AWS Signature Version 4. */
export class Storage {
	#place;

	constructor(place) {
		this.#place = place;
	}

	async put(key, bytes, type) {
		await this.#ask("PUT", key, bytes, { "content-type": type });
	}

	async get(key) {
		return Buffer.from(await (await this.#ask("GET", key)).arrayBuffer());
	}

	async #ask(method, key, body, headers = {}) {
		const { endpoint, bucket, region, accessKeyId, secretAccessKey } = this.#place;
		const url = new URL(`${endpoint}/${bucket}/${key}`);
		const moment = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
		const day = moment.slice(0, 8);
		const signed = { host: url.host, "x-amz-content-sha256": hash(body ?? ""), "x-amz-date": moment };
		const names = Object.keys(signed).join(";");
		const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
		const canonical = [method, url.pathname, "", lines.join(""), names, signed["x-amz-content-sha256"]].join("\n");
		const scope = `${day}/${region}/s3/aws4_request`;
		const text = ["AWS4-HMAC-SHA256", moment, scope, hash(canonical)].join("\n");
		const signing = [day, region, "s3", "aws4_request"].reduce(hmac, `AWS4${secretAccessKey}`);
		const signature = hmac(signing, text).toString("hex");
		const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
		const { host: _, ...sent } = { ...headers, ...signed, authorization };
		const answer = await fetch(url, { method, headers: sent, body });
		if (!answer.ok) throw new Error(`${method} ${key} answered ${answer.status}: ${await answer.text()}`);
		return answer;
	}
}
