import type { Answer, Client } from "#protocol/client.ts";
import { moment, plain, printJson, printList } from "./output.ts";
import { everyPage } from "./pages.ts";
import { confirm, Exit, type Terminal } from "./terminal.ts";

type Peer = Answer<"GET /staff/peers">["items"][number];

/** What staff can say of a node; what is left out stays. */
export interface PeerWishes {
	standing?: Peer["standing"];
	hidden?: boolean;
	mostMoves?: number | null;
	mostBytes?: number | null;
}

/** Looks at a node and knows it from then on. */
export async function addPeer(node: Client, terminal: Terminal, json: boolean, origin: string) {
	const peer = await node("POST /staff/peers", { body: { origin } });
	if (json) return printJson(terminal, peer);
	terminal.err(
		`${peer.origin} is known as ${plain(peer.name ?? "–")}. Its key's fingerprint, to compare with its provider:\n`,
	);
	terminal.out(`${peer.key?.fingerprint ?? "–"}\n`);
}

export async function listPeers(node: Client, terminal: Terminal, json: boolean) {
	printList(terminal, await allPeers(node), json, {
		ORIGIN: (peer) => peer.origin,
		NAME: (peer) => plain(peer.name ?? "–"),
		STANDING: (peer) => `${peer.standing}${peer.hidden ? ", hidden" : ""}`,
		"TOLD BY": (peer) => peer.toldBy,
		SEEN: (peer) => moment(peer.seenAt),
		NOTE: (peer) => plain(peer.newKey ? "shows another key than before; see peer confirm" : (peer.problem ?? "")),
	});
}

/** Allows, blocks, hides or limits a node. One that is to be blocked need not be known before. */
export async function changePeer(
	node: Client,
	terminal: Terminal,
	json: boolean,
	origin: string,
	{ said, ...wishes }: PeerWishes & { said: string },
) {
	const known = (await allPeers(node)).find((one) => isSame(one, origin));
	const { id } =
		known ??
		(await node("POST /staff/peers", { body: { origin, ...(wishes.standing && { standing: wishes.standing }) } }));
	const peer = await node("PATCH /staff/peers/{id}", { path: { id }, body: wishes });
	if (json) printJson(terminal, peer);
	else terminal.err(`${peer.origin} ${said}.\n`);
}

/** From now on the node is known by the other key that it shows. */
export async function confirmPeer(node: Client, terminal: Terminal, json: boolean, origin: string, yes: boolean) {
	const { id, newKey, key, ...peer } = await known(node, origin);
	if (!newKey) throw new Exit("failure", `${peer.origin} shows the key it is known by; there is nothing to confirm`);
	const question = `It was known by  ${key?.fingerprint}\nIt shows now     ${newKey.fingerprint}\nAsk its provider, over another way, whether that is right.\n`;
	await confirm(terminal, yes, question, new URL(peer.origin).host);
	const changed = await node("PATCH /staff/peers/{id}", { path: { id }, body: { key: newKey.key } });
	if (json) printJson(terminal, changed);
	else terminal.err(`${peer.origin} is now known by its new key.\n`);
}

/** Forgets a node; another one may name it again, which only `peer block` keeps away. */
export async function removePeer(node: Client, terminal: Terminal, json: boolean, origin: string) {
	const peer = await known(node, origin);
	await node("DELETE /staff/peers/{id}", { path: { id: peer.id } });
	if (json) printJson(terminal, peer);
	else if (peer.toldBy !== "config") terminal.err(`${peer.origin} is forgotten.\n`);
	else terminal.err(`${peer.origin} is forgotten until the next start: peers.known names it.\n`);
}

async function known(node: Client, origin: string): Promise<Peer> {
	const peer = (await allPeers(node)).find((one) => isSame(one, origin));
	if (!peer) throw new Exit("failure", `${origin} is not known here; see: fediversity peer list`);
	return peer;
}

/** Also without `https://`, as people say it. */
function isSame(peer: Peer, text: string): boolean {
	const origin = URL.parse(text.includes("://") ? text : `https://${text}`)?.origin;
	return peer.origin === origin || new URL(peer.origin).host === text;
}

const allPeers = (node: Client): Promise<Peer[]> => everyPage((query) => node("GET /staff/peers", { query }));
