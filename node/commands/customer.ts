import type { Answer, Client } from "#protocol/client.ts";
import { moment, printJson, printList } from "./output.ts";
import { everyPage } from "./pages.ts";
import { confirm, Exit, type Terminal } from "./terminal.ts";

type Customer = Answer<"GET /staff/customers">["items"][number];

export async function listCustomers(node: Client, terminal: Terminal, json: boolean) {
	printList(terminal, await allCustomers(node), json, {
		ID: (customer) => customer.id,
		NAME: (customer) => customer.name,
		"E-MAIL": (customer) => customer.email,
		STAFF: (customer) => (customer.staff ? "yes" : "–"),
		DEPLOYMENTS: (customer) => customer.deployments,
		SINCE: (customer) => moment(customer.createdAt),
		"LAST SEEN": (customer) => moment(customer.lastSeenAt),
	});
}

/** Gives a new password, which goes to `out`, and ends every session of the customer. */
export async function resetPassword(node: Client, terminal: Terminal, who: string, yes: boolean, json: boolean) {
	const customer = await meant(node, who);
	const warning = `The password of ${customer.name} stops working and all their sessions end.\n`;
	await confirm(terminal, yes, warning, customer.email);
	const reset = await node("POST /staff/customers/{id}/reset-password", { path: { id: customer.id } });
	if (json) return printJson(terminal, reset);
	terminal.out(`${reset.password}\n`);
	terminal.err("This is shown once; pass it on over a safe way, and ask them to change it.\n");
}

/** Lets an account do what staff does, or no longer. Asks only before it gives something. */
export async function setStaff(
	node: Client,
	terminal: Terminal,
	{ json, yes }: { json: boolean; yes: boolean },
	who: string,
	staff: boolean,
) {
	const { id, name, email } = await meant(node, who);
	const warning = `${name} then sees and changes machines, moves, vouchers, jobs and other nodes in the panel.\n`;
	if (staff) await confirm(terminal, yes, warning, email);
	const changed = await node("PATCH /staff/customers/{id}", { path: { id }, body: { staff } });
	if (json) return printJson(terminal, changed);
	terminal.err(staff ? `${email} is staff; the panel shows it a page more.\n` : `${email} is not staff any more.\n`);
}

async function meant(node: Client, who: string): Promise<Customer> {
	const isMeant = ({ id, email }: Customer) => id === who || email.toLowerCase() === who.toLowerCase();
	const customer = (await allCustomers(node)).find(isMeant);
	if (!customer) throw new Exit("failure", `There is no customer ${who}; see: fediversity customer list`);
	return customer;
}

const allCustomers = (node: Client): Promise<Customer[]> =>
	everyPage((query) => node("GET /staff/customers", { query }));
