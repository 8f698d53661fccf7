/** Moving to a provider that gets its certificates itself, from a real authority that looks into the zone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority } from "../../node/certificates/authority.ts";
import type { Challenge } from "../../node/certificates/certificate.ts";
import { Certificates } from "../../node/certificates/certificates.ts";
import { MemoryVault } from "../../node/secrets/memory-vault.ts";
import { Database } from "../../node/store/database.ts";
import { freePort } from "../bench/servers/peer.ts";
import { newDomain, Town } from "../hostile/town.ts";
import { agreed } from "../hostile/walks.ts";
import { hasPebble, startAuthority, type TestAuthority } from "../services/certificate-authority.ts";
import { beginMove, bothEnded, statesOf } from "./moving.ts";

const password = "a long password of the tests";

describe.skipIf(!hasPebble)("certificates on the move (needs Go, by which npm test builds pebble)", () => {
	const folder = mkdtempSync(join(tmpdir(), "certificates-"));
	let old: Town;
	let authority: TestAuthority;
	beforeAll(async () => {
		old = await Town.open();
		authority = await startAuthority(Number(old.zone.server.split(":")[1]));
		writeFileSync(join(folder, "ca.pem"), authority.ca);
	});
	afterAll(async () => {
		await authority?.close();
		await old?.close();
		rmSync(folder, { recursive: true });
	});

	/** Another provider, which holds the same zone. */
	const provider = (settings: Record<string, string>) =>
		Town.open({
			FEDIVERSITY_ZONE_SERVER: old.zone.server,
			FEDIVERSITY_CERTIFICATES_DIRECTORY: authority.directory,
			FEDIVERSITY_CERTIFICATES_CA_FILE: join(folder, "ca.pem"),
			...settings,
		});
	const standing = (host: string) => old.zone.look(`_acme-challenge.${host}`, "TXT");

	test("the new provider has its certificate before services rest, and nothing stays in the zone", async () => {
		const there = await provider({});
		try {
			const { domain } = await old.deployed();
			there.entitle();
			const begun = await beginMove(old.person, there.person, domain, password);
			expect(await bothEnded(begun, old.person, there.person)).toEqual(["done", "done"]);
			const { steps } = await there.job(begun.arrive);
			const verbs = steps.map(({ verb }) => verb);
			expect(verbs.indexOf("certificate")).toBe(verbs.indexOf("rehearse") - 1);
			const kept = new Database(join(there.folder, "state/node.sqlite"));
			const row = kept.get("SELECT hosts, failures, problem FROM certificate WHERE domain = $domain", { domain });
			kept.close();
			expect(row).toEqual({ hosts: JSON.stringify([`social.${domain}`]), failures: 0, problem: null });
			expect(await standing(`social.${domain}`)).toEqual([]);
		} finally {
			await there.close();
		}
	});

	test("where TLS ends at the new provider's node, no certificate means no move, and services never rest", async () => {
		const there = await provider({
			FEDIVERSITY_CERTIFICATES_DIRECTORY: `https://127.0.0.1:${await freePort()}/dir`,
			FEDIVERSITY_WEB_LISTEN_TLS: `127.0.0.1:${await freePort()}`,
		});
		try {
			const { domain } = await old.deployed();
			there.entitle();
			const begun = await beginMove(old.person, there.person, domain, password);
			expect(await bothEnded(begun, old.person, there.person)).toEqual(["undone", "undone"]);
			const { steps } = await there.job(begun.arrive);
			expect(steps.find(({ verb }) => verb === "certificate")?.problem?.code).toBe("certificate-silent");
			expect(await statesOf(old.person, domain)).toEqual(["serving"]);
			const left = await old.job(begun.leave);
			expect(left.steps.find(({ verb }) => verb === "freeze")?.state).toBe("waiting");
		} finally {
			await there.close();
		}
	});

	test("a target that holds no zone gets its certificate through its source", async () => {
		const target = await old.stranger();
		const moving = await old.movingOut(target, await old.deployed(newDomain()));
		await agreed(moving);
		const put = async (values: readonly Challenge[]) => {
			const body = JSON.stringify({ values });
			const answer = await target.send({ method: "PUT", target: `${moving.talk.door}/challenge`, body });
			expect(answer).toMatchObject({ status: 204, isSigned: true });
		};
		const db = new Database(":memory:");
		const certificates = new Certificates({
			...{ db, vault: new MemoryVault(), now: Date.now, wanted: () => [], isKept: () => true },
			authority: async (accountKey) => new Authority({ ...authority, email: "", accountKey }),
			place: () => undefined,
			settled: async () => {},
		});
		const wanted = { domain: moving.domain, hosts: [`social.${moving.domain}`] };
		await expect(certificates.order(wanted)).rejects.toMatchObject({ code: "certificate-zone" });
		await certificates.order(wanted, { publish: put, withdraw: () => put([]) });
		expect(await certificates.contextFor(`social.${moving.domain}`)).toBeDefined();
		expect(await standing(`social.${moving.domain}`)).toEqual([]);
		db.close();
		await moving.talk.say({ kind: "reject", content: { code: "cancelled", detail: "enough", params: {} } });
		await old.ended(moving.job);
	});
});
