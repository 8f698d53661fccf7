import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { Problem } from "#protocol/problem.ts";

/** What one hash costs: memory in KiB, passes over it, lanes. */
export interface Cost {
	readonly memory: number;
	readonly passes: number;
	readonly parallelism: number;
}

/** OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane. */
const owasp: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const derive = promisify(argon2);

/** What is kept of a password. */
interface Kept {
	cost: Cost;
	salt: Buffer;
	hash: Buffer;
}

/**
 * Passwords as Argon2id (RFC 9106) in PHC strings. Only a few are worked on at a time, since each takes 19 MiB and
 * a thread that file reads and DNS also need; a crowd waits its turn, and past `mostWaiting` is told to come back.
 */
export class Passwords {
	readonly #cost: Cost;
	readonly #mostAtOnce: number;
	readonly #mostWaiting: number;
	readonly #waiting: (() => void)[] = [];
	#atWork = 0;

	constructor({ cost = owasp, mostAtOnce = Math.min(2, availableParallelism()), mostWaiting = 200 } = {}) {
		this.#cost = cost;
		this.#mostAtOnce = mostAtOnce;
		this.#mostWaiting = mostWaiting;
	}

	/** A PHC string, each time with a new salt. */
	async hash(password: string): Promise<string> {
		const salt = randomBytes(16);
		return phc({ cost: this.#cost, salt, hash: await this.#derive(password, salt, this.#cost) });
	}

	/** Whether the password is the one. With `kept` undefined it takes as long and says no, so time tells nothing. */
	async matches(password: string, kept: string | undefined): Promise<boolean> {
		const { cost, salt, hash } = kept ? parsed(kept) : { cost: this.#cost, salt: randomBytes(16), hash: null };
		const derived = await this.#derive(password, salt, cost);
		return hash !== null && timingSafeEqual(derived, hash);
	}

	/** True when it was made at another cost than is asked for now. */
	isDated(kept: string): boolean {
		const { cost } = parsed(kept);
		return (["memory", "passes", "parallelism"] as const).some((name) => cost[name] !== this.#cost[name]);
	}

	async #derive(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
		await this.#turn();
		try {
			// The same letters typed on another keyboard may come composed differently (NIST SP 800-63B-4, 3.1.1.2).
			const message = Buffer.from(password.normalize("NFKC"));
			const parameters: Argon2Parameters = { message, nonce, tagLength: 32, ...cost };
			return await derive("argon2id", parameters);
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#atWork--;
		}
	}

	async #turn() {
		if (this.#atWork < this.#mostAtOnce) {
			this.#atWork++;
			return;
		}
		if (this.#waiting.length >= this.#mostWaiting) throw new Problem("too-many", { seconds: 10 });
		await new Promise<void>((go) => this.#waiting.push(go));
	}
}

/** `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, base64 without padding. */
function phc({ cost, salt, hash }: Kept): string {
	const bare = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
	return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${bare(salt)}$${bare(hash)}`;
}

function parsed(kept: string): Kept {
	const [, m, t, p, salt, hash] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(kept) ?? [];
	if (!salt || !hash) throw new Error("A password is kept in a form that is not known");
	return {
		cost: { memory: Number(m), passes: Number(t), parallelism: Number(p) },
		salt: Buffer.from(salt, "base64"),
		hash: Buffer.from(hash, "base64"),
	};
}
