import {
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Declaration } from "./declaration.ts";

/** Puts a secret where units take it from (LoadCredential, EnvironmentFile): whole or not at all, for root alone. */
export function putSecret(declaration: Declaration, service: string, secret: string, value: Uint8Array): void {
	const file = declaration.secretFile(service, secret);
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	rmSync(`${file}.new`, { force: true });
	writeFileSync(`${file}.new`, value, { mode: 0o400, flush: true });
	renameSync(`${file}.new`, file);
	sync(dirname(file));
}

/** Twice is fine. */
export function removeSecret(declaration: Declaration, service: string, secret: string): void {
	const file = declaration.secretFile(service, secret);
	for (const one of [file, `${file}.new`]) rmSync(one, { force: true });
	for (const folder of [dirname(file), dirname(dirname(file))]) if (isEmpty(folder)) rmdirSync(folder);
}

function isEmpty(folder: string): boolean {
	try {
		return readdirSync(folder).length === 0;
	} catch {
		return false;
	}
}

function sync(folder: string): void {
	const fd = openSync(folder, "r");
	fsyncSync(fd);
	closeSync(fd);
}
