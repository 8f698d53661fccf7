/** Test equipment: what machines of straw hold, looked at from beside their services, and more of it than these write in a test. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { readDeclaration } from "../../../node/agent/declaration.ts";
import type { Place } from "../../../node/volumes/volume.ts";
import { inBucket, contentsOf as objectsIn } from "../../contracts/bucket-yard.ts";
import { contentsOf as filesIn } from "../../contracts/directory-yard.ts";
import { never, noise } from "../../contracts/round.ts";
import type { SshMachine } from "../../machine.ts";
import { fillDatabase } from "../../postgres.ts";
import { everything } from "../../postgres-move.ts";
import type { Straw } from "./straw.ts";

/** The machine that declares this service, of whichever deployment. */
export function machineWith({ machines }: Straw, service: string): SshMachine {
	const found = machines.find((machine) => placesOn(machine).some(({ name }) => name.startsWith(`${service}/`)));
	if (!found) throw new Error(`No machine has ${service}`);
	return found;
}

/** As after years of use, in a small way. */
export async function fill(machine: SshMachine): Promise<void> {
	for (const { name, place } of placesOn(machine))
		switch (place?.kind) {
			case "directory":
				plant(place.path, name);
				break;
			case "sqlite":
				fillFile(place.path);
				break;
			case "postgres":
				await fillDatabase(place, 0.3);
				break;
			case "bucket":
				await inBucket(place, async (bucket) => {
					for (let n = 0; n < 12; n++)
						await bucket.put(
							`original/${n} ü.jpg`,
							noise(n * 9000, `${name} ${n}`),
							{ "content-type": "image/jpeg" },
							never,
						);
				});
		}
}

/** Every row, file and object, by `<service>/<volume>`; the same wherever they are. */
export async function holdings({ rooms }: Straw, machine: SshMachine): Promise<Record<string, unknown>> {
	const found: Record<string, unknown> = {};
	for (const { name, place } of placesOn(machine))
		if (place?.kind === "directory") found[name] = filesIn(place.path);
		else if (place?.kind === "sqlite") found[name] = rowsIn(place.path);
		else if (place?.kind === "bucket") found[name] = await objectsIn(place);
		else if (place?.kind === "postgres")
			found[name] = await everything(rooms.cluster, place.database, "--no-publications");
	return found;
}

/** What its services have been given, by `<service>/<name>`. */
export function secretsOn(machine: SshMachine): Record<string, string> {
	const folder = machine.at("state/secrets");
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
		(name) => name.split("/").length === 3,
	);
	return Object.fromEntries(
		files.sort().map((name) => [name.slice(name.indexOf("/") + 1), readFileSync(join(folder, name), "utf8")]),
	);
}

/** A service without volumes has one without a place. */
function placesOn(machine: SshMachine): { name: string; place?: Place }[] {
	const declaration = readDeclaration(machine.at("agent.json"));
	return Object.entries(declaration.services).flatMap(([key, { volumes }]) => {
		const [, service] = key.split("/");
		const names = Object.keys(volumes);
		if (names.length === 0) return [{ name: `${service}/` }];
		return names.map((volume) => ({ name: `${service}/${volume}`, place: declaration.place(key, volume) }));
	});
}

function plant(folder: string, seed: string): void {
	for (const name of ["deep/er", "empty"]) mkdirSync(join(folder, name), { recursive: true });
	for (let n = 0; n < 12; n++) writeFileSync(join(folder, `deep/${n} ü`), noise(n * 9000, `${seed} ${n}`));
	writeFileSync(join(folder, "deep/er/tool"), "#!/bin/sh\n", { mode: 0o751 });
	symlinkSync("deep/1 ü", join(folder, "link"));
}

function fillFile(path: string): void {
	const database = new Sqlite(path, { fileMustExist: true });
	database.exec(`CREATE TABLE likes (id INTEGER PRIMARY KEY, of BLOB);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO likes SELECT i, randomblob(300) FROM n`);
	database.close();
}

function rowsIn(path: string): unknown {
	const database = new Sqlite(path, { fileMustExist: true });
	try {
		const tables = database.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY 1").all() as {
			name: string;
		}[];
		const rows = tables.map(({ name }) => database.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all());
		return [tables, rows];
	} finally {
		database.close();
	}
}
