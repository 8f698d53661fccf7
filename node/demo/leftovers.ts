import type { Process } from "../engines/local/process-table.ts";
import type { DemoState } from "./state.ts";

/** How long a supervisor or a node may take to stop, seconds: it ends its services first. */
const patience = 40;

/** Ends the nodes that an earlier supervisor of this demo left running when it was killed; they end their services. */
export async function endNodes(state: DemoState): Promise<void> {
	const { endFor } = await import("../engines/local/end.ts");
	await endFor(carries([state.id]), { signal: "SIGTERM", seconds: patience });
}

/** Ends everything that runs from this folder: the supervisor, its nodes, their services. */
export async function endAll(state: DemoState, nodeIds: readonly string[]): Promise<void> {
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
	await endFor(carries(nodeIds), { signal: "SIGTERM", seconds: 10 });
}

function carries(ids: readonly string[]): (process: Process) => boolean {
	return ({ unit }) => ids.some((id) => unit?.startsWith(`${id}/`));
}
