import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { Machines } from "../machines/machines.ts";
import { Database } from "./database.ts";

test("a database of an earlier version is brought up to date, with all that it holds", () => {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-database-"));
	try {
		const file = join(folder, "node.sqlite");
		const old = new Sqlite(file);
		old.exec(readFileSync(join(import.meta.dirname, "0001-house.sql"), "utf8"));
		old.pragma("user_version = 1");
		old.exec(`INSERT INTO machine (id, address, port, user, host_key, system, memory_mib, disk_gib, created_at)
			VALUES ('m1', '10.0.0.21', 22, 'root', 'k', 'x86_64-linux', 4096, 100, 7)`);
		old.close();
		for (const _ of ["first", "second"]) {
			const now = new Database(file);
			expect(new Machines(now, () => 8).all()).toMatchObject([{ id: "m1", address: "10.0.0.21", publicAddress: null }]);
			now.close();
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});
