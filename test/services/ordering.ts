/** A process that orders a certificate and stops in the middle, to be killed there: `ordering.ts <JSON>`. */
import { readFileSync } from "node:fs";
import { Authority } from "../../node/certificates/authority.ts";
import { Certificates } from "../../node/certificates/certificates.ts";
import { ZonePlace } from "../../node/certificates/zone-place.ts";
import { Rfc2136Zone } from "../../node/domains/rfc2136-zone.ts";
import { SealedVault } from "../../node/secrets/sealed-vault.ts";
import { Database } from "../../node/store/database.ts";

const { database, keyFile, zone, directory, ca, wanted } = JSON.parse(process.argv[2] ?? "{}");
const db = new Database(database);
const vault = new SealedVault(db, keyFile, Date.now);
const certificates = new Certificates({
	...{ db, vault, now: Date.now, wanted: () => [], isKept: () => true },
	authority: async (accountKey) => new Authority({ directory, email: "", ca: readFileSync(ca, "utf8"), accountKey }),
	place: () => new ZonePlace(new Rfc2136Zone({ ...zone, now: Date.now })),
	// The challenges stand now, and nobody has been told.
	settled: () => new Promise(() => process.stdout.write("challenges stand\n")),
});
setInterval(() => {}, 1000);
await certificates.order(wanted);
