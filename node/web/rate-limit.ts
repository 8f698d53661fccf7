import { Problem } from "#protocol/problem.ts";

/** So many at once, and then one more each so many seconds. */
export interface Limit {
	readonly burst: number;
	readonly seconds: number;
}

/** What can be tried how often. Whoever fails at one account waits longer than a school behind one address. */
export const limits = {
	"sign-in-address": { burst: 40, seconds: 10 },
	"sign-in-account": { burst: 10, seconds: 60 },
	"sign-up": { burst: 40, seconds: 30 },
	voucher: { burst: 10, seconds: 60 },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;

/** More keys than this are never remembered: those that have not tried for longest are forgotten first. */
const mostKeys = 20_000;

/**
 * Counts attempts in memory by the generic cell rate algorithm: one number a key, the moment its bucket is empty again.
 * The clock only ever runs forward (`performance.now`), so a wall clock that jumps locks nobody out.
 */
export class RateLimits {
	readonly #limits: Readonly<Record<LimitName, Limit>>;
	readonly #clock: () => number;
	readonly #emptyAt = new Map<string, number>();

	constructor(changed: Partial<Record<LimitName, Limit>> = {}, clock: () => number = () => performance.now()) {
		this.#limits = { ...limits, ...changed };
		this.#clock = clock;
	}

	/** Counts one attempt; throws `too-many` with the seconds to wait, and then counts nothing. */
	take(name: LimitName, who: string): void {
		// Whole milliseconds: fractions of them would not add up exactly.
		const now = Math.floor(this.#clock());
		const { burst, seconds } = this.#limits[name];
		const emptyAt = Math.max(this.#emptyAt.get(key(name, who)) ?? now, now) + seconds * 1000;
		const early = emptyAt - now - burst * seconds * 1000;
		if (early > 0) throw new Problem("too-many", { seconds: Math.ceil(early / 1000), policy: name });
		this.#remember(key(name, who), emptyAt, now);
	}

	/** Takes one count back, after a success. */
	giveBack(name: LimitName, who: string): void {
		const emptyAt = this.#emptyAt.get(key(name, who));
		if (emptyAt !== undefined) this.#emptyAt.set(key(name, who), emptyAt - this.#limits[name].seconds * 1000);
	}

	#remember(who: string, emptyAt: number, now: number) {
		this.#emptyAt.delete(who);
		this.#emptyAt.set(who, emptyAt);
		if (this.#emptyAt.size <= mostKeys) return;
		for (const [old, at] of this.#emptyAt) if (at <= now) this.#emptyAt.delete(old);
		// A quarter at once, so that a mob does not make us look through all of them each time.
		const enough = mostKeys * 0.75;
		for (const old of this.#emptyAt.keys()) {
			if (this.#emptyAt.size <= enough) break;
			this.#emptyAt.delete(old);
		}
	}
}

const key = (name: LimitName, who: string) => `${name} ${who}`;
