import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** More files than these with failures are not the weather; they are not tried again. */
const mostShaky = 3;

/** Counts what happened, and remembers which tests were left out and why. */
export class Tally implements Reporter {
	passed = 0;
	failed = 0;
	readonly skipped: string[] = [];
	/** Files in which a test failed, and how many tests; a file that does not load is none of them. */
	readonly #shaky = new Map<string, number>();

	onTestCaseResult(test: TestCase) {
		const result = test.result();
		if (result.state === "passed") this.passed++;
		else if (result.state === "failed") this.#fails(test.module.moduleId);
		else if (result.state === "skipped") this.skipped.push(named(test, result.note));
	}

	/** A file that cannot be loaded has no tests that could fail; it counts as one. */
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]) {
		this.failed += modules.filter((module) => module.errors().length > 0).length + unhandled.length;
	}

	/** Files that deserve a second try: all failures are in a few of them, and are failures of tests. */
	get shaky(): readonly string[] {
		const all = [...this.#shaky.values()].reduce((sum, count) => sum + count, 0);
		return all === this.failed && this.#shaky.size <= mostShaky ? [...this.#shaky.keys()] : [];
	}

	/** What failed here has passed in a second try of `shaky`. */
	mend() {
		this.passed += this.failed;
		this.failed = 0;
	}

	get line(): string {
		return `${this.passed} passed, ${this.failed} failed, ${this.skipped.length} skipped`;
	}

	#fails(file: string) {
		this.failed++;
		this.#shaky.set(file, (this.#shaky.get(file) ?? 0) + 1);
	}
}

/** A test that can be left out says in its name, in parentheses, what it needs; or notes it when it skips itself. */
function named(test: TestCase, note: string | undefined): string {
	return `${test.module.relativeModuleId} > ${test.fullName}${note ? ` (${note})` : ""}`;
}
