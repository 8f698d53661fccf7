import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Machinery } from "./agent/elsewhere.ts";
import { Certificates, type CertificatesParts } from "./certificates/certificates.ts";
import { waitUntilSeen, ZonePlace } from "./certificates/zone-place.ts";
import type { Config } from "./config.ts";
import { Customers } from "./customers/customers.ts";
import { Entitlements } from "./customers/entitlements.ts";
import { SshKeys } from "./customers/ssh-keys.ts";
import { Vouchers } from "./customers/vouchers.ts";
import { restart, setPassword } from "./deployments/care.ts";
import { deploy, type Tools } from "./deployments/deploy.ts";
import { Deployments } from "./deployments/deployments.ts";
import { concluded } from "./deployments/endings.ts";
import { History } from "./deployments/history.ts";
import { erase, remove, restore } from "./deployments/remove.ts";
import { repair } from "./deployments/repair.ts";
import { hostsOf, Requests } from "./deployments/requests.ts";
import { DnsLookup } from "./domains/dns-lookup.ts";
import { Domains } from "./domains/domains.ts";
import { Rfc2136Zone } from "./domains/rfc2136-zone.ts";
import type { Engine, Plan } from "./engines/engine.ts";
import { LocalEngine } from "./engines/local/local-engine.ts";
import type { Recipe } from "./engines/local/recipe.ts";
import { missingOf, openNixops4Engine } from "./engines/nixops4/open.ts";
import type { Kinds } from "./jobs/job.ts";
import { Jobs } from "./jobs/jobs.ts";
import type { OnEnd } from "./jobs/ledger.ts";
import { Fleet } from "./machines/fleet.ts";
import { Identity } from "./machines/identity.ts";
import { Machines } from "./machines/machines.ts";
import { Sockets } from "./machines/sockets.ts";
import { arrive } from "./migrations/arrive.ts";
import { leave } from "./migrations/leave.ts";
import { openMigrations } from "./migrations/migrations.ts";
import { bytesRoom, MoveIns } from "./migrations/move-ins.ts";
import { KeptNotices } from "./notices/kept-notices.ts";
import { Mail } from "./notices/mail.ts";
import { Outbox } from "./notices/outbox.ts";
import { Sender } from "./notices/sender.ts";
import { NoticeSettings } from "./notices/settings.ts";
import { Webhook } from "./notices/webhook.ts";
import { Acceptance } from "./peers/acceptance.ts";
import { Directory } from "./peers/directory.ts";
import { ownSheet, type SaidByProvider } from "./peers/own-sheet.ts";
import { Peers } from "./peers/peers.ts";
import { SealedVault } from "./secrets/sealed-vault.ts";
import { catalogue } from "./services/catalogue.ts";
import { Database } from "./store/database.ts";
import { Metrics } from "./web/metrics.ts";

const GiB = 1024 ** 3;
/** How long a zone's secondaries are waited for before a certificate authority is told to look, ms. */
const mostSettling = 60_000;

export interface Surroundings {
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Ms since 1970. */
	readonly now: () => number;
	/** How services are run; none: as this node does. For tests. */
	readonly recipes?: readonly Recipe[];
	/** How the agent is called on machines; none: as nix/volumes.nix installs it. For tests. */
	readonly agent?: readonly string[];
}

export type Parts = ReturnType<typeof openParts>;

