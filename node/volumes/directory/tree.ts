import {
	type BigIntStats,
	chmodSync,
	closeSync,
	constants,
	copyFileSync,
	fstatSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	renameSync,
	writeSync,
} from "node:fs";
import { Problem } from "#protocol/problem.ts";
import { Folders } from "./folders.ts";
import { at, folderOf, nameOf } from "./name.ts";
import { Removal } from "./removal.ts";

const forWriting = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A tree that is being built and that only the node can reach. Whatever stands in the way of what is asked for gives way,
 * and nothing is ever touched outside.
 */
export class Tree {
	readonly root: string;
	readonly folders: Folders;
	/** For where a second folder is needed at the same time. */
	readonly #second: Folders;
	readonly #removal = new Removal();

	/** The root is made if needed. */
	constructor(root: string) {
		this.root = root;
		mkdirSync(root, { recursive: true, mode: 0o700 });
		this.folders = new Folders(root);
		this.#second = new Folders(root);
	}

	/** What the file system takes for this raw path; good until another is asked for. */
	at(raw: string): string | Buffer {
		return at(this.folders.at(folderOf(raw)), nameOf(raw));
	}

	/** What is there; undefined: nothing. The folder it would lie in must be there. */
	look(raw: string): BigIntStats | undefined {
		return lstatSync(this.at(raw), { bigint: true, throwIfNoEntry: false });
	}

	/** Opens a file to read and write, which is made if needed. */
	async open(raw: string): Promise<number> {
		try {
			return this.#opened(raw);
		} catch (error) {
			if (!isObstacle(error)) throw fullOr(error, this.root);
		}
		await this.makeRoom(raw, (stats) => stats.isFile());
		try {
			return this.#opened(raw);
		} catch (error) {
			throw fullOr(error, this.root);
		}
	}

	/** Makes sure that the folder is there and can be written to. */
	async folder(raw: string): Promise<void> {
		await this.makeRoom(raw, (stats) => stats.isDirectory());
		if (!this.look(raw)) mkdirSync(this.at(raw), 0o700);
	}

	/**
	 * Makes sure that the folders around are there, and that by this path there is nothing or something that may stay,
	 * which the node then can read and write.
	 */
	async makeRoom(raw: string, mayStay: (stats: BigIntStats) => boolean): Promise<void> {
		const parent = folderOf(raw);
		if (parent !== "") await this.#way(parent);
		const stats = this.look(raw);
		if (!stats) return;
		if (!mayStay(stats)) return this.remove(raw);
		const needed = stats.isDirectory() ? 0o700n : 0o600n;
		if (!stats.isSymbolicLink() && (stats.mode & needed) !== needed)
			chmodSync(this.at(raw), Number((stats.mode | needed) & 0o777n));
	}

	/** Removes whatever is there, with all that is in it. Nothing is fine. */
	async remove(raw: string): Promise<void> {
		this.folders.drop(raw);
		this.#second.drop(raw);
		await this.withRights(raw, () => this.#removal.removeIn(this.folders, raw));
	}

	/** Moves a file of the node's own, from the same file system, to this path. */
	async take(file: string, raw: string): Promise<void> {
		await this.makeRoom(raw, (stats) => !stats.isDirectory());
		await this.withRights(raw, () => renameSync(file, this.at(raw)));
	}

	/** Gives a file that has several names content of its own; `beside` is where that is made. */
	async part(raw: string, beside: string): Promise<void> {
		copyFileSync(this.at(raw), beside, constants.COPYFILE_FICLONE);
		await this.take(beside, raw);
	}

	/** Runs what changes the folder around this path, even if the folder is of a kind that may not be written to. */
	async withRights<Result>(raw: string, work: () => Result | Promise<Result>): Promise<Result> {
		try {
			return await work();
		} catch (error) {
			if (!isDenied(error)) throw fullOr(error, this.root);
			chmodSync(this.folders.at(folderOf(raw)), 0o700);
			return work();
		}
	}

	/** Gives the file by one path another name. */
	async link(first: string, raw: string): Promise<void> {
		await this.withRights(raw, () => linkSync(at(this.#second.at(folderOf(first)), nameOf(first)), this.at(raw)));
	}

	close(): void {
		this.folders.close();
		this.#second.close();
	}

	#opened(raw: string): number {
		const fd = openSync(this.at(raw), forWriting, 0o600);
		if (fstatSync(fd).isFile()) return fd;
		closeSync(fd);
		throw Object.assign(new Error(`${raw} is no file`), { code: "ENOTDIR" });
	}

	async #way(raw: string): Promise<void> {
		try {
			this.folders.at(raw);
			const stats = lstatSync(this.folders.at(raw), { bigint: true });
			if (stats.isSymbolicLink() || (stats.mode & 0o700n) === 0o700n) return;
		} catch (error) {
			if (!isObstacle(error)) throw error;
		}
		await this.folder(raw);
	}
}

/** Writes all of it at this position. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
	for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException).code);
const isObstacle = (error: unknown) =>
	["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "EACCES", "EPERM", "ENXIO"].includes(codeOf(error));
const isDenied = (error: unknown) => ["EACCES", "EPERM"].includes(codeOf(error));

/** The error as a person understands it, if it says that there is no room. */
export function fullOr(error: unknown, folder: string): unknown {
	return ["ENOSPC", "EDQUOT"].includes(codeOf(error)) ? new Problem("disk-full", { folder }, { cause: error }) : error;
}
