import { randomBytes } from "node:crypto";
import {
	closeSync,
	fstatSync,
	fsyncSync,
	linkSync,
	mkdirSync,
	openSync,
	readFileSync,
	rmSync,
	type Stats,
	writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { Problem } from "#protocol/problem.ts";

const keyBytes = 32;

/**
 * Reads the node's master key: 32 random bytes, in base64 on one line so that a person can copy them.
 * Refuses a file that others can read, and one that holds anything else. Undefined when there is no such file.
 */
export function readMasterKey(file: string): Buffer | undefined {
	const descriptor = openIfThere(file);
	if (descriptor === undefined) return undefined;
	try {
		refuseExposed(file, fstatSync(descriptor));
		const text = readFileSync(descriptor, "latin1").trim();
		const key = Buffer.from(text, "base64");
		if (key.length !== keyBytes || key.toString("base64") !== text) throw new Problem("vault-key-unfit", { file });
		return key;
	} finally {
		closeSync(descriptor);
	}
}

/**
 * Makes the master key and answers it once it is safe on disk. Of several makers at once all get the same key:
 * the file appears whole or not at all, and is never replaced.
 */
export function makeMasterKey(file: string): Buffer {
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	const draft = `${file}.${randomBytes(6).toString("hex")}`;
	try {
		writeSafely(draft, `${randomBytes(keyBytes).toString("base64")}\n`);
		linkUnlessThere(draft, file);
	} finally {
		rmSync(draft, { force: true });
	}
	syncFolder(dirname(file));
	const key = readMasterKey(file);
	if (!key) throw new Problem("vault-key-missing", { file });
	return key;
}

/**
 * PostgreSQL's rule for private keys: our own file only for us; root's file also for our group, which is how
 * systemd's `LoadCredential=` hands a key (root's, 0400, and an access list that shows as 0440) to a service user.
 */
export function isExposed({ uid, mode }: Pick<Stats, "uid" | "mode">, we = process.getuid?.()): boolean {
	if (we === undefined) return false;
	return (mode & (uid === 0 && we !== 0 ? 0o037 : 0o077)) !== 0;
}

function refuseExposed(file: string, stats: Stats) {
	if (isExposed(stats))
		throw new Problem("vault-key-exposed", { file, mode: (stats.mode & 0o777).toString(8).padStart(4, "0") });
}

function openIfThere(file: string): number | undefined {
	try {
		return openSync(file, "r");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
}

function writeSafely(file: string, text: string) {
	const descriptor = openSync(file, "wx", 0o600);
	try {
		writeSync(descriptor, text);
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

function linkUnlessThere(from: string, to: string) {
	try {
		linkSync(from, to);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	}
}

function syncFolder(folder: string) {
	const descriptor = openSync(folder, "r");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
