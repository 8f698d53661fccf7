import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Authority } from "../../node/certificates/authority.ts";
import { type Challenge, challengeName, type Wanted } from "../../node/certificates/certificate.ts";
import { Certificates, type CertificatesParts } from "../../node/certificates/certificates.ts";
import type { Pending } from "../../node/certificates/obtain.ts";
import { ZonePlace } from "../../node/certificates/zone-place.ts";
import { type NameServer, openNameServer } from "../../node/demo/name-server.ts";
import { Rfc2136Zone } from "../../node/domains/rfc2136-zone.ts";
import { SealedVault } from "../../node/secrets/sealed-vault.ts";
import { Database } from "../../node/store/database.ts";
import { hasPebble, startAuthority, type TestAuthority } from "./certificate-authority.ts";

const key = { name: "north", secret: Buffer.alloc(32, 1).toString("base64") };
const choir: Wanted = { domain: "choir.garden.test", hosts: ["social.choir.garden.test", "wiki.choir.garden.test"] };
const day = 86_400_000;

describe.skipIf(!hasPebble)("certificates from a real authority (needs Go, by which npm test builds pebble)", () => {
	let folder: string;
	let names: NameServer;
	let authority: TestAuthority;
	let zone: Rfc2136Zone;
	let db: Database;
	let vault: SealedVault;
	let now: () => number;
	let published: Challenge[][];

	beforeEach(async () => {
		folder = mkdtempSync(join(tmpdir(), "certificates-"));
		now = Date.now;
		published = [];
		const zoneFile = join(folder, "zone.json");
		names = await openNameServer({
			zone: "garden.test",
			file: zoneFile,
			port: 0,
			keys: [key],
			records: [],
			now: Date.now,
		});
		zone = new Rfc2136Zone({ name: "garden.test", server: `127.0.0.1:${names.port}`, key, now: Date.now });
		authority = await startAuthority(names.port);
		db = new Database(join(folder, "node.sqlite"));
		vault = new SealedVault(db, join(folder, "vault.key"), Date.now);
	});
	afterEach(async () => {
		db.close();
		await authority.close();
		await names.close();
		rmSync(folder, { recursive: true });
	});

	function open(change: Partial<CertificatesParts> = {}) {
		const place = new ZonePlace(zone);
		return new Certificates({
			...{ db, vault, now: () => now(), wanted: () => [choir], isKept: () => true },
			authority: async (accountKey) => new Authority({ ...authority, email: "staff@garden.test", accountKey }),
			place: () => ({
				publish: (challenges) => {
					published.push([...challenges]);
					return place.publish(challenges);
				},
				withdraw: (challenges) => place.withdraw(challenges),
			}),
			settled: async () => {},
			...change,
		});
	}

	test("one certificate for all hosts of a domain, by dns-01; nothing stays in the zone, and the key is sealed", async () => {
		const certificates = open();
		await Promise.all([certificates.order(choir), certificates.order(choir)]);
		expect(published).toHaveLength(1);
		expect(names.records()).toEqual([]);
		expect(certificates.standing(choir.domain)).toMatchObject({ hosts: choir.hosts, failures: 0, problem: null });
		expect(await certificates.contextFor("wiki.choir.garden.test")).toBeDefined();
		expect(await certificates.contextFor("choir.garden.test")).toBeUndefined();
		const kept = JSON.parse((await vault.get("certificates/choir.garden.test")) ?? "") as { chain: string };
		writeFileSync(join(folder, "chain.pem"), kept.chain);
		writeFileSync(join(folder, "issuers.pem"), await authority.issuers());
		const { spawnSync } = await import("node:child_process");
		const verified = spawnSync(
			"openssl",
			["verify", "-untrusted", "chain.pem", "-CAfile", "issuers.pem", "chain.pem"],
			{ cwd: folder, encoding: "utf8" },
		);
		expect(verified.stdout).toContain("chain.pem: OK");
		expect(await vault.names("certificate-orders/")).toEqual([]);
	});

	test("it is renewed in its last 30 days, and not before", async () => {
		const certificates = open();
		await certificates.round();
		const first = certificates.standing(choir.domain)?.endsAt ?? 0;
		const kept = () => vault.get("certificates/choir.garden.test");
		const before = await kept();
		now = () => first - 31 * day;
		await certificates.round();
		expect(await kept()).toBe(before);
		now = () => first - 29 * day;
		await certificates.round();
		expect(await kept()).not.toBe(before);
		expect(certificates.standing(choir.domain)).toMatchObject({ failures: 0, problem: null });
	});

	test("an authority that cannot see the challenge says so; it is put off, then tried anew", async () => {
		const nowhere = { publish: async () => {}, withdraw: async () => {} };
		let place: CertificatesParts["place"] = () => nowhere;
		const certificates = open({ place: (domain) => place(domain) });
		await certificates.round();
		const failed = certificates.standing(choir.domain);
		expect(failed).toMatchObject({
			failures: 1,
			endsAt: null,
			problem: expect.stringContaining("gives no certificate"),
		});
		place = () => new ZonePlace(zone);
		await certificates.round();
		expect(certificates.standing(choir.domain)).toEqual(failed);
		now = () => failed?.nextAt ?? 0;
		await certificates.round();
		expect(certificates.standing(choir.domain)).toMatchObject({ failures: 0, problem: null, hosts: choir.hosts });
	});

	test("killed with the challenges in the zone, the same order is gone on with and the zone is cleared", async () => {
		writeFileSync(join(folder, "ca.pem"), authority.ca);
		await vault.obtain("certificate-account", async () => {
			const { generateKeyPairSync } = await import("node:crypto");
			const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
			return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
		});
		const start = {
			...{ database: join(folder, "node.sqlite"), keyFile: join(folder, "vault.key"), ca: join(folder, "ca.pem") },
			...{ zone: { name: zone.name, server: zone.server, key }, directory: authority.directory, wanted: choir },
		};
		const run = spawn(process.execPath, [join(import.meta.dirname, "ordering.ts"), JSON.stringify(start)], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		await once(run.stdout, "data");
		const ended = once(run, "exit");
		run.kill("SIGKILL");
		await ended;
		expect(names.records().map(({ name }) => name)).toEqual(choir.hosts.map(challengeName));
		const before = JSON.parse((await vault.get("certificate-orders/choir.garden.test")) ?? "") as Pending;
		const certificates = open();
		await certificates.order(choir);
		expect(names.records()).toEqual([]);
		const { key: used } = JSON.parse((await vault.get("certificates/choir.garden.test")) ?? "") as { key: string };
		expect(used).toBe(before.key);
	});

	test("an authority that has forgotten the order is asked anew", async () => {
		const order = { directory: authority.directory, url: authority.directory.replace("/dir", "/my-order/none") };
		const lost: Pending = {
			...order,
			hosts: choir.hosts,
			key: "",
			challenges: [{ host: choir.hosts[0] ?? "", value: "left" }],
		};
		await zone.set([{ type: "TXT", name: challengeName(choir.hosts[0] ?? ""), value: "left", ttl: 10 }]);
		await vault.put("certificate-orders/choir.garden.test", JSON.stringify(lost));
		const certificates = open();
		await certificates.order(choir);
		expect(certificates.standing(choir.domain)?.hosts).toEqual(choir.hosts);
		expect(names.records()).toEqual([]);
	});

	test("what an authority never gives, and an authority that is gone, are told", async () => {
		const certificates = open();
		const blocked = { domain: "blocked.garden.test", hosts: ["blocked.garden.test"] };
		await expect(certificates.order(blocked)).rejects.toMatchObject({ code: "certificate-refused" });
		await authority.close();
		await expect(certificates.order(choir)).rejects.toMatchObject({ code: "certificate-silent" });
		expect(certificates.standings().map(({ failures }) => failures)).toEqual([1, 1]);
	});
});
