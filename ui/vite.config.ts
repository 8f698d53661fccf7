import { defineConfig } from "vite";

/** The panel is one page, one script, one stylesheet and one typeface: all of it arrives in the first round of requests. */
export default defineConfig({
	root: import.meta.dirname,
	build: {
		outDir: "../dist/ui",
		emptyOutDir: true,
		target: ["chrome123", "firefox128", "safari17.5"],
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
		reportCompressedSize: false,
	},
});