/** Builds everything a node consists of and connects it, by hand and in one place. Nothing runs yet. */
export function openParts(config: Config, { environment, now, recipes, agent }: Surroundings) {
	// Others may pass through to the folders of services, which have users of their own, and can list or read nothing.
	mkdirSync(config.state.folder, { recursive: true, mode: 0o711 });
	const db = new Database(join(config.state.folder, "node.sqlite"));
	const vault = new SealedVault(db, config.vault.keyFile, now);
	const nodeId = nodeIdIn(db);
	const sockets = new Sockets(join(config.state.folder, "ssh"));
	const fleet = new Fleet(new Machines(db, now), new Identity(config.engine.keyFile), agent, sockets);
	const zone = config.zone ? zoneOf(config.zone, now) : null;
	const localEngine = () =>
		new LocalEngine({
			...{ nodeId, vault, environment, cache: config.state.cache, memoryMiB: config.engine.memoryMiB },
			folder: join(config.state.folder, "services"),
			ports: { first: config.engine.firstPort, last: config.engine.lastPort },
			...(recipes && { recipes }),
		});
	const nixops4Engine = () =>
		openNixops4Engine({
			...{ nodeId, config, fleet, environment, db, vault, zone, now },
			guardOf(deployment) {
				const { customer, domain } = deployments.known(deployment);
				return domains.guardOf(customer, domain);
			},
			keysOf: (deployment) => sshKeys.of(deployments.known(deployment).customer),
		});
	const engine: Engine = config.engine.kind === "nixops4" ? nixops4Engine() : localEngine();
	const isInZone = (host: string) => zone !== null && host.endsWith(`.${zone.name}`);
	const challengePlace = (domain: string) => (zone && isInZone(domain) ? new ZonePlace(zone) : undefined);
	const lookup = new DnsLookup({ resolvers: config.dns.resolvers, now });
	const panelHost = new URL(config.web.url).hostname;
	const domains = new Domains(db, {
		...{ now, addresses: config.services.addresses, panelHost, lookup },
		actor: `${config.web.url}/actor`,
		zones: zone ? [zone] : [],
		lookup: new DnsLookup({ resolvers: config.dns.resolvers, now }),
	});

	const certificates = new Certificates({
		...{ db, vault, now, place: challengePlace, authority: authorityOf(config) },
		wanted: () => [
			...(isInZone(panelHost) ? [{ domain: panelHost, hosts: [panelHost] }] : []),
			...deployments.inState("serving").map(({ domain, plan }) => ({ domain, hosts: namesOf(plan) })),
		],
		isKept: (domain) => domain === panelHost || deployments.at(domain) !== undefined,
		settled: (challenges, signal) => waitUntilSeen(challenges, lookup, mostSettling, signal),
	});

	const customers = new Customers(db, now);
	const sshKeys = new SshKeys(db, now);
	const vouchers = new Vouchers(db, config.provider.name, now);
	const entitlements = new Entitlements(db, vouchers, now);
	const notices = noticesOf(config, db, vault, now);
	const deployments = new Deployments(db, now);
	const history = new History(db, now);

	const holder = (deployment: string) => deployments.known(deployment).customer;
	const tools: Tools = {
		...{ engine, vault },
		publish: (plan) => domains.publish(holder(plan.deployment), plan.domain, hostsOf(plan)),
		async withdraw(plan) {
			// What moved away and came back serves under the records that the copy of before had.
			if (deployments.at(plan.domain)?.id !== plan.deployment) return;
			await domains.withdraw(holder(plan.deployment), plan.domain, hostsOf(plan));
		},
	};
	const migrations = openMigrations({
		...{ db, vault, engine, domains, deployments, now, origin: config.web.url },
		elsewhere: new Machinery((machine) => fleet.agent(machine)),
		front: config.services.front,
		...{ provider: config.provider.name, folder: config.state.folder, insecure: config.demo !== null },
		...{ freezeSeconds: config.migrations.freezeSeconds, keepDays: config.services.keepDays },
		customerName: (customer) => customers.get(customer).name,
		limits: bytesRoom,
		challengePlace,
		certificates: {
			isOn: certificates.isOn,
			required: config.web.listenTls !== null,
			order: (...asked) => certificates.order(...asked),
		},
		erase: (deployment) => requests.eraseKept(deployment),
		...{ notices: notices.outbox, history },
	});
	const sagas = [deploy(engine), remove, restore(engine), erase, repair(engine), restart, setPassword];
	const kinds: Kinds = {
		...Object.fromEntries(sagas.map((saga) => [saga.name, { saga, tools: () => tools }])),
		leave: { saga: leave, tools: () => migrations.tools },
		arrive: { saga: arrive, tools: () => migrations.tools },
	};
	const jobs = new Jobs(db, kinds, now);
	const onEnd: OnEnd = concluded({
		...{ deployments, history, notices: notices.outbox, keepDays: config.services.keepDays, now },
		release: (deployment) => entitlements.release(deployment),
		hasMoved: (deployment) => migrations.seen(deployment)?.moved?.to === true,
		more: (kind, deployment) => (kind === "leave" || kind === "arrive" ? migrations.sentenceParts(deployment) : {}),
	});
	const originOf = (host: string) => config.services.origin.replace("{host}", host);
	const requests = new Requests({
		...{ db, deployments, history, engine, vault, catalogue },
		originOf,
		addDomain: (customer, domain) => domains.add(customer, domain).domain,
		checkPointed: (...asked) => domains.checkPointed(...asked),
		claim: (...claim) => void entitlements.claim(...claim),
		startJob: (...job) => jobs.start(...job),
	});
	const peers = new Peers(db, now);
	const acceptance = acceptanceOf(config, db, peers, now);
	const moveIns = new MoveIns({
		...{
			db,
			sessions: migrations.sessions,
			deployments,
			history,
			notices: notices.outbox,
			engine,
			vault,
			catalogue,
			now,
		},
		...{ origin: config.web.url, key: migrations.key, originOf },
		entitlements: (customer) => entitlements.forMoveIn(customer),
		release: (deployment) => entitlements.release(deployment),
		claim: (...claim) => void entitlements.claim(...claim),
		checkDomain: (text) => domains.checked(text),
		serving: (domain) => domains.serving(domain),
		startJob: (...job) => jobs.start(...job),
		checkAccepted: (...asked) => acceptance.checkSource(...asked),
		staff: () => customers.staff(),
		...{ byHand: config.migrations.byHand, certificates: certificates.isOn },
	});
	migrations.sessions.onHear((session, { kind }) => {
		if (session.side === "target" && kind === "offer") moveIns.offered(session);
	});
	const version = ownVersion();
	const { outside, actor, signer } = migrations;
	const directory = new Directory({ ...config.peers, peers, outside, origin: config.web.url, now });
	const sheet = ownSheet({
		...{ actor, signer, engine, catalogue, now, folder: config.state.folder },
		said: saidByProvider(config, version),
	});
	const metrics = new Metrics(db, version, now);
	return {
		...{ config, now, db, vault, nodeId, engine, zone, domains, customers, vouchers, entitlements, catalogue, sshKeys },
		...{ deployments, history, jobs, onEnd, migrations, moveIns, requests, metrics, version, ...notices },
		...{ peers, directory, acceptance, sheet, certificates, fleet },
		missing: async () => missingOf(config.engine.program, environment),
	};
}

