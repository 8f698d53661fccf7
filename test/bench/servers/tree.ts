import { randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const mebibyte = 1024 * 1024;

/** Files as services keep them: for each half GiB 12,500 small ones of 1 to 50 kB and four of 50 MiB, of random bytes. */
export function makeTree(root: string, gibibytes: number): void {
	mkdirSync(root, { recursive: true });
	const small = Math.round(gibibytes * 25_000);
	for (let at = 0; at < small; at++) {
		if (at % 100 === 0) mkdirSync(join(root, folderOf(at)), { recursive: true });
		writeFileSync(fileOf(root, at), randomFillSync(Buffer.allocUnsafe(1000 + Math.floor(Math.random() * 49_000))));
	}
	for (let at = 0; at < Math.round(gibibytes * 8); at++) makeBig(join(root, `big-${at}`), 50);
}

/** Rewrites one in `every` of the small files, and at least one; answers how many bytes that is. */
export function changeTree(root: string, gibibytes: number, every = 100): number {
	let bytes = 0;
	for (let at = 0; at < Math.round(gibibytes * 25_000); at += every) {
		const { size } = statSync(fileOf(root, at));
		writeFileSync(fileOf(root, at), randomFillSync(Buffer.allocUnsafe(size + 1)));
		bytes += size + 1;
	}
	return bytes;
}

const folderOf = (at: number) => `${Math.floor(at / 1000)}/${Math.floor(at / 100) % 10}`;
const fileOf = (root: string, at: number) => join(root, folderOf(at), `post-${at}.json`);

function makeBig(file: string, mebibytes: number): void {
	const fd = openSync(file, "w");
	const block = Buffer.allocUnsafe(mebibyte);
	for (let at = 0; at < mebibytes; at++) writeSync(fd, randomFillSync(block));
	closeSync(fd);
}
