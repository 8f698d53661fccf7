import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { openNode } from "../node.ts";
import { configureLog } from "../web/log.ts";
import { tellServiceManager } from "./service-manager.ts";
import { untilStopped } from "./stop.ts";

/** Runs the node until it is told to stop; resolves with the exit code. Services in its care end with it. */
export async function serve(config: Config): Promise<number> {
	configureLog(config.log, (line) => process.stderr.write(line));
	const log = getLogger(["fediversity", "serve"]);
	const stopped = untilStopped();
	const node = await openNode(config, { environment: process.env, now: Date.now });
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
