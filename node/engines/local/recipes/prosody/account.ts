import { createHash, createHmac, pbkdf2Sync, randomUUID } from "node:crypto";

/** As Prosody itself does; more would make signing in slow on small machines, and the password is long. */
const iterations = 10_000;

/** Where Prosody's internal storage keeps an account, seen from its data folder. */
export function accountPath(username: string, host: string): string {
	return `${encoded(host)}/accounts/${encoded(username)}.dat`;
}

/** An account as Prosody keeps it (mod_auth_internal_hashed): what SCRAM-SHA-1 needs to check a password, RFC 5802 §3. */
export function accountWith(password: string): string {
	const salt = randomUUID();
	const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 20, "sha1");
	const keyed = (purpose: string) => createHmac("sha1", salted).update(purpose).digest();
	const stored = createHash("sha1").update(keyed("Client Key")).digest("hex");
	return `return {
	["iteration_count"] = ${iterations};
	["salt"] = "${salt}";
	["stored_key"] = "${stored}";
	["server_key"] = "${keyed("Server Key").toString("hex")}";
};
`;
}

function encoded(name: string): string {
	return name.replaceAll(/[^A-Za-z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
