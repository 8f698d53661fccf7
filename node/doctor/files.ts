import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import { isExposed } from "../secrets/master-key.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

const mebibyte = 1024 * 1024;
/** Below the first a database may fail to write; below the second the next deployment may not fit. */
const space = { least: 256 * mebibyte, comfortable: 2048 * mebibyte };

/** Whether the state folder can be used, by us and by nobody else, and has room. */
export async function stateFolder(folder: string): Promise<Finding[]> {
	const found = await stat(folder).catch(() => undefined);
	if (!found) return [await missingFolder(folder)];
	if (!found.isDirectory())
		return [bad("state-folder", `${folder} is not a folder`, "Set state.folder to a folder of its own")];
	const mayWrite = await access(folder, constants.W_OK | constants.X_OK).then(
		() => true,
		() => false,
	);
	if (!mayWrite)
		return [bad("state-folder", `${folder} cannot be written`, `Give it to the node's user: chown <user> ${folder}`)];
	const open = (found.mode & 0o022) !== 0;
	return [
		open
			? bad("state-folder", `Others may write in ${folder}`, `chmod 700 ${folder}`)
			: good("state-folder", `${folder} can be written`),
		await room(folder),
	];
}

async function missingFolder(folder: string): Promise<Finding> {
	let above = dirname(folder);
	while (!(await stat(above).catch(() => undefined)) && above !== dirname(above)) above = dirname(above);
	const may = await access(above, constants.W_OK).then(
		() => true,
		() => false,
	);
	return may
		? good("state-folder", `${folder} will be made at the first start`)
		: bad("state-folder", `${folder} is missing and cannot be made`, `Make it and give it to the node's user`);
}

async function room(folder: string): Promise<Finding> {
	const { bavail, bsize } = await statfs(folder);
	const free = bavail * bsize;
	const said = `${Math.round(free / mebibyte)} MiB are free at ${folder}`;
	if (free < space.least) return bad("disk-space", said, "Free some space, or move the state to a larger disk");
	if (free < space.comfortable) return warning("disk-space", said, "Free some space before the next deployment");
	return good("disk-space", said);
}

/** The files with secrets: there, and readable by nobody else. */
export async function keyFiles({ vault, zone, mail }: Config): Promise<Finding[]> {
	const files: [setting: string, file: string | null | undefined, madeByUs: boolean][] = [
		["vault.key_file", vault.keyFile, true],
		["zone.key_file", zone?.keyFile, false],
		["mail.password_file", mail?.passwordFile, false],
	];
	return Promise.all(files.flatMap(([setting, file, madeByUs]) => (file ? [keyFile(setting, file, madeByUs)] : [])));
}

async function keyFile(setting: string, file: string, madeByUs: boolean): Promise<Finding> {
	const found = await stat(file).catch((error: NodeJS.ErrnoException) => error);
	if (found instanceof Error) {
		if (found.code !== "ENOENT")
			return bad(setting, `${file} cannot be read: ${found.code}`, "Let the node's user read it");
		if (madeByUs) return good(setting, `${file} will be made at the first start; keep a copy of it apart from backups`);
		return bad(setting, `${file} does not exist`, `Write the secret into it, or correct ${setting}`);
	}
	if (isExposed(found))
		return bad(setting, `Others may read ${file}`, `chmod 600 ${file}, and consider the secret known`);
	const may = await access(file, constants.R_OK).then(
		() => true,
		() => false,
	);
	if (!may) return bad(setting, `${file} cannot be read`, `Give it to the node's user: chown <user> ${file}`);
	return good(setting, `${file} is there, for the node's user alone`);
}