function acceptanceOf({ migrations }: Config, db: Database, peers: Peers, now: () => number): Acceptance {
	const bytes = (gib: number | null) => (gib === null ? null : gib * GiB);
	const { accept, largestGiB, movesEach, gibADayEach } = migrations;
	return new Acceptance({
		...{ db, peers, accept, now },
		...{ largest: bytes(largestGiB), mostMoves: movesEach, mostBytes: bytes(gibADayEach) },
	});
}

/** Loaded with the first order: most starts of a node need none. */
function authorityOf({ certificates }: Config): CertificatesParts["authority"] {
	if (!certificates) return null;
	const { directory, email, caFile } = certificates;
	const ca = caFile === null ? undefined : readFileSync(caFile, "utf8");
	return async (accountKey) => {
		const { Authority } = await import("./certificates/authority.ts");
		return new Authority({ directory, email, accountKey, ...(ca !== undefined && { ca }) });
	};
}

const namesOf = (plan: Plan): string[] => hostsOf(plan).map(({ host }) => host);

/** What goes into the offer sheet as it stands in the configuration; a text that is empty is not told. */
function saidByProvider({ provider, migrations, services, web }: Config, version: string): SaidByProvider {
	const { name, place, jurisdiction, price, backups, terms, exitDays, exitCharge } = provider;
	const { accept, largestGiB } = migrations;
	return {
		...{ name, version, place: place || null, jurisdiction: jurisdiction || null },
		...{ price: price || null, backups: backups || null, terms: terms === null ? null : new URL(terms, web.url).href },
		limits: { bytes: largestGiB === null ? null : largestGiB * GiB },
		accepts: ({ open: "all", listed: "known", none: "none" } as const)[accept],
		exit: { noticeDays: exitDays, charge: exitCharge || null, keepDays: services.keepDays },
	};
}

/** What the programs of this node are marked with. Made once; a copy of the database is the same node. */
function nodeIdIn(db: Database): string {
	db.run("INSERT INTO node (one, id) VALUES (1, $id) ON CONFLICT DO NOTHING", { id: randomUUID() });
	return db.get<{ id: string }>("SELECT id FROM node")?.id ?? "";
}

function zoneOf(zone: NonNullable<Config["zone"]>, now: () => number) {
	const secret = readFileSync(zone.keyFile, "utf8").trim();
	return new Rfc2136Zone({ name: zone.name, server: zone.server, key: { name: zone.keyName, secret }, now });
}

function noticesOf(config: Config, db: Database, vault: SealedVault, now: () => number) {
	const panel = config.web.url;
	const isDemo = config.demo !== null;
	const noticeSettings = new NoticeSettings(db, vault, { privateWebhooks: isDemo });
	const webhook = new Webhook({
		...{ panel, now, privateToo: isDemo },
		secretOf: (customer) => noticeSettings.webhookSecret(customer),
	});
	const mail = config.mail ? [new Mail({ ...config.mail, panel, provider: config.provider.name })] : [];
	const sender = new Sender(db, [...mail, webhook], now);
	const keptNotices = new KeptNotices(db, now);
	const told = (customer: string) => keptNotices.ring(customer);
	const outbox = new Outbox({ database: db, settings: noticeSettings, sender, told, now });
	return { noticeSettings, sender, keptNotices, outbox };
}

function ownVersion(): string {
	const file = join(import.meta.dirname, "..", "package.json");
	return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
