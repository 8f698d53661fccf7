import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/** How often is looked what is new, ms, and how much of it is read at once, bytes. */
const pause = 100;
const chunk = 2 ** 20;
/** When so much has been read the file begins anew, bytes; of what is left at the end so much is told. */
const most = 64 * 2 ** 20;
const mostAtTheEnd = 8 * 2 ** 20;
/** Of a line that has no end yet so much is kept, characters. */
const longestLine = 64 * 2 ** 10;

/**
 * What a program and all it starts write to a file, line by line as it comes. It is no pipe: that one is shared, and who
 * shares it may set it for all to fail when it is full, as ssh does; NixOps4 breaks down at once then.
 */
export class Written {
	/** For the programs' outputs. */
	readonly descriptor: number;
	readonly #file: string;
	readonly #tell: (line: string) => void;
	readonly #timer: NodeJS.Timeout;
	readonly #buffer = Buffer.alloc(chunk);
	readonly #decoder = new StringDecoder("utf8");
	#position = 0;
	#rest = "";

	/** The file is this user's alone; what is in it goes. */
	constructor(file: string, tell: (line: string) => void) {
		const { O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
		this.#file = file;
		this.#tell = tell;
		this.descriptor = openSync(file, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0o600);
		this.#timer = setInterval(() => this.#look(), pause);
	}

	/** Tells what is there by now, without much waiting: if it is too much, the last of it. */
	read(): void {
		const left = fstatSync(this.descriptor).size - this.#position;
		if (left > mostAtTheEnd) {
			this.#tell(`(${left - mostAtTheEnd} bytes are left out here)`);
			this.#position += left - mostAtTheEnd;
		}
		while (this.#look());
	}

	/** Tells the rest, and takes the file away. For when nobody writes any more. */
	end(): void {
		this.read();
		clearInterval(this.#timer);
		closeSync(this.descriptor);
		rmSync(this.#file, { force: true });
		if (this.#rest !== "") this.#tell(this.#rest);
	}

	/** Answers whether there was something. */
	#look(): boolean {
		const length = readSync(this.descriptor, this.#buffer, 0, chunk, this.#position);
		this.#position += length;
		const lines = (this.#rest + this.#decoder.write(this.#buffer.subarray(0, length))).split(/\r?\n|\r/);
		this.#rest = lines.pop()?.slice(0, longestLine) ?? "";
		for (const line of lines) this.#tell(line);
		// What comes between these two moments is lost; nobody reads so much.
		if (length < chunk && this.#position > most) {
			ftruncateSync(this.descriptor);
			this.#position = 0;
		}
		return length > 0;
	}
}
