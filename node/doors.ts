/** The node's doors to the web. Loaded after the node has begun to listen, since schemas and routes are most of its weight. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Passwords } from "./customers/passwords.ts";
import { customerRoutes } from "./customers/routes.ts";
import { Sessions } from "./customers/sessions.ts";
import { SignIn } from "./customers/sign-in.ts";
import { signUp } from "./customers/sign-up.ts";
import { customerStaffRoutes } from "./customers/staff-routes.ts";
import { Tokens } from "./customers/tokens.ts";
import { deploymentRoutes } from "./deployments/routes.ts";
import { findings } from "./doctor/findings.ts";
import type { Pool } from "./doctor/machines.ts";
import { domainRoutes } from "./domains/routes.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { machineRoutes } from "./machines/routes.ts";
import { openDoor } from "./migrations/door.ts";
import { Inbox } from "./migrations/inbox.ts";
import { Moves } from "./migrations/moves.ts";
import { migrationRoutes, staffMoveRoutes } from "./migrations/routes.ts";
import { noticeRoutes } from "./notices/routes.ts";
import type { Parts } from "./parts.ts";
import { openSheetDoor } from "./peers/door.ts";
import { Nonces } from "./peers/nonces.ts";
import { peerRoutes } from "./peers/routes.ts";
import { serviceRoutes } from "./services/routes.ts";
import { openApp } from "./web/app.ts";
import { Idempotency } from "./web/idempotency.ts";
import { implement, Routes } from "./web/implement.ts";
import { openOperatorDoor } from "./web/operator.ts";
import { panelFolder } from "./web/panel-files.ts";
import { RateLimits } from "./web/rate-limit.ts";
import { Door } from "./web/session.ts";

export interface Doors {
	/** Answers what comes for the panel's own host name. */
	panel(request: IncomingMessage, response: ServerResponse): unknown;
	close(): Promise<void>;
}

/** Opens the operators' door, and gives the public one to the gateway. `ready` names what keeps the node from its work. */
export async function openDoors(parts: Parts, ready: () => Promise<readonly string[]>): Promise<Doors> {
	const { config, db, vault, now, metrics, version } = parts;
	const sessions = new Sessions(db, config.sessions.days, now);
	const tokens = new Tokens(db, now);
	const door = new Door(config.web.url, sessions, tokens);
	const idempotency = new Idempotency(db, vault, now);
	const routes = routesOf(parts, { sessions, tokens, door });
	const app = openApp({
		...{ routes, idempotency, door, version, now, ready, origin: config.web.url },
		count: (...answer) => metrics.count(...answer),
		panel: panelFolder,
		logo: config.provider.logo,
		help: config.provider.help,
		federation: () => federationOf(parts),
	});
	const operators = await openOperatorDoor({ config: config.operator, metrics, routes, idempotency });
	const page = getRequestListener(app.fetch);
	const migrations = migrationDoor(parts);
	const { sheet, directory } = parts;
	const sheets = openSheetDoor({ sheet, named: () => directory.named(), listed: config.peers.listed });
	const panel = async (request: IncomingMessage, response: ServerResponse) => {
		const isNodes = request.url?.startsWith("/migrate/");
		if (isNodes && ((await sheets(request, response)) || (await migrations(request, response)))) return;
		return page(request, response);
	};
	return { panel, close: () => operators.close() };
}

