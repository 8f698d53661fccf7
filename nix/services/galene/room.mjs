// Writes Galene's settings and its one room. Arguments: a JSON file {domain, origin, username}, Galene's state folder; the password
// lies in $CREDENTIALS_DIRECTORY/password. Whoever has the account leads the room and invites others; nobody else gets in.
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [description, state] = process.argv.slice(2);
const { domain, origin, username } = JSON.parse(readFileSync(description, "utf8"));
const password = readFileSync(join(process.env.CREDENTIALS_DIRECTORY, "password"), "utf8").trimEnd();

write("data/config.json", { proxyURL: `${origin}/` });
write("groups/meeting.json", {
	displayName: domain,
	public: true,
	users: { [username]: { password: hashed(), permissions: "op" } },
});

function hashed() {
	const salt = randomBytes(16);
	const iterations = 100_000;
	const key = pbkdf2Sync(password, salt, iterations, 32, "sha256").toString("hex");
	return { type: "pbkdf2", hash: "sha-256", key, salt: salt.toString("hex"), iterations };
}

/** Whole or not at all: Galene looks at a room's file whenever somebody comes. */
function write(name, content) {
	const path = join(state, name);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(`${path}.new`, JSON.stringify(content, null, "\t"), { mode: 0o600 });
	renameSync(`${path}.new`, path);
}
