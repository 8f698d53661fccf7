import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** Counts what happened, and remembers which tests were left out and why. */
export class Tally implements Reporter {
	passed = 0;
	failed = 0;
	readonly skipped: string[] = [];

	onTestCaseResult(test: TestCase) {
		const result = test.result();
		if (result.state === "passed") this.passed++;
		else if (result.state === "failed") this.failed++;
		else if (result.state === "skipped") this.skipped.push(named(test, result.note));
	}

	/** A file that cannot be loaded has no tests that could fail; it counts as one. */
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]) {
		this.failed += modules.filter((module) => module.errors().length > 0).length + unhandled.length;
	}

	get line(): string {
		return `${this.passed} passed, ${this.failed} failed, ${this.skipped.length} skipped`;
	}
}

/** A test that can be left out says in its name, in parentheses, what it needs; or notes it when it skips itself. */
function named(test: TestCase, note: string | undefined): string {
	return `${test.module.relativeModuleId} > ${test.fullName}${note ? ` (${note})` : ""}`;
}
