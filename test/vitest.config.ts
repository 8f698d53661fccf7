import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Unit and contract tests run two files at a time; then those that start whole nodes and browsers, one after the other. */
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
					sequence: { groupOrder: 0 },
					// Many of them wait more than they work, which even two cores have room for.
					maxWorkers: 2,
					include: [
						"{node,ui,protocol}/**/*.test.ts",
						"test/*.test.ts",
						"test/{contracts,nix,nixops4,vectors}/**/*.test.ts",
						"test/model/*.test.ts",
						"test/nix/*.test.ts",
						"test/services/certificates.test.ts",
					],
				},
			},
			{
				test: {
					...shared,
					name: "stories",
					sequence: { groupOrder: 1 },
					include: ["test/{stories,hostile,faults}/**/*.test.ts"],
					testTimeout: 180_000,
					fileParallelism: false,
				},
			},
			{
				test: {
					...shared,
					name: "browser",
					sequence: { groupOrder: 2 },
					include: ["test/browser/**/*.test.ts"],
					testTimeout: 300_000,
					fileParallelism: false,
				},
			},
			{
				test: {
					...shared,
					name: "services",
					sequence: { groupOrder: 3 },
					include: ["test/services/**/*.test.ts"],
					globalSetup: "test/services/programs.ts",
					testTimeout: 900_000,
					fileParallelism: false,
				},
			},
		],
	},
});
