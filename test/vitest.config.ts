import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Unit and contract tests run side by side; stories start whole nodes and take turns. */
const root = join(import.meta.dirname, "..");
const shared = { root, testTimeout: 20_000, hookTimeout: 60_000 };

export default defineConfig({
	root,
	test: {
		reporters: ["default"],
		projects: [
			{
				test: {
					...shared,
					name: "unit",
					include: ["{node,ui,protocol}/**/*.test.ts", "test/*.test.ts", "test/contracts/**/*.test.ts"],
				},
			},
			{
				test: {
					...shared,
					name: "stories",
					include: ["test/stories/**/*.test.ts"],
					testTimeout: 180_000,
					fileParallelism: false,
				},
			},
			{
				test: {
					...shared,
					name: "browser",
					include: ["test/browser/**/*.test.ts"],
					testTimeout: 300_000,
					fileParallelism: false,
				},
			},
			{
				test: {
					...shared,
					name: "services",
					include: ["test/services/**/*.test.ts"],
					testTimeout: 900_000,
					fileParallelism: false,
				},
			},
		],
	},
});
