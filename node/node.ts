import type { IncomingMessage, ServerResponse } from "node:http";
import { getLogger } from "@logtape/logtape";
import type { Config, Listen } from "./config.ts";
import { restOvertaken } from "./deployments/overtaken.ts";
import { lookAround, lookAt } from "./deployments/watch.ts";
import type { Doors } from "./doors.ts";
import type { Backend } from "./engines/engine.ts";
import type { Destination } from "./gateway/destination.ts";
import { Gateway } from "./gateway/gateway.ts";
import type { OnEnd } from "./jobs/ledger.ts";
import { Worker } from "./jobs/worker.ts";
import { openParts, type Parts, panelFolder, type Surroundings } from "./parts.ts";
import { Front } from "./web/front.ts";

export interface Node {
	readonly address: Listen;
	/** Ends everything it started; services in its care too. A second call waits for the first. */
	close(): Promise<void>;
}

/** How often services are asked how they are, and removed deployments whether their time is over. */
const lookEvery = 30_000;
const eraseEvery = 10 * 60_000;
/** How often the DNS is asked whether this node still serves what it thinks it does. */
const guardEvery = 60 * 60_000;
/** How often migrations are looked after that nobody is at work on. */
const moveEvery = 20_000;

/** How long requests under way may take to end when the node stops. Whoever waits for news comes back by themselves. */
const closingGrace = 1000;

const log = getLogger(["fediversity", "node"]);

/** Opens a whole node: it listens when this resolves, and goes on with whatever it did when it last ended. */
export async function openNode(config: Config, surroundings: Surroundings): Promise<Node> {
	const parts = openParts(config, surroundings);
	let recovered = false;
	const doors = lazily(async () => {
		const { openDoors } = await import("./doors.ts");
		return openDoors(parts, async () => (recovered ? [] : ["Services are being taken over"]));
	});
	const reception = receptionOf(config, doors);
	const gateway = new Gateway({
		find: finder(parts),
		panel: reception.receive,
		about: { provider: config.provider.name, panel: config.web.url },
		trustProxy: config.web.trustProxy,
		counted: (...request) => parts.migrations.forwarding.counted(...request),
	});
	const port = await gateway.listen(config.web.listen);
	parts.listening.port = port;
	await reception.begin();
	// The operators' socket also says that no other node is at work on this state, so nothing else begins before it is open.
	await doors();
	const worker = new Worker({ jobs: parts.jobs, node: parts.nodeId, onEnd: looking(parts) });
	const recovery = recover(parts, worker, () => {
		recovered = true;
	});
	const rounds = goRound(parts, recovery);

	let closing: Promise<void> | undefined;
	const close = async () => {
		// Ends the progress streams, so that the gateway need not wait for them.
		parts.jobs.close();
		await gateway.close(closingGrace);
		rounds.stop();
		await recovery;
		await worker.close();
		await parts.engine.close();
		await parts.sender.close();
		await parts.migrations.close();
		await (await doors()).close();
		parts.jobs.close();
		parts.db.close();
	};
	return { address: { host: config.web.listen.host, port }, close: () => (closing ??= close()) };
}

/** Host name to destination: from memory for what the engine runs, from the database only for a name it does not know. */
function finder({ config, engine, deployments, migrations }: Parts): (host: string) => Destination {
	const panel = new URL(config.web.url).hostname;
	return (host) => {
		if (host === panel) return { kind: "panel" };
		const backend = engine.backend(host);
		const front = backend?.kind === "up" ? undefined : migrations.forwarding.frontOf(host);
		if (front !== undefined) return { kind: "away", front };
		if (backend) return destinationOf(backend);
		// Known, but the engine has not come to it yet: other servers must not take that for the end of the service.
		return deployments.hasHost(host) ? { kind: "wait", why: "starting", retryAfter: 10 } : { kind: "unknown" };
	};
}

function destinationOf(backend: Backend): Destination {
	if (backend.kind === "up") return { kind: "service", port: backend.port };
	return { kind: "wait", why: backend.kind, retryAfter: backend.retryAfter };
}

/**
 * Who comes for the panel right after the start gets its page at once; whatever needs the API waits until that is loaded,
 * which keeps the process from answering for a moment. `begin` lasts until the first visitor has the page, but not long.
 */
function receptionOf(config: Config, doors: () => Promise<Doors>) {
	const front = new Front(panelFolder, config.web.url, config.provider.logo);
	const visited = Promise.withResolvers<void>();
	let open: Doors | undefined;
	const receive = async (request: IncomingMessage, response: ServerResponse) => {
		if (open) return open.panel(request, response);
		// Not before the answer is on its way: loading keeps the process from sending it.
		response.once("close", visited.resolve);
		try {
			if (!(await front.answer(request, response))) (await doors()).panel(request, response);
		} catch (error) {
			log.error("The panel cannot be opened: {error}", { error });
			response.writeHead(503, { "retry-after": "10" }).end();
		}
	};
	const begin = async () => {
		const timer = setTimeout(visited.resolve, 100);
		await visited.promise;
		clearTimeout(timer);
		void doors().then(
			(made) => {
				open = made;
			},
			() => {},
		);
	};
	return { receive, begin };
}

/** Services first, then the jobs that work on them; neither keeps the node from answering. */
async function recover(parts: Parts, worker: Worker, done: () => void): Promise<void> {
	try {
		// Before anything starts: this may be a copy from before a deployment moved away.
		await restOvertaken(guardOf(parts));
		await parts.engine.recover(parts.deployments.plans());
	} catch (error) {
		log.error("Not all services could be taken over: {error}", { error });
	}
	worker.start();
	parts.sender.start();
	parts.migrations.start();
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
	const erasures = every(eraseEvery, async () => void parts.requests.eraseDue(parts.now()));
	const guard = every(guardEvery, () => restOvertaken(guardOf(parts)));
	const migrations = every(moveEvery, async () => {
		await parts.moveIns.expire();
		await parts.migrations.round();
	});
	void after.then(() => {
		looks.start();
		erasures.start();
		migrations.start();
		guard.start();
	});
	return {
		stop() {
			looks.stop();
			erasures.stop();
			migrations.stop();
			guard.stop();
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

/** Made when first asked for; after a failure the next one who asks tries again. */
function lazily<Made>(make: () => Promise<Made>): () => Promise<Made> {
	let made: Promise<Made> | undefined;
	return () => {
		made ??= make().catch((error) => {
			made = undefined;
			throw error;
		});
		return made;
	};
}
