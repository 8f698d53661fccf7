/** What people read who open the raw log of a job. */
import { afterEach, expect, test } from "vitest";
import { tiny } from "../../../test/contracts/tiny/tiny.ts";
import { engineIn, listening, MemoryVault, planFor, scratch } from "../../../test/contracts/tiny/world.ts";

const at = scratch();
const vault = new MemoryVault();
const engine = engineIn(at.folder, { recipes: [tiny()], vault });
afterEach(async () => {
	await engine.close();
	at.remove();
});

test("each stage says plainly what it has done, and nothing secret", async () => {
	const report = listening();
	for (const mode of ["serving", "serving", "absent"] as const) {
		if (mode === "absent") report.lines.push(...vault.secrets.values());
		await engine.apply(planFor("tiny", mode), report);
	}
	const [secret = ""] = report.lines.filter((line) => /^[a-z0-9]{20}$/.test(line));
	const said = report.lines.map((line) => (line === secret ? "—" : line.replaceAll(/\d+/g, "N")));
	const again = [
		...["The program tiny-service.mjs is here", "Its settings are as they should be"],
		...["It runs as process N, listening on port N (http) of this machine", "It answers"],
	];
	expect(said).toEqual([
		...[again[0], "Its settings are written", again[2], again[3], "The account alice is there"],
		...["page: tiny N at social.choir.localhost:N", ...again, "page: tiny N at social.choir.localhost:N", "—"],
		...["No process of it runs", "Its files and its secrets are gone"],
	]);
	expect(report.lines.filter((line) => line.includes(secret))).toEqual([secret]);
});
