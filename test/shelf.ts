import { hashOf } from "../node/volumes/piece.ts";
import {
	type Entry,
	type Listing,
	type Piece,
	type PieceName,
	pieceSize,
	type Source,
	type Target,
} from "../node/volumes/volume.ts";

function cut(bytes: Buffer): Buffer[] {
	return Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) =>
		bytes.subarray(index * pieceSize, (index + 1) * pieceSize),
	);
}

/** A volume in memory that gives: files by their paths. Paths that end in `/` are folders. */
export class GivingShelf implements Source {
	readonly files: Map<string, Buffer>;
	/** How often it was asked for which piece. */
	readonly asked = new Map<string, number>();
	closed = false;

	constructor(files: Readonly<Record<string, Buffer | string>>) {
		this.files = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
	}

	async *list(): AsyncGenerator<readonly Entry[]> {
		for (const [path, bytes] of this.files)
			yield [
				path.endsWith("/")
					? { path: path.slice(0, -1), type: "folder", size: 0, pieces: [], mode: 0o755 }
					: { path, type: "file", size: bytes.length, pieces: cut(bytes).map(hashOf), mode: 0o644, modified: "1" },
			];
	}

	async *read(wanted: readonly PieceName[]): AsyncGenerator<readonly Piece[]> {
		for (let at = 0; at < wanted.length; at += 100)
			yield wanted.slice(at, at + 100).flatMap(({ path, index }) => {
				this.asked.set(`${path}#${index}`, (this.asked.get(`${path}#${index}`) ?? 0) + 1);
				const bytes = this.files.get(path);
				const piece = bytes && cut(bytes)[index];
				return piece ? [{ path, index, bytes: piece }] : [];
			});
	}

	async close(): Promise<void> {
		this.closed = true;
	}

	async forget(): Promise<void> {}
}

/** A volume in memory that takes. What was put aside and what settled can be looked at, and damaged. */
export class TakingShelf implements Target {
	readonly aside = new Map<string, Buffer>();
	readonly files = new Map<string, Buffer>();
	written = 0;
	settles = 0;
	/** Called before pieces are put aside; may throw or wait. */
	beforeWrite: (pieces: readonly Piece[]) => void | Promise<void> = () => {};

	async *lacking(listing: Listing): AsyncGenerator<readonly PieceName[]> {
		const asked = new Set<string>();
		for await (const entries of listing.batches())
			yield entries.flatMap(({ path, pieces }) =>
				pieces.flatMap((name, index) => {
					if (this.aside.has(name) || asked.has(name)) return [];
					asked.add(name);
					return [{ path, index }];
				}),
			);
	}

	async write(pieces: readonly Piece[]): Promise<void> {
		await this.beforeWrite(pieces);
		for (const { bytes } of pieces) this.aside.set(hashOf(bytes), Buffer.from(bytes));
		this.written += pieces.length;
	}

	async settle(listing: Listing): Promise<readonly PieceName[]> {
		this.settles++;
		const missing = new Map<string, PieceName>();
		this.files.clear();
		for await (const entries of listing.batches())
			for (const { path, type, pieces } of entries) {
				const parts = pieces.map((name) => this.aside.get(name));
				for (const [index, part] of parts.entries())
					if (!part || hashOf(part) !== pieces[index]) {
						this.aside.delete(pieces[index] as string);
						missing.set(pieces[index] as string, { path, index });
					}
				if (type === "file" && parts.every((part) => part)) this.files.set(path, Buffer.concat(parts as Buffer[]));
			}
		return [...missing.values()];
	}

	async copyTo(): Promise<void> {}
	async swap(): Promise<void> {}
	async close(): Promise<void> {}

	async discard(): Promise<void> {
		this.aside.clear();
	}
}
