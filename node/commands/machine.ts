import type { Answer, Call, Client } from "#protocol/client.ts";
import { inWords } from "./doctor.ts";
import { printJson, printList } from "./output.ts";
import { confirm, Exit, exitCodes, type Terminal } from "./terminal.ts";

type Machine = Answer<"GET /staff/machines">["items"][number];

export interface MachineWishes {
	id: string;
	address: string;
	publicAddress?: string;
	memoryMib: number;
	diskGib: number;
	port?: number;
	user?: string;
	system?: string;
	hostKey?: string;
}

/** The line for authorized_keys, alone on the side of the data. */
export async function printKey(node: Client, terminal: Terminal, json: boolean) {
	const key = await node("GET /staff/machine-key");
	if (json) printJson(terminal, key);
	else terminal.out(`${key.publicKey}\n`);
}

/** Takes a machine into the pool by a host key that a person has compared, or given. */
export async function addMachine(
	node: Client,
	terminal: Terminal,
	{ json, yes }: { json: boolean; yes: boolean },
	{ memoryMib: memoryMiB, diskGib: diskGiB, ...wishes }: MachineWishes,
) {
	const hostKey = wishes.hostKey ?? (await shownKey(node, terminal, yes, wishes));
	const body = { ...wishes, hostKey, memoryMiB, diskGiB } as Call<"POST /staff/machines">["body"];
	const machine = await node("POST /staff/machines", { body });
	if (json) return printJson(terminal, machine);
	terminal.err(
		`${machine.id} is in the pool, known by ${machine.fingerprint}.\nSee whether this node can work there: fediversity machine check ${machine.id}\n`,
	);
}

async function shownKey(
	node: Client,
	terminal: Terminal,
	yes: boolean,
	wishes: Pick<MachineWishes, "id" | "address" | "port">,
) {
	const { id, address, port } = wishes;
	const { hostKey, fingerprint } = await node("GET /staff/host-key", { query: { address, ...(port && { port }) } });
	const question = `${address} shows the host key\n  ${fingerprint}\nCompare it with what the machine itself says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n`;
	await confirm(terminal, yes, question, id);
	return hostKey;
}

export async function listMachines(node: Client, terminal: Terminal, json: boolean) {
	const { items } = await node("GET /staff/machines");
	printList(terminal, items, json, {
		NAME: (machine) => machine.id,
		ADDRESS: (machine) => `${machine.user}@${machine.address}:${machine.port}`,
		PUBLIC: (machine) => machine.publicAddress ?? "–",
		SYSTEM: (machine) => machine.system,
		"MEMORY MIB": (machine) => machine.memoryMiB,
		"DISK GIB": (machine) => machine.diskGiB,
		STATE: (machine) => machine.state,
		CARRIES: (machine) => machine.domain ?? machine.deployment ?? "–",
	});
}

/** Prints what is wrong there. The exit code: 0 nothing bad, 1 something is. */
export async function checkMachine(node: Client, terminal: Terminal, json: boolean, id: string): Promise<number> {
	await known(node, id);
	const { items } = await node("GET /staff/machines/{id}/findings", { path: { id } });
	if (json) printJson(terminal, { items });
	else terminal.out(inWords(items, terminal.colour));
	return items.some(({ state }) => state === "bad") ? exitCodes.failure : exitCodes.ok;
}

export async function setMachineState(
	node: Client,
	terminal: Terminal,
	json: boolean,
	id: string,
	state: Machine["state"],
) {
	await known(node, id);
	const machine = await node("PATCH /staff/machines/{id}", { path: { id }, body: { state } });
	if (json) return printJson(terminal, machine);
	const carries = machine.deployment ? `keeps ${machine.deployment} and ` : "";
	terminal.err(state === "open" ? `${id} takes deployments.\n` : `${id} ${carries}takes nothing more.\n`);
}

/** `address`: undefined: everybody reaches it where the node does. */
export async function setPublicAddress(node: Client, terminal: Terminal, json: boolean, id: string, address?: string) {
	await known(node, id);
	const machine = await node("PATCH /staff/machines/{id}", { path: { id }, body: { publicAddress: address ?? null } });
	if (json) return printJson(terminal, machine);
	const { deployment, domain, publicAddress } = machine;
	const next = deployment
		? `\nServices there are told when it is set up again: fediversity deployment repair ${domain ?? deployment}`
		: "";
	terminal.err(`${id} is reached at ${publicAddress ?? machine.address}.${next}\n`);
}

export async function removeMachine(node: Client, terminal: Terminal, json: boolean, id: string, yes: boolean) {
	const machine = await known(node, id);
	await confirm(terminal, yes, `${id} (${machine.address}) is then no longer in the pool.\n`, id);
	await node("DELETE /staff/machines/{id}", { path: { id } });
	if (json) printJson(terminal, machine);
	else terminal.err(`${id} is forgotten; what is on its disks stays there.\n`);
}

async function known(node: Client, id: string): Promise<Machine> {
	const machine = (await node("GET /staff/machines")).items.find((one) => one.id === id);
	if (!machine) throw new Exit("failure", `There is no machine ${id}; see: fediversity machine list`);
	return machine;
}