function routesOf(
	parts: Parts,
	{ sessions, tokens, door }: { sessions: Sessions; tokens: Tokens; door: Door },
): Routes {
	const { config, db, now, customers, vouchers, entitlements, catalogue, engine, jobs, sshKeys } = parts;
	const routes = new Routes();
	const passwords = new Passwords();
	const signIn = new SignIn({ db, customers, passwords, sessions });
	customerRoutes(routes, {
		...{ customers, signIn, sessions, tokens, entitlements, door, now, trustProxy: config.web.trustProxy },
		signUp: (wish) => signUp({ db, customers, passwords, vouchers, entitlements }, wish),
		...{ sshKeys, limits: new RateLimits() },
	});
	customerStaffRoutes(routes, { customers, vouchers, signIn, catalogue });
	domainRoutes(routes, { domains: parts.domains, catalogue });
	serviceRoutes(routes, { catalogue, engine, provider: providerOf(parts) });
	deploymentRoutes(routes, {
		...{ ...parts, jobOf: (deployment) => jobs.ofDeployment(deployment) },
		migrationOf: (deployment) => parts.migrations.seen(deployment),
	});
	const { sessions: moving } = parts.migrations;
	migrationRoutes(routes, {
		...{ ...parts, sessions: moving, moves: movesOf(parts, signIn), freezeSeconds: config.migrations.freezeSeconds },
	});
	peerRoutes(routes, { ...parts, origin: config.web.url });
	staffMoveRoutes(routes, parts);
	machineRoutes(routes, parts);
	jobRoutes(routes, jobs);
	noticeRoutes(routes, { ...parts, notices: parts.keptNotices });
	implement(routes, "GET /staff/findings", async () => ({
		items: await findings(config, {
			running: true,
			engine,
			services: catalogue,
			zone: parts.zone,
			peers: parts.peers.all(),
			certificates: parts.certificates.standings(),
			pool: poolOf(parts),
			now,
		}),
	}));
	return routes;
}

function poolOf({ fleet, version, missing }: Parts): Pool {
	return {
		all: () => fleet.machines.all(),
		async check(machine) {
			const { check } = await import("./machines/check.ts");
			return check(machine, fleet.agent(machine.id), version);
		},
		missing,
	};
}

/** Where other nodes come with what they say of migrations. */
function migrationDoor(parts: Parts) {
	const { config, customers, domains, engine, catalogue, migrations, moveIns, now } = parts;
	const { sessions, departures, challenges, echo, past, outside, actor, key, signer } = migrations;
	const { name, place, terms } = config.provider;
	const inbox = new Inbox({
		...{ sessions, moveIns, departures, challenges, echo, past, outside, engine, catalogue, actor, key, now },
		provider: { name, place: place || null, terms },
		customerName: (customer) => customers.get(customer).name,
		manages: (domain) => domains.manages(domain),
	});
	return openDoor({
		...{ origin: config.web.url, matters: inbox.matters, signer, now },
		nonces: new Nonces(join(config.state.folder, "nonces"), now),
		verifierFor: (...asked) => inbox.verifierFor(...asked),
		doubt: (keyid) => inbox.doubt(keyid),
	});
}

function movesOf(parts: Parts, signIn: SignIn): Moves {
	const { config, domains, jobs, migrations } = parts;
	const { sessions, outside, calls, actor, key } = migrations;
	return new Moves({
		...{ ...parts, sessions, outside, calls, actor, key },
		...{ provider: config.provider.name, keepDays: config.services.keepDays, insecure: config.demo !== null },
		epochOf: (...asked) => domains.epochOf(...asked),
		manages: (domain) => domains.manages(domain),
		checkPassword: (email, password) => signIn.check(email, password),
		startJob: (...job) => jobs.start(...job),
		checkTarget: (node) => parts.acceptance.checkTarget(node),
		met: (node) => parts.directory.met(node),
	});
}

function providerOf({ config, engine, version }: Parts) {
	const { name, promise, place, accent, logo, terms, help } = config.provider;
	return {
		...{ name, promise, place, accent, logo, terms, help, version, url: config.web.url, engine: engine.name },
		keepDays: config.services.keepDays,
		zones: config.zone ? [config.zone.name] : [],
		demo: config.demo !== null,
		customerSsh: config.engine.kind === "nixops4" && config.engine.customerSsh,
	};
}

async function federationOf({ config, db, vault, version, now }: Parts) {
	const { openFederation } = await import("./federation/federation.ts");
	return openFederation({ origin: config.web.url, name: config.provider.name, version, database: db, vault, now });
}
