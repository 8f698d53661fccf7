import { expect, test } from "vitest";
import type { Plan } from "../engines/engine.ts";
import type { Work } from "../jobs/saga.ts";
import { type ArriveTools, arrive } from "./arrive.ts";

const owner = { username: "ada", email: "ada@choir.example" };
const snac = { name: "snac", hosts: ["social.choir.example"], origin: "https://social.choir.example", owner };
const plan: Plan = { deployment: "d1", domain: "choir.example", mode: "serving", services: [snac] };
const input = { plan, migration: "m1" };

/** The last steps at a node whose service runs or does not. */
function standing({ runs }: { runs: boolean }) {
	const told: string[] = [];
	const tools = {
		now: () => 7,
		setState: (_: string, state: string) => told.push(state),
		telling: (_: string, __: string, work: Work) => ({ ...work, close: () => {} }),
		engine: {
			look: async () => [{ service: "snac", health: runs ? "well" : "stopped", probes: [], sizeBytes: null }],
			apply: async ({ mode }: Plan) => {
				runs = mode === "serving";
				told.push("starts");
			},
		},
		sessions: {
			known: () => ({ talk: { state: "committed", manifest: "digest", epoch: 1 } }),
			say: async (_: string, { kind }: { kind: string }, also: () => void) => {
				told.push(`${kind}, ${runs ? "and it runs" : "but nothing runs"}`);
				also();
			},
		},
	} as unknown as ArriveTools;
	const { serve } = arrive.steps(input);
	return { told, serve: () => serve?.do(input, tools, { signal: new AbortController().signal } as Work) };
}

test("says that services serve when they run", async () => {
	const { told, serve } = standing({ runs: true });
	await serve();
	expect(told).toEqual(["active, and it runs", "serving"]);
});

test("starts them once more first where a kill between the two steps has let them rest", async () => {
	const { told, serve } = standing({ runs: false });
	await serve();
	expect(told).toEqual(["starts", "active, and it runs", "serving"]);
});
