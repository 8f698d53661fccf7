import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Process } from "../engines/local/process-table.ts";
import { providers } from "./providers.ts";
import type { DemoState } from "./state.ts";

/** How long a supervisor or a node may take to stop, seconds: it ends its services first. */
const patience = 40;

/** Ends the nodes that an earlier supervisor of this demo left running when it was killed; they end their services. */
export async function endNodes(state: DemoState): Promise<void> {
	const { endFor } = await import("../engines/local/end.ts");
	await endFor(carries([state.id]), { signal: "SIGTERM", seconds: patience });
}

/** Ends everything that runs from this folder: the supervisor, its nodes, their services. */
export async function endAll(state: DemoState): Promise<void> {
	const [{ endFor, hasEnded, signalTo }, { isRunning }] = await Promise.all([
		import("../engines/local/end.ts"),
		import("../engines/local/process-table.ts"),
	]);
	const supervisor = state.remembered?.supervisor;
	if (supervisor && supervisor.pid !== process.pid) {
		await signalTo(supervisor, "SIGTERM");
		await hasEnded(async () => !(await isRunning(supervisor)), patience);
	}
	await endNodes(state);
	await endFor(carries(await nodeIds(state)), { signal: "SIGTERM", seconds: 10 });
}

/** Ends the nodes and their services without asking. */
export async function killAll(state: DemoState): Promise<void> {
	const { endFor } = await import("../engines/local/end.ts");
	await endFor(carries([state.id, ...(await nodeIds(state))]), null);
}

function carries(ids: readonly string[]): (process: Process) => boolean {
	return ({ unit }) => ids.some((id) => unit?.startsWith(`${id}/`));
}

async function nodeIds(state: DemoState): Promise<string[]> {
	return (await Promise.all(providers.map((provider) => nodeIdIn(state.folderOf(provider))))).flat();
}

/** What the services of the node in this folder are marked with; none if it never ran, or its database is beyond reading. */
async function nodeIdIn(folder: string): Promise<string[]> {
	const file = join(folder, "node.sqlite");
	if (!existsSync(file)) return [];
	try {
		const { Database } = await import("../store/database.ts");
		const database = new Database(file);
		const ids = database.all<{ id: string }>("SELECT id FROM node").map(({ id }) => id);
		database.close();
		return ids;
	} catch {
		return [];
	}
}
