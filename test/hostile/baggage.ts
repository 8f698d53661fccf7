/** What a fake source gives away: files as a listing names them, and pieces as they are asked for. */
import { hash } from "node:crypto";
import type { Content } from "#protocol/migration/messages.ts";
import { newStreamKey } from "#protocol/migration/seal.ts";
import { contextOf, Packer, Sealer } from "../../node/transfer/frames.ts";
import { lineOf } from "../../node/transfer/lines.ts";
import { decodeRequest } from "../../node/transfer/wants.ts";
import { hashOf } from "../../node/volumes/piece.ts";
import type { Entry } from "../../node/volumes/volume.ts";
import type { Conversation } from "./conversation.ts";
import type { Reply } from "./fake-node.ts";

const sha256 = (text: string) => hash("sha256", text, "base64url");

type Volume = Content<"manifest">["volumes"][number];

export class Baggage {
	/** The listing's lines; whoever wants to lie writes into them. */
	lines: string[];
	readonly pieces = new Map<string, Buffer>();

	/** Small files by path; folders end in `/`. */
	constructor(files: Readonly<Record<string, string>>) {
		this.lines = Object.entries(files).map(([path, text]) => lineOf(this.entry(path, text)));
	}

	/** An entry for content that it will have when asked for it. */
	entry(path: string, text: string, more: Partial<Entry> = {}): Entry {
		if (path.endsWith("/"))
			return { path: path.slice(0, -1), type: "folder", size: 0, pieces: [], mode: 0o755, ...more };
		const bytes = Buffer.from(text);
		this.pieces.set(hashOf(bytes), bytes);
		const pieces = bytes.length > 0 ? [hashOf(bytes)] : [];
		return { path, type: "file", size: bytes.length, pieces, mode: 0o644, ...more };
	}

	get text(): string {
		return this.lines.map((line) => `${line}\n`).join("");
	}

	/** As the manifest names it. */
	volume(change: Partial<Volume> = {}): Volume {
		const sizes = this.lines.map((line) => {
			try {
				return Number((JSON.parse(line) as Entry).size) || 0;
			} catch {
				return 0;
			}
		});
		return {
			...{ service: "snac", name: "data", kind: "directory", entries: this.lines.length },
			...{ bytes: sizes.reduce((sum, size) => sum + size, 0), listing: sha256(this.text) },
			...{ length: Buffer.byteLength(this.text), ...change },
		};
	}

	manifest(round: number, final: boolean, change: Partial<Volume> = {}): Content<"manifest"> {
		return { round, final, volumes: [this.volume(change)] };
	}

	/** Answers the target's questions of a session honestly. */
	serve(talk: Conversation): this {
		talk.on("GET", "/listings", ({ url }) => this.listing(url));
		talk.on("POST", "/pieces", ({ body }) => this.shipped(talk, body));
		return this;
	}

	listing(url: URL): Reply {
		return { stream: [Buffer.from(this.text).subarray(Number(url.searchParams.get("from")))] };
	}

	/** The pieces asked for in one frame, or as `pack` has it. */
	async shipped(talk: Conversation, request: Buffer, pack: Pack = everything, sid = talk.sid): Promise<Reply> {
		const key = await newStreamKey(talk.last("accept")?.sealTo ?? "");
		const wanted = decodeRequest(request).wants.flatMap(({ line, first, count }) => {
			const { pieces } = JSON.parse(this.lines[line] ?? "{}") as Entry;
			return pieces.slice(first, first + count).map((name) => this.pieces.get(name) ?? Buffer.alloc(0));
		});
		const sealer = new Sealer(key, contextOf(sid, request));
		return { stream: pack(wanted, sealer), says: key.header };
	}
}

/** Makes the stream's bytes of the pieces asked for. */
export type Pack = (pieces: readonly Buffer[], sealer: Sealer) => Buffer[];

/** All pieces in one frame, by their numbers. */
export function packed(pieces: Iterable<readonly [ordinal: number, bytes: Buffer]>): Buffer {
	const packer = new Packer();
	for (const [ordinal, bytes] of pieces) packer.add(ordinal, bytes);
	return Buffer.from(packer.take());
}

export const everything: Pack = (pieces, sealer) => sealer.frame(packed(pieces.entries()), true);
