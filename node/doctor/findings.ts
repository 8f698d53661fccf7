import type { Standing } from "../certificates/certificate.ts";
import type { Config } from "../config.ts";
import type { Zone } from "../domains/zone.ts";
import type { Engine } from "../engines/engine.ts";
import type { Peer } from "../peers/peer.ts";
import type { Service } from "../services/service.ts";
import { certificates } from "./certificates.ts";
import { keyFiles, stateFolder } from "./files.ts";
import { bad, type Check, type Finding } from "./finding.ts";
import { clock, nodeVersion } from "./machine.ts";
import { machines, type Pool } from "./machines.ts";
import { mailServer, names, ports, zone } from "./network.ts";
import { peers } from "./peers.ts";
import { programs } from "./programs.ts";

/** What `findings` looks at besides the configuration; what is missing is not looked at. */
export interface Parts {
	/** Whether the node runs, and so holds its ports itself. */
	readonly running: boolean;
	readonly zone?: Zone | null;
	readonly engine?: Pick<Engine, "name" | "can">;
	readonly services?: readonly Service[];
	/** Other nodes. */
	readonly peers?: readonly Peer[];
	/** How each certificate stands that the node gets. */
	readonly certificates?: readonly Standing[];
	/** The provider's machines. */
	readonly pool?: Pool;
	/** Ms since 1970. */
	readonly now: () => number;
}

const patience = 8000;

/** Everything `doctor` can find out about a node, the worst first. Changes nothing; takes at most ten seconds. */
export async function findings(config: Config, parts: Parts): Promise<Finding[]> {
	const checks: Record<string, Check> = {
		"node-version": async () => nodeVersion(process.versions.node),
		clock: () => clock(config.state.folder, parts.now),
		"state-folder": () => stateFolder(config.state.folder),
		"key-files": () => keyFiles(config),
		ports: () => ports(config, parts.running),
		names: () => names(config),
		zone: () => zone(parts.zone),
		mail: () => mailServer(config.mail),
		peers: async () => peers(parts.peers ?? [], parts.now()),
		certificates: async () => certificates(parts.certificates ?? [], parts.now()),
		machines: () => machines(config, parts.pool),
		programs: () => programs(parts.engine, parts.services ?? []),
	};
	const found = await Promise.all(Object.entries(checks).map(([name, check]) => looked(name, check)));
	const order = ["bad", "warning", "good"];
	return found.flat().sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
}

/** A check that hangs or fails in a way it did not expect is a finding too. */
async function looked(name: string, check: Check): Promise<Finding | readonly Finding[]> {
	const late = Promise.withResolvers<Finding>();
	const timer = setTimeout(
		() => late.resolve(bad(name, `This could not be found out within ${patience / 1000} seconds`, "Look again later")),
		patience,
	);
	try {
		return await Promise.race([check(), late.promise]);
	} catch (error) {
		return bad(name, `This could not be found out: ${(error as Error).message}`, "Report this as a bug if it stays");
	} finally {
		clearTimeout(timer);
	}
}
