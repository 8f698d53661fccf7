import { afterEach, beforeEach, expect, test } from "vitest";
import type { Ownership } from "../domains/records.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import type { Notice } from "../notices/notice.ts";
import { Database } from "../store/database.ts";
import { Deployments } from "./deployments.ts";
import { History } from "./history.ts";
import { restOvertaken } from "./overtaken.ts";

const actor = "https://north.example/actor";
const south = (epoch: number): Ownership => ({ epoch, actor: "https://south.example/actor", claim: "c" });
let db: Database;
beforeEach(() => {
	db = new Database(":memory:");
	db.run(`INSERT INTO customer (id, name, email, email_key, password, language, created_at)
		VALUES ('anna', 'Anna', 'a@x', 'a@x', '', 'en', 0)`);
});
afterEach(() => db.close());

/** A node that serves choir.example in epoch 1, whose DNS says what is given. */
async function after(said: () => Promise<Ownership | undefined>) {
	const deployments = new Deployments(db, Date.now);
	const plan: Plan = { deployment: "d1", domain: "choir.example", services: [], mode: "serving" };
	deployments.add(plan, "anna");
	deployments.move("d1", "serving");
	const told: Notice[] = [];
	const applied: string[] = [];
	const engine = { apply: async ({ mode }: Plan) => void applied.push(mode) } as unknown as Engine;
	const parts = {
		...{ deployments, history: new History(db, Date.now), engine, actor, serving: said },
		notices: { tell: (notice: Notice) => void told.push(notice) },
		epochOf: () => 1,
	};
	await restOvertaken(parts);
	await restOvertaken(parts);
	return {
		state: deployments.known("d1").state,
		told: told.map(({ kind, params }) => [kind, params["holder"]]),
		applied,
	};
}

test("what another node serves in a later epoch rests here, and its customer is told once", async () => {
	expect(await after(async () => south(2))).toEqual({
		state: "frozen",
		told: [["served-elsewhere", "south.example"]],
		applied: ["frozen"],
	});
});

test("what left and came back rests, where the node knows only of the time before", async () => {
	const { state } = await after(async () => ({ epoch: 3, actor, claim: "c" }));
	expect(state).toBe("frozen");
});

const silent = () => Promise.reject(new Error("no name server answers"));
test.each<[string, () => Promise<Ownership | undefined>]>([
	["names this node", async () => ({ epoch: 1, actor, claim: "c" })],
	["names another node in an epoch that is over", async () => south(1)],
	["says nothing", async () => undefined],
	["cannot be asked", silent],
])("nothing changes when the DNS %s", async (_what, said) => {
	expect(await after(said)).toEqual({ state: "serving", told: [], applied: [] });
});
