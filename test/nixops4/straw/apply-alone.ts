/**
 * Test equipment: a process of its own that applies a plan, for tests that kill it: `apply-alone.ts FOLDER PLAN [WHEN [KEY]]`.
 * It kills itself before (odd) or after (even) it answers the so-many-th request of NixOps4, counted in halves. With a key
 * of the customer's it sets up again.
 */
import { join } from "node:path";
import { Answering } from "../../../node/engines/nixops4/answering.ts";
import { SealedVault } from "../../../node/secrets/sealed-vault.ts";
import { Database } from "../../../node/store/database.ts";
import { engineIn, Told } from "./node.ts";

const [folder = "", plan = "", when = "0", ...keys] = process.argv.slice(2);
const answer = Answering.prototype.answer;
let half = 0;
const maybe = () => void (++half === Number(when) && process.kill(process.pid, "SIGKILL"));
Answering.prototype.answer = async function (...asked) {
	maybe();
	const answered = await answer.apply(this, asked);
	maybe();
	return answered;
};

const db = new Database(join(folder, "node.sqlite"));
const vault = new SealedVault(db, join(folder, "vault.key"));
const engine = engineIn(folder, { db, vault, environment: process.env, runMinutes: 10, keysOf: () => keys });
const wanted = JSON.parse(plan);
for (const stage of keys.length > 0 ? engine.repair(wanted) : engine.stages(wanted)) await stage.run(new Told());
await engine.close();
