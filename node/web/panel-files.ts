import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Where the built panel lies. */
export const panelFolder = join(import.meta.dirname, "..", "..", "dist", "ui");

type Encoding = "br" | "gzip" | "identity";

interface PanelFile {
	readonly type: string;
	/** Its name changes with its content, so it may be kept for ever. */
	readonly hashed: boolean;
	readonly tag: string;
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly packed: Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>;
}

type Asked = (header: string) => string | null | undefined;

export interface Found {
	readonly status: number;
	readonly headers: Record<string, string>;
	readonly body: Uint8Array<ArrayBuffer> | string | null;
}

const types: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".json": "application/json",
	".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml",
	".png": "image/png",
	".ico": "image/x-icon",
	".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8",
};

/** Fonts and pictures are packed already. */
const packable = /^(?:text\/|application\/|image\/svg)/;

/**
 * The built panel, from memory. Files are read at the first request and packed at their first use
 * (`x.js.br` and `x.js.gz` beside a file are taken as they are); addresses without a file are the panel's pages.
 */
export class PanelFiles {
	readonly #folder: string;
	readonly #pageHeaders: Readonly<Record<string, string>>;
	#files: Map<string, PanelFile> | undefined;

	/** `pageHeaders` go with the page, such as its content policy. */
	constructor(folder: string, pageHeaders: Readonly<Record<string, string>>) {
		this.#folder = folder;
		this.#pageHeaders = pageHeaders;
	}

	/** The file at this path, or the page for a browser that goes there; undefined when there is neither. */
	async answer(
		path: string,
		request: Request,
		headers: Readonly<Record<string, string>>,
	): Promise<Response | undefined> {
		const found = await this.find(path, (name) => request.headers.get(name), headers);
		return found && new Response(found.body, found);
	}

	/** The same in plain values; `asked` gives the request's headers. */
	async find(path: string, asked: Asked, headers: Readonly<Record<string, string>>): Promise<Found | undefined> {
		this.#files ??= read(this.#folder);
		const page = this.#files.get("/index.html");
		const file = this.#files.get(path) ?? (wantsPage(path, asked) ? page : undefined);
		if (!file) return page || !wantsPage(path, asked) ? undefined : notBuilt(headers);
		const encoding = packable.test(file.type) ? chosen(asked("accept-encoding") ?? "") : "identity";
		const etag = `"${file.tag}${encoding === "identity" ? "" : `-${encoding}`}"`;
		const all: Record<string, string> = {
			...headers,
			...(file === page && this.#pageHeaders),
			etag,
			vary: "accept-encoding",
			"cache-control": file.hashed ? "public, max-age=31536000, immutable" : "no-cache",
		};
		const known = asked("if-none-match")?.split(/\s*,\s*/) ?? [];
		if (known.includes(etag) || known.includes(`W/${etag}`)) return { status: 304, headers: all, body: null };
		if (encoding !== "identity") all["content-encoding"] = encoding;
		all["content-type"] = file.type;
		return { status: 200, headers: all, body: await this.#packed(file, encoding) };
	}

	#packed(file: PanelFile, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
		const packed = file.packed.get(encoding) ?? pack(file.bytes, encoding);
		file.packed.set(encoding, packed);
		return packed;
	}
}

function read(folder: string): Map<string, PanelFile> {
	const files = new Map<string, PanelFile>();
	if (!existsSync(folder)) return files;
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile() || /\.(?:br|gz|map)$/.test(entry.name)) continue;
		const file = join(entry.parentPath, entry.name);
		const path = `/${relative(folder, file).replaceAll(sep, "/")}`;
		const bytes = Uint8Array.from(readFileSync(file));
		files.set(path, {
			type: types[extname(file)] ?? "application/octet-stream",
			hashed: /^\/assets\/.*-[\w-]{8}\.\w+$/.test(path),
			tag: createHash("sha256").update(bytes).digest("base64url").slice(0, 22),
			bytes,
			packed: packedBeside(file),
		});
	}
	return files;
}

function packedBeside(file: string): PanelFile["packed"] {
	const found: [Encoding, string][] = [
		["br", `${file}.br`],
		["gzip", `${file}.gz`],
	];
	return new Map(
		found
			.filter(([, packed]) => existsSync(packed))
			.map(([encoding, packed]) => [encoding, Promise.resolve(Uint8Array.from(readFileSync(packed)))]),
	);
}

async function pack(bytes: Uint8Array<ArrayBuffer>, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
	if (encoding === "br") {
		const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
		return Uint8Array.from(await promisify(brotliCompress)(bytes, { params }));
	}
	return encoding === "gzip" ? Uint8Array.from(await promisify(gzip)(bytes, { level: 9 })) : bytes;
}

/** The best of what the browser takes (RFC 9110, 12.5.3). */
function chosen(accepted: string): Encoding {
	const takes = (name: string) =>
		new RegExp(`(?:^|,)\\s*${name}\\s*(?:;\\s*q=(?!0(?:\\.0*)?\\s*(?:,|$))|,|$)`, "i").test(accepted);
	return takes("br") ? "br" : takes("gzip") ? "gzip" : "identity";
}

/** A page's address has no ending, or a browser goes there: `/d/choir.example` is a page, `/old.js` is none. */
function wantsPage(path: string, asked: Asked): boolean {
	if (path.startsWith("/assets/")) return false;
	return asked("accept")?.includes("text/html") || !/\.[^/]*$/.test(path);
}

function notBuilt(headers: Readonly<Record<string, string>>): Found {
	const body = "The panel has not been built. Start the node with `npm start`, or build it with `npx vite build ui`.\n";
	return { status: 503, headers: { ...headers, "content-type": "text/plain; charset=utf-8" }, body };
}
