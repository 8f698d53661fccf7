import { everyPage } from "../commands/pages.ts";
import { runningNode } from "../commands/running-node.ts";
import type { DemoProvider } from "./providers.ts";
import type { DemoState } from "./state.ts";

/** A voucher of this provider that nobody has used: the one from before if it still is, else a new one. */
export async function unusedVoucher(provider: DemoProvider, socket: string, state: DemoState): Promise<string> {
	const node = runningNode(socket);
	const before = state.remembered?.vouchers[provider.key];
	if (before) {
		const all = await everyPage((query) => node("GET /staff/vouchers", { query }));
		const found = all.find(({ id }) => id === before.id);
		if (found && found.used < found.uses && Date.parse(found.expiresAt) > Date.now()) return before.code;
	}
	const { id, code } = await node("POST /staff/vouchers", { body: { days: 365, note: "Made by the demo" } });
	state.remember({ vouchers: { ...state.remembered?.vouchers, [provider.key]: { id, code } } });
	return code;
}
