/**
 * Test equipment: a process of its own that applies a plan, for tests that kill it: `apply-alone.ts FOLDER PLAN [WHEN [KEY]]`.
 * It kills itself at the so-many-th half of a message. With a key of the customer's it sets up again.
 */
import { join } from "node:path";
import { SealedVault } from "../../../node/secrets/sealed-vault.ts";
import { Database } from "../../../node/store/database.ts";
import { awaitMishap } from "../mishap.ts";
import { engineIn, Told } from "./node.ts";

const [folder = "", plan = "", when = "0", ...keys] = process.argv.slice(2);
awaitMishap("node", Number(when), () => "");

const db = new Database(join(folder, "node.sqlite"));
const vault = new SealedVault(db, join(folder, "vault.key"));
const engine = engineIn(folder, { db, vault, environment: process.env, runMinutes: 10, keysOf: () => keys });
const wanted = JSON.parse(plan);
for (const stage of keys.length > 0 ? engine.repair(wanted) : engine.stages(wanted)) await stage.run(new Told());
await engine.close();
