import { defineConfig } from "vite";

/**
 * What the first page needs is one stylesheet, one typeface and two scripts, and all of it arrives in the first round of
 * requests. Other pages come one file each, when somebody goes there: what two of them need travels with the first.
 */
export default defineConfig({
	root: import.meta.dirname,
	build: {
		outDir: "../dist/ui",
		emptyOutDir: true,
		target: ["chrome123", "firefox128", "safari17.5"],
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
		reportCompressedSize: false,
		rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] } } },
	},
});
