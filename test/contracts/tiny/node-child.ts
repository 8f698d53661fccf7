/**
 * A node that can be killed: applies a plan on its own engine, says so, and stays.
 * Arguments: folder, nodeId, service, "hang" for one that never gets its program, "rehearse" for one that only tries it.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Probe } from "../../../node/engines/local/recipe.ts";
import { tiny } from "./tiny.ts";
import { engineIn, listening, planFor } from "./world.ts";

const [folder = "", nodeId = "", service = "tiny", how] = process.argv.slice(2);
const recipe = tiny(service, "good", {
	...(how === "hang" && {
		find: async () => undefined,
		obtain: async (shop, report) => {
			await shop.run([process.execPath, "-e", "setInterval(() => {}, 1000)"], report);
			throw new Error("it does not end");
		},
	}),
});
const engine = engineIn(folder, { nodeId, recipes: [recipe] });
if (how === "rehearse") {
	const unwell: Probe = { what: "hope", look: () => Promise.reject(new Error("never")) };
	const trying = tiny(service, "good", { probes: (home) => [...recipe.probes(home), unwell] });
	const other = engineIn(folder, { nodeId, recipes: [trying] });
	void other.rehearse(planFor(service), async () => {}, listening());
} else {
	const work = engine.apply(planFor(service), listening());
	if (how !== "hang") await work;
}
console.log("ready");
await wait(2 ** 30);
