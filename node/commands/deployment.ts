import type { Client } from "#protocol/client.ts";
import { printJson } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** Begins to set it up again; what its services hold stays. `which`: its id or its domain. */
export async function repairDeployment(node: Client, terminal: Terminal, json: boolean, which: string) {
	const accepted = await node("POST /staff/deployments/{id}/repair", { path: { id: which } });
	if (json) printJson(terminal, accepted);
	else terminal.err(`It is being set up again. Follow it with: fediversity job show ${accepted.job}\n`);
}
