/**
 * A random walk over everything that can happen to a deployment that moves there and back. It prints its seed;
 * `FAULTS_SEED=… FAULTS_STEPS=1000` walks the same way again, or further.
 */
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Begun } from "../stories/moving.ts";
import { eventually } from "../stories/world.ts";
import { Choir, twoAdas, Witness } from "./choir.ts";
import { type Provider, providers } from "./internet.ts";
import { Pair } from "./pair.ts";

const steps = Number(process.env["FAULTS_STEPS"] ?? 12);
const seed = Number(process.env["FAULTS_SEED"] ?? randomInt(2 ** 31));
/** So many steps, then everything is mended and looked at. */
const stretch = 12;

/** Mulberry32: the same numbers below one for the same seed, everywhere. */
function random(from: number): () => number {
	let state = from;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

test(`a walk of ${steps} steps from seed ${seed} loses nothing, never serves twice, and always finds a way on`, async () => {
	console.info(`FAULTS_SEED=${seed} FAULTS_STEPS=${steps}`);
	await Pair.with({}, async (pair) => {
		const choir = await Choir.found(pair, await twoAdas(pair), "walk");
		const walk = new Walk(pair, choir, random(seed));
		for (let step = 1; step <= steps; step++) {
			await walk.step();
			if (step % stretch === 0 || step === steps) await walk.settle();
		}
		console.info(`${walk.begun} migrations: ${walk.path.join(" · ")}`);
	});
}, 3_600_000);

class Walk {
	readonly path: string[] = [];
	/** Migrations that both sides were at work on. */
	begun = 0;
	readonly #pair: Pair;
	readonly #choir: Choir;
	readonly #random: () => number;
	#witness: Witness;
	#begun: Begun | undefined;
	#beginning: Promise<void> | undefined;
	#moves = 0;

	constructor(pair: Pair, choir: Choir, random: () => number) {
		this.#pair = pair;
		this.#choir = choir;
		this.#random = random;
		this.#witness = new Witness(pair, [choir]);
	}

	async step(): Promise<void> {
		const [what, act] = this.#oneOf<readonly [string, () => unknown]>([
			["post", () => this.#choir.post().catch(() => {})],
			["post", () => this.#choir.post().catch(() => {})],
			["move", () => this.#move()],
			["move", () => this.#move()],
			["move", () => this.#move()],
			["wait", () => pause(3000)],
			["cancel", () => this.#cancel()],
			["kill a node", () => this.#kill(this.#oneOf(providers), false)],
			["kill a node and its services", () => this.#kill(this.#oneOf(providers), true)],
			["cut", () => this.#cut("lose-request")],
			["lose answers", () => this.#cut("lose-answer")],
			["heal", () => this.#cut("pass")],
			["clock", () => this.#pair.setClock(this.#oneOf(providers), Math.round((this.#random() - 0.5) * 280_000))],
		]);
		this.path.push(what);
		await act();
		await pause(this.#random() * 1500);
	}

	/** Mends everything, waits until nobody is at work any more, and looks whether all is well. */
	async settle(): Promise<void> {
		this.path.push("settle");
		this.#cut("pass");
		await this.#beginning;
		const states = await this.#atRest();
		const serving = providers.filter((provider) => states[provider].includes("serving"));
		expect([this.path, serving]).toEqual([this.path, [expect.any(String)]]);
		const [at] = serving as [Provider];
		const turns = (await this.#witness.close())[this.#choir.host] ?? [];
		// There and perhaps back by its own hand: whoever has served once more than that serves beside the other.
		expect([this.path, turns.length <= this.#moves + 1, turns]).toEqual([this.path, true, turns]);
		this.#choir.at = at;
		expect([this.path, await this.#choir.losses(at)]).toEqual([this.path, []]);
		await eventually("it takes a post", () => this.#choir.post().then(() => true));
		[this.#moves, this.#begun] = [0, undefined];
		this.#witness = new Witness(this.#pair, [this.#choir]);
	}

	/** One move at a time, over a network that is whole for now; whether it comes to be is decided by what happens next. */
	#move(): void {
		if (this.#beginning) return;
		this.#cut("pass");
		this.#moves++;
		this.#beginning = this.#begin().finally(() => {
			this.#beginning = undefined;
		});
	}

	async #begin(): Promise<void> {
		const states = await this.#choir.states().catch(() => undefined);
		const at = states && providers.find((provider) => states[provider].includes("serving"));
		if (!at) return;
		this.#choir.at = at;
		const begun = await this.#choir.begin().catch(() => undefined);
		if (!begun) return;
		this.#begun = begun;
		this.begun++;
	}

	async #cancel(): Promise<void> {
		const id = this.#begun?.leave;
		const person = this.#choir.people[this.#choir.at];
		if (id) await person.api("POST /jobs/{id}/cancel", { path: { id } }).catch(() => {});
	}

	async #kill(provider: Provider, services: boolean): Promise<void> {
		await this.#pair.kill(provider, services);
		await pause(this.#random() * 500);
		await this.#pair.start(provider);
	}

	#cut(fate: "pass" | "lose-request" | "lose-answer"): void {
		this.#pair.internet.fate = () => fate;
	}

	/** How it stands at both, once nothing is under way there. */
	async #atRest(): Promise<Record<Provider, string[]>> {
		for (let calm = 0; ; await pause(500)) {
			const all = await Promise.all(
				providers.map(async (provider) => (await this.#choir.people[provider].api("GET /deployments")).items),
			).catch(() => undefined);
			const mine = all?.flat().filter(({ domain }) => domain === this.#choir.domain);
			const isCalm = mine?.every(({ busy, state }) => !busy && ["serving", "moved", "gone"].includes(state));
			calm = isCalm ? calm + 1 : 0;
			// A migration just begun has a job soon.
			if (calm === 4) return this.#choir.states();
		}
	}

	#oneOf<One>(all: readonly One[]): One {
		return all[Math.floor(this.#random() * all.length)] as One;
	}
}
