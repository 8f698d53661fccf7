import type { Client } from "#protocol/client.ts";
import { moment, plain, printJson, printList } from "./output.ts";
import { confirm, Exit, type Terminal } from "./terminal.ts";

/** Offers of other nodes that wait for staff; there are some only where `migrations.by_hand` is set. */
export async function listMoves(node: Client, terminal: Terminal, json: boolean) {
	const { items } = await node("GET /staff/moves");
	printList(terminal, items, json, {
		ID: (move) => move.id,
		DOMAIN: (move) => move.domain,
		SERVICES: (move) => move.services.join(","),
		MIB: (move) => Math.ceil(move.bytes / 1024 ** 2),
		FROM: (move) => plain(`${move.from.provider} (${move.from.origin})`),
		CUSTOMER: (move) => plain(move.customer),
		AGREED: (move) => (move.agreed ? "yes" : "not yet"),
		SINCE: (move) => moment(move.createdAt),
	});
}

export async function acceptMove(node: Client, terminal: Terminal, json: boolean, id: string) {
	await node("POST /staff/moves/{id}/accept", { path: { id } });
	if (json) printJson(terminal, { id });
	else terminal.err("It begins as soon as its customer has agreed as well. Follow it with: fediversity job list\n");
}

/** Ends the rest of services that move away, for now. */
export async function thawMove(node: Client, terminal: Terminal, json: boolean, domain: string) {
	await node("POST /staff/domains/{domain}/thaw", { path: { domain } });
	if (json) printJson(terminal, { domain });
	else terminal.err(`The services under ${domain} serve again; the move goes on, and they rest once more later.\n`);
}

export async function refuseMove(node: Client, terminal: Terminal, json: boolean, id: string, yes: boolean) {
	const move = (await node("GET /staff/moves")).items.find((one) => one.id === id);
	if (!move) throw new Exit("failure", `No offer ${id} waits here; see: fediversity move list`);
	await confirm(
		terminal,
		yes,
		`${move.domain} then stays where it is, and its customer needs a new token.\n`,
		move.domain,
	);
	await node("POST /staff/moves/{id}/refuse", { path: { id } });
	if (json) printJson(terminal, move);
	else terminal.err(`${move.domain} is refused.\n`);
}
