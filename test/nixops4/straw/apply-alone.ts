/** Test equipment: a process of its own that applies a plan, for tests that kill it: `apply-alone.ts FOLDER PLAN`. */
import { join } from "node:path";
import { SealedVault } from "../../../node/secrets/sealed-vault.ts";
import { Database } from "../../../node/store/database.ts";
import { engineIn, Told } from "./node.ts";

const [folder = "", plan = ""] = process.argv.slice(2);
const db = new Database(join(folder, "node.sqlite"));
const vault = new SealedVault(db, join(folder, "vault.key"));
const engine = engineIn(folder, { db, vault, environment: process.env, runMinutes: 10 });
await engine.apply(JSON.parse(plan), new Told());
