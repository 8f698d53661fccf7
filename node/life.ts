import type { SecureContext } from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { Config } from "./config.ts";
import { restOvertaken } from "./deployments/overtaken.ts";
import { lookAround, lookAt } from "./deployments/watch.ts";
import type { Doors } from "./doors.ts";
import type { Backend } from "./engines/engine.ts";
import type { Destination, Find } from "./gateway/destination.ts";
import type { Counted } from "./gateway/gateway.ts";
import type { OnEnd } from "./jobs/ledger.ts";
import { Worker } from "./jobs/worker.ts";
import { lazily } from "./lazily.ts";
import { openParts, type Parts, type Surroundings } from "./parts.ts";

/** How often services are asked how they are, and removed deployments whether their time is over. */
const lookEvery = 30_000;
const eraseEvery = 10 * 60_000;
/** How often the DNS is asked whether this node still serves what it thinks it does. */
const guardEvery = 60 * 60_000;
/** How often migrations are looked after that nobody is at work on. */
const moveEvery = 20_000;
/** How often it is looked whether a certificate is missing or near its end. */
const certificatesEvery = 15_000;
/** How often it is looked whether other nodes are to be asked for their offer sheets. */
const peersEvery = 10_000;

const log = getLogger(["fediversity", "node"]);

/** A node's life behind its gateway. */
export interface Life {
	/** Where a host name belongs that is not the panel's. */
	readonly find: Find;
	counted(host: string, what: Counted): void;
	/** The certificate for a host, with its key, as TLS takes it. */
	contextFor(host: string): Promise<SecureContext | undefined>;
	/** The panel's API and the operators' door, opened when first asked for. */
	doors(): Promise<Doors>;
	/** Goes on with whatever it did when it last ended. Only once the operators' door is open: that says nobody else does. */
	begin(): void;
	/** First ends what keeps requests from ending, then lets `door` close, then ends everything else. */
	close(door: () => Promise<void>): Promise<void>;
}

/** Builds all that a node does besides listening. Nothing runs until it begins. */
export function openLife(config: Config, surroundings: Surroundings): Life {
	const parts = openParts(config, surroundings);
	let recovered = false;
	const doors = lazily(async () => {
		const { openDoors } = await import("./doors.ts");
		return openDoors(parts, async () => (recovered ? [] : ["Services are being taken over"]));
	});
	let running: ReturnType<typeof run> | undefined;
	return {
		find: finder(parts),
		counted: (...request) => parts.migrations.forwarding.counted(...request),
		contextFor: (host) => parts.certificates.contextFor(host),
		doors,
		begin() {
			running ??= run(parts, () => {
				recovered = true;
			});
		},
		async close(door) {
			// Ends the progress streams, so that the gateway need not wait for them.
			parts.jobs.close();
			await door();
			await running?.stop();
			await parts.certificates.close();
			await parts.engine.close();
			await parts.sender.close();
			await Promise.all([parts.migrations.close(), parts.directory.close()]);
			await (await doors()).close();
			parts.jobs.close();
			parts.db.close();
		},
	};
}

function run(parts: Parts, recovered: () => void) {
	const worker = new Worker({ jobs: parts.jobs, node: parts.nodeId, onEnd: looking(parts) });
	const recovery = recover(parts, worker, recovered);
	const rounds = goRound(parts, recovery);
	return {
		async stop() {
			rounds.stop();
			await recovery;
			await worker.close();
		},
	};
}

/** Host name to destination: from memory for what the engine runs, from the database only for a name it does not know. */
function finder({ engine, deployments, migrations }: Parts): Find {
	return (host) => {
		const backend = engine.backend(host);
		const front = backend?.kind === "up" ? undefined : migrations.forwarding.frontOf(host);
		if (front !== undefined) return { kind: "away", front };
		if (backend) return destinationOf(backend);
		// Known, but the engine has not come to it yet: other servers must not take that for the end of the service.
		return deployments.hasHost(host) ? { kind: "wait", why: "starting", retryAfter: 10 } : { kind: "unknown" };
	};
}

function destinationOf(backend: Backend): Destination {
	if (backend.kind === "up") return { ...backend, kind: "service" };
	return { kind: "wait", why: backend.kind, retryAfter: backend.retryAfter };
}

/** Services first, then the jobs that work on them; neither keeps the node from answering. */
async function recover(parts: Parts, worker: Worker, done: () => void): Promise<void> {
	try {
		// Before anything starts: this may be a copy from before a deployment moved away, or from the middle of its move.
		await parts.migrations.past.recall();
		await restOvertaken(guardOf(parts));
		await parts.engine.recover(parts.deployments.plans());
	} catch (error) {
		log.error("Not all services could be taken over: {error}", { error });
	}
	worker.start();
	parts.sender.start();
	parts.migrations.start();
	parts.directory.start();
	done();
}

function guardOf({ deployments, history, outbox, engine, migrations, domains }: Parts) {
	return {
		...{ deployments, history, notices: outbox, engine, actor: migrations.actor },
		epochOf: (customer: string, domain: string) => domains.epochOf(customer, domain),
		serving: (domain: string) => domains.serving(domain),
	};
}

/** As the jobs' end says, and then a first look at what has just been deployed. */
function looking(parts: Parts): OnEnd {
	return (job, outcome, problem) => {
		parts.onEnd(job, outcome, problem);
		if (outcome !== "done" || !job.deployment) return;
		const { deployment } = job;
		setImmediate(() => {
			const found = parts.deployments.known(deployment);
			if (found.state !== "serving") return;
			lookAt({ ...parts, notices: parts.outbox }, found).catch((error) =>
				log.warning("A first look at {deployment} failed: {error}", { deployment, error }),
			);
		});
	};
}

function goRound(parts: Parts, after: Promise<void>) {
	const looks = every(lookEvery, () => lookAround({ ...parts, notices: parts.outbox }));
	const erasures = every(
		eraseEvery,
		async () => void parts.requests.eraseDue(parts.now(), await parts.migrations.upkeep.unserved()),
	);
	const guard = every(guardEvery, () => restOvertaken(guardOf(parts)));
	const migrations = every(moveEvery, async () => {
		await parts.moveIns.expire();
		await parts.migrations.upkeep.round();
	});
	const certificates = every(certificatesEvery, () => parts.certificates.round());
	const peers = every(peersEvery, () => parts.directory.round());
	void after.then(() => {
		looks.start();
		erasures.start();
		migrations.start();
		guard.start();
		peers.start();
		certificates.start();
	});
	return {
		stop() {
			looks.stop();
			erasures.stop();
			migrations.stop();
			guard.stop();
			peers.stop();
			certificates.stop();
		},
	};
}

/** Again and again with a pause between, so that a slow round never meets the next one. */
function every(milliseconds: number, work: () => Promise<void>) {
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;
	const round = async () => {
		await work().catch((error) => log.error("A round failed, and comes again: {error}", { error }));
		if (!stopped) timer = setTimeout(round, milliseconds);
	};
	return {
		start() {
			if (!stopped) timer = setTimeout(round, 0);
		},
		stop() {
			stopped = true;
			clearTimeout(timer);
		},
	};
}
