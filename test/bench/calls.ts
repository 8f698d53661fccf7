import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signRequest } from "@fedify/fedify";
import { Application, CryptographicKey } from "@fedify/vocab";
import { type Identity, identityIn } from "../../node/federation/identity.ts";
import { type Callee, Calls } from "../../node/peers/calls.ts";
import { signerOf } from "../../node/peers/keys.ts";
import { Outside } from "../../node/peers/outside.ts";
import { MemoryVault } from "../../node/secrets/memory-vault.ts";
import { type Bench, interleave, median } from "./bench.ts";
import { freePort, type Peer, startPeer } from "./servers/peer.ts";

const servers = join(import.meta.dirname, "servers");
/** Who calls; nobody looks there. */
const caller = "https://north.example/actor";
const sid = "A".repeat(22);
const atOnce = 8;

export const bench: Bench = {
	name: "calls",
	goals:
		"at least 6 signed calls, checked and answered signed, for the processor time of one activity in Fedify's inbox",
	async run(say) {
		const folder = mkdtempSync(join(tmpdir(), "bench-calls-"));
		const peers: Peer[] = [];
		const start = async (file: string, ...more: string[]) => {
			const port = await freePort();
			peers.push(await startPeer(process.execPath, [join(servers, file), `${port}`, ...more], port));
			return peers.at(-1) as Peer;
		};
		const outside = new Outside(true);
		try {
			const identity = await identityIn(new MemoryVault());
			const signer = signerOf(identity, caller);
			const file = (name: string) => join(folder, name);
			writeFileSync(file("caller.json"), JSON.stringify({ keyId: signer.keyid, key: signer.key }));
			writeFileSync(file("sender.json"), JSON.stringify(await actorOf(identity)));
			const ours = await start("calls.ts", file("nonces"), file("caller.json"), file("callee.json"));
			const fedify = await start("fedify.ts", file("sender.json"));
			const callee = JSON.parse(readFileSync(file("callee.json"), "utf8")) as Callee;
			const calls = new Calls({ outside, signer: async () => signer, now: Date.now });

			say(`${atOnce} calls at once, each signed anew`);
			const samples = await interleave(7, {
				ours: () => each(ours, 1500, () => progress(calls, callee)),
				fedify: () => each(fedify, 300, () => activity(fedify.port, identity)),
			});
			const peer = { name: "ours", value: median(samples.ours) };
			const goal = { atLeast: 6 };
			return [
				{ what: "Fedify's inbox, processor for each call", unit: "ms", measured: median(samples.fedify), peer, goal },
			];
		} finally {
			await outside.close();
			for (const peer of peers) await peer.stop();
			rmSync(folder, { recursive: true });
		}
	},
};

/** Makes so many calls; answers the server's processor time for each, in milliseconds. */
async function each(server: Peer, count: number, call: () => Promise<void>): Promise<number> {
	const before = server.cpu();
	let left = count;
	const caller = async () => {
		while (left-- > 0) await call();
	};
	await Promise.all(Array.from({ length: atOnce }, caller));
	return ((server.cpu() - before) / count) * 1000;
}

/** What nodes tell each other most often while they move something. Fails unless it is answered as it must be. */
async function progress(calls: Calls, callee: Callee): Promise<void> {
	const body = { step: "copy", fraction: 0.25, bytes: 1_000_000, of: 4_000_000, note: null, seconds: null };
	await calls.call(callee, { method: "PUT", path: `/migrate/${sid}/progress`, body });
}

/** About as much as an activity. Fails unless it is taken. */
async function activity(port: number, { rsa }: Identity): Promise<void> {
	const body = JSON.stringify({
		"@context": "https://www.w3.org/ns/activitystreams",
		id: `https://north.example/activities/${randomUUID()}`,
		type: "Like",
		actor: caller,
		object: `http://127.0.0.1:${port}/note`,
	});
	const request = new Request(`http://127.0.0.1:${port}/inbox`, {
		...{ method: "POST", body },
		headers: { "content-type": "application/activity+json" },
	});
	const keyId = new URL(`${caller}#main-key`);
	const answer = await fetch(await signRequest(request, rsa.privateKey, keyId, { spec: "rfc9421" }));
	const text = await answer.text();
	if (answer.status !== 202) throw new Error(`Fedify answered ${answer.status}: ${text}`);
}

/** The sender with its RSA key, as every server of the Fediverse shows it. */
async function actorOf({ rsa }: Identity): Promise<unknown> {
	const [id, keyId] = [new URL(caller), new URL(`${caller}#main-key`)];
	const publicKey = new CryptographicKey({ id: keyId, owner: id, publicKey: rsa.publicKey });
	return new Application({ id, inbox: new URL(`${caller}/inbox`), publicKey }).toJsonLd();
}
