/**
 * A node's door for signed calls, with the one matter that nodes call most: how far they are. Arguments: port, folder for
 * what was seen, file with the caller's key id and public key, file for our own.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Progress } from "#protocol/migration/messages.ts";
import { identityIn } from "../../../node/federation/identity.ts";
import { openDoor } from "../../../node/migrations/door.ts";
import { signerOf, verifierOf } from "../../../node/peers/keys.ts";
import { Nonces } from "../../../node/peers/nonces.ts";
import { MemoryVault } from "../../../node/secrets/memory-vault.ts";

const [port, folder = "", callerFile = "", ownFile = ""] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const signer = signerOf(await identityIn(new MemoryVault()), `${origin}/actor`);
const caller = JSON.parse(readFileSync(callerFile, "utf8")) as { keyId: string; key: string };
const verifier = verifierOf(caller.keyId, caller.key);
writeFileSync(ownFile, JSON.stringify({ origin, keyId: signer.keyid, key: signer.key }));

const door = openDoor({
	origin,
	matters: {
		"PUT/progress": ({ body }) => {
			Progress.parse(JSON.parse(body.toString("utf8")));
			return undefined;
		},
	},
	signer: async () => signer,
	verifierFor: async (_sid, keyid) => (keyid === verifier.keyid ? verifier : undefined),
	nonces: new Nonces(folder, Date.now),
	now: Date.now,
});
createServer((request, response) => void door(request, response)).listen(Number(port), "127.0.0.1");
