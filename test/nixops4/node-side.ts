/**
 * The node's side of a run, as a process of its own that tests kill: opens a run, says its environment in one line, then
 * every event in one line each, and ends with its input. Arguments: folder, deployment, and who is killed at which half of a message.
 */
import { writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { newSecret } from "../../node/engines/local/password.ts";
import { Answering } from "../../node/engines/nixops4/answering.ts";
import { resourcesWith } from "../../node/engines/nixops4/resources.ts";
import { Runs } from "../../node/engines/nixops4/runs.ts";
import { States } from "../../node/engines/nixops4/states.ts";
import { SealedVault } from "../../node/secrets/sealed-vault.ts";
import { Database } from "../../node/store/database.ts";
import { awaitMishap, type Victim } from "./mishap.ts";
import { World } from "./world.ts";

const [folder = "", deployment = "", victim = "node", half = "0"] = process.argv.slice(2);
const db = new Database(join(folder, "node.sqlite"));
const vault = new SealedVault(db, join(folder, "vault.key"));
const world = new World(folder);
const empty = createServer((request, response) => {
	const uploads = request.url?.includes("uploads");
	response.setHeader("content-type", "application/xml");
	response.end(uploads ? "<ListMultipartUploadsResult/>" : "<ListBucketResult/>");
});
await new Promise<void>((listening) => void empty.listen(0, "127.0.0.1", listening));
const s3 = `http://127.0.0.1:${(empty.address() as AddressInfo).port}`;

const states = new States(db, Date.now);
const storage = async () => world.storage(s3);
const resources = resourcesWith({
	vault,
	machines: world,
	zones: world,
	storage,
	makeSecret: newSecret,
	makeKey: newSecret,
});
const answering = new Answering(states, resources);

const runs = new Runs({
	socket: join(folder, "run.sock"),
	folder: join(folder, "credentials"),
	answering,
	ended: (gone) => states.forget(gone),
});
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
awaitMishap(
	victim as Victim,
	Number(half),
	() => join(folder, "run.sock"),
	() => writeSync(1, `${JSON.stringify({ kind: "mishap" })}\n`),
);
const run = await runs.open(deployment, "choir.example", say);
say(run.environment);
process.stdin.resume().once("end", async () => {
	await run.close();
	await runs.close();
	empty.close();
	db.close();
});
