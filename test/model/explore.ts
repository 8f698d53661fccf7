/** Something that can happen in a world. */
export interface Step<World> {
	readonly what: string;
	readonly to: World;
	/** It will happen some day, without anybody's doing. */
	readonly alone: boolean;
}

export interface Model<World> {
	readonly start: World;
	steps(world: World): Iterable<Step<World>>;
	/** The same for equal worlds only. */
	key(world: World): string;
	/** What must never be, in words; undefined: all is well. */
	wrong(world: World): string | undefined;
	/** From everywhere such a world must be within reach, alone; left out: nobody asks. */
	hoped?(world: World): boolean;
}

export interface Findings {
	readonly states: number;
	readonly steps: number;
	/** The first thing that went wrong, and one shortest way there. */
	readonly wrong: string | undefined;
	readonly path: readonly string[];
}

/** Visits every world that can be reached, nearest first, and stops at the first in which something is wrong. */
export function explore<World>(model: Model<World>): Findings {
	const numbers = new Map<string, number>();
	const from: number[] = [];
	const how: string[] = [];
	const hoped: boolean[] = [];
	const alone = new Edges();
	let steps = 0;
	let todo: World[] = [];
	const visit = (world: World, parent: number, what: string): number => {
		const key = model.key(world);
		const known = numbers.get(key);
		if (known !== undefined) return known;
		const number = numbers.size;
		numbers.set(key, number);
		from.push(parent);
		how.push(what);
		hoped.push(model.hoped?.(world) ?? true);
		todo.push(world);
		return number;
	};
	const findings = (wrong?: string, at = -1): Findings => ({ states: numbers.size, steps, wrong, path: pathTo(at) });
	const pathTo = (at: number): string[] => (at <= 0 ? [] : [...pathTo(from[at] ?? 0), how[at] ?? ""]);

	visit(model.start, -1, "");
	for (let number = 0; todo.length > 0; ) {
		const worlds = todo;
		todo = [];
		for (const world of worlds) {
			const wrong = model.wrong(world);
			if (wrong) return findings(wrong, number);
			for (const step of model.steps(world)) {
				const to = visit(step.to, number, step.what);
				steps++;
				if (step.alone && to !== number) alone.add(number, to);
			}
			number++;
		}
	}
	const stuck = alone.reaching(hoped).indexOf(0);
	return stuck < 0 ? findings() : findings("nobody can serve again", stuck);
}

/** Many pairs of numbers in little memory. */
class Edges {
	#ends = new Int32Array(1 << 16);
	#length = 0;

	add(from: number, to: number): void {
		if (this.#length === this.#ends.length) {
			const larger = new Int32Array(2 * this.#ends.length);
			larger.set(this.#ends);
			this.#ends = larger;
		}
		this.#ends[this.#length++] = from;
		this.#ends[this.#length++] = to;
	}

	/** 1 for each number from which one of the goals can be reached. */
	reaching(goals: readonly boolean[]): Uint8Array {
		const ends = this.#ends.subarray(0, this.#length);
		// Who leads to n stands in sources from starts[n] to starts[n + 1].
		const starts = new Int32Array(goals.length + 2);
		for (let i = 1; i < ends.length; i += 2) add(starts, at(ends, i) + 2, 1);
		for (let n = 1; n < starts.length; n++) starts[n] = at(starts, n) + at(starts, n - 1);
		const sources = new Int32Array(ends.length / 2);
		for (let i = 0; i < ends.length; i += 2) {
			const place = add(starts, at(ends, i + 1) + 1, 1) - 1;
			sources[place] = at(ends, i);
		}

		const reached = new Uint8Array(goals.length);
		const todo = goals.flatMap((goal, n) => (goal ? [n] : []));
		for (const n of todo) reached[n] = 1;
		for (let n = todo.pop(); n !== undefined; n = todo.pop())
			for (const source of sources.subarray(starts[n], starts[n + 1]))
				if (reached[source] === 0) {
					reached[source] = 1;
					todo.push(source);
				}
		return reached;
	}
}

const add = (numbers: Int32Array, n: number, more: number): number => (numbers[n] = at(numbers, n) + more);
const at = (numbers: Int32Array, n: number): number => numbers[n] ?? 0;
