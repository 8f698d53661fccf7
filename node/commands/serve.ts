import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { openNode } from "../node.ts";
import type { Surroundings } from "../parts.ts";
import { configureLog } from "../web/log.ts";
import { isRunning } from "./running-node.ts";
import { tellServiceManager } from "./service-manager.ts";
import { untilStopped } from "./stop.ts";
import { Exit } from "./terminal.ts";

/**
 * Runs the node until it is told to stop; resolves with the exit code. Services in its care end with it. `recipes`: how they
 * are run, where not as usual; for tests.
 */
export async function serve(config: Config, recipes?: Surroundings["recipes"]): Promise<number> {
	configureLog(config.log, (line) => process.stderr.write(line));
	const log = getLogger(["fediversity", "serve"]);
	if (await isRunning(config.operator.socket))
		throw new Exit("failure", `The node cannot start: it is running already (it answers at ${config.operator.socket})`);
	const stopped = untilStopped();
	const surroundings = { environment: process.env, now: Date.now, ...(recipes && { recipes }) };
	const node = await openNode(config, surroundings).catch((error) => {
		throw startProblem(error, config);
	});
	const { host, port } = node.address;
	log.info("{name} answers at {url} (listening on {address})", {
		name: config.provider.name,
		url: config.web.url,
		address: `${host}:${port}`,
	});
	// For whoever started us with a channel: the demo waits for this before it sends anybody here.
	process.send?.({ ready: node.address });
	const manager = await tellServiceManager(process.env);

	const why = await stopped;
	log.info("Stopping: {why}", { why });
	manager.stopping();
	await node.close();
	log.info("Stopped");
	return 0;
}

/** Weather in words; a bug stays as it is. */
function startProblem(error: NodeJS.ErrnoException, { web }: Config): Error {
	const { host, port } = web.listen;
	const isWeather = error.code !== undefined || error.constructor === Error;
	if (!isWeather || error.name === "Problem") return error;
	const why =
		error.code === "EADDRINUSE" ? `another program listens on ${host}:${port}, which is web.listen` : error.message;
	return new Exit("failure", `The node cannot start: ${why}\nSee what is wrong with: fediversity doctor --config FILE`);
}
