// Gives an account of GoToSocial another password. Arguments: database, user name; the bcrypt hash comes by standard
// input. Prints how many accounts that were: 0 if there is no such account, or no database yet.
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const [file, username] = process.argv.slice(2);
console.log(existsSync(file) ? change(readFileSync(0, "utf8")) : 0);

function change(hash) {
	const database = new DatabaseSync(file, { timeout: 10_000 });
	try {
		if (!database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'users'").get()) return 0;
		const mine = "SELECT id FROM accounts WHERE username = ? AND domain IS NULL";
		const update = `UPDATE users SET encrypted_password = ? WHERE account_id IN (${mine})`;
		return database.prepare(update).run(hash, username).changes;
	} finally {
		database.close();
	}
}
