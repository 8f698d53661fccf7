import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PanelFiles } from "./panel-files.ts";

const page = `<!doctype html><title>Panel</title>${"<p>".repeat(500)}`;
const script = `console.log(${JSON.stringify("x".repeat(5000))})`;
const built: Record<string, string | Buffer> = {
	"index.html": page,
	"assets/main-DdR3f_x2.js": script,
	"assets/main-DdR3f_x2.js.map": "{}",
	"assets/packed-AAAAAAAA.js": script,
	"assets/packed-AAAAAAAA.js.br": brotliCompressSync("taken as it is"),
	"assets/font-BBBBBBBB.woff2": Buffer.from([0, 255, 1]),
	"mark.svg": "<svg/>",
};
let folder: string;
let files: PanelFiles;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "panel-"));
	mkdirSync(join(folder, "assets"));
	for (const [name, content] of Object.entries(built)) writeFileSync(join(folder, name), content);
	files = new PanelFiles(folder, { "content-security-policy": "page" });
});
afterEach(() => rmSync(folder, { recursive: true }));

const get = async (path: string, headers: Record<string, string> = {}) => {
	const answer = await files.answer(path, new Request(`http://x${path}`, { headers }), { "x-common": "1" });
	return (
		answer && {
			status: answer.status,
			headers: Object.fromEntries(answer.headers),
			bytes: Buffer.from(await answer.arrayBuffer()),
		}
	);
};

test("a file whose name has a hash is kept for ever", async () => {
	expect(await get("/assets/main-DdR3f_x2.js")).toMatchObject({
		status: 200,
		headers: {
			"content-type": "text/javascript; charset=utf-8",
			"cache-control": "public, max-age=31536000, immutable",
			"x-common": "1",
			vary: "accept-encoding",
		},
		bytes: Buffer.from(script),
	});
});

test("the page is asked for each time, and comes only if it changed", async () => {
	const first = await get("/");
	expect(first).toMatchObject({
		headers: { "cache-control": "no-cache", "content-security-policy": "page" },
		bytes: Buffer.from(page),
	});
	const etag = first?.headers["etag"] ?? "";
	for (const seen of [etag, `"x", ${etag}`, `W/${etag}`])
		expect(await get("/", { "if-none-match": seen })).toMatchObject({ status: 304, bytes: Buffer.alloc(0) });
	expect(await get("/", { "if-none-match": '"x"' })).toMatchObject({ status: 200 });
	writeFileSync(join(folder, "index.html"), `${page}!`);
	files = new PanelFiles(folder, {});
	expect(await get("/", { "if-none-match": etag })).toMatchObject({ status: 200 });
});

describe("packing", () => {
	test.each([
		["br", "br"],
		["gzip, deflate, br, zstd", "br"],
		["gzip", "gzip"],
		["br;q=0, gzip;q=0.5", "gzip"],
		["br;q=0.0,gzip;q=0", undefined],
		["*", undefined],
		["", undefined],
		["brotli, xgzip", undefined],
		["BR", "br"],
	])("with Accept-Encoding %j it is %s", async (accepted, encoding) => {
		const answer = await get("/assets/main-DdR3f_x2.js", { "accept-encoding": accepted });
		expect(answer?.headers["content-encoding"]).toBe(encoding);
		const bytes = answer?.bytes ?? Buffer.alloc(0);
		const unpacked = encoding === "br" ? brotliDecompressSync(bytes) : encoding === "gzip" ? gunzipSync(bytes) : bytes;
		expect(unpacked.toString()).toBe(script);
		if (encoding) expect(bytes.length).toBeLessThan(script.length / 10);
	});

	test("each packing has its own tag", async () => {
		const tags = await Promise.all(
			["br", "gzip", ""].map(async (accepted) => (await get("/", { "accept-encoding": accepted }))?.headers["etag"]),
		);
		expect(new Set(tags).size).toBe(3);
	});

	test("what was packed at the build is taken; what is packed by nature is left", async () => {
		const packed = await get("/assets/packed-AAAAAAAA.js", { "accept-encoding": "br" });
		expect(brotliDecompressSync(packed?.bytes ?? "").toString()).toBe("taken as it is");
		const font = await get("/assets/font-BBBBBBBB.woff2", { "accept-encoding": "br" });
		expect(font).toMatchObject({ headers: { "content-type": "font/woff2" }, bytes: Buffer.from([0, 255, 1]) });
		expect(font?.headers["content-encoding"]).toBeUndefined();
	});
});

test.each([["/home"], ["/d/x"], ["/d/x/jobs/1"], ["/new"]])("%s is a page of the panel", async (path) => {
	expect((await get(path))?.bytes.toString()).toBe(page);
});

test("an address with a dot is a page for a browser that goes there, and else nothing", async () => {
	expect((await get("/d/choir.example", { accept: "text/html,*/*" }))?.bytes.toString()).toBe(page);
	expect(await get("/d/choir.example", { accept: "*/*" })).toBeUndefined();
	expect(await get("/favicon.ico", { accept: "image/*" })).toBeUndefined();
});

test.each([
	["/assets/gone-CCCCCCCC.js"],
	["/assets/main-DdR3f_x2.js.map"],
	["/assets/packed-AAAAAAAA.js.br"],
	["/assets"],
	["/../panel-files.ts"],
	["/assets/..%2findex.html"],
	["/constructor.js"],
])("%s is nothing", async (path) => {
	const answer = await files.answer(path, new Request("http://x/"), {});
	if (path === "/assets") expect(await answer?.text()).toBe(page);
	else expect(answer).toBeUndefined();
});

test("a panel that was not built says so", async () => {
	files = new PanelFiles(join(folder, "none"), {});
	expect(await get("/")).toMatchObject({ status: 503, bytes: expect.anything() });
	expect((await get("/home"))?.bytes.toString()).toContain("npm start");
	expect(await get("/x.js")).toBeUndefined();
});
