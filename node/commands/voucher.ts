import type { Answer, Client } from "#protocol/client.ts";
import { moment, printJson, printList } from "./output.ts";
import { everyPage } from "./pages.ts";
import { confirm, Exit, type Terminal } from "./terminal.ts";

type Voucher = Answer<"GET /staff/vouchers">["items"][number];

export interface VoucherWishes {
	services?: string[];
	days?: number;
	uses?: number;
	diskMib?: number;
	note?: string;
}

/** Makes a voucher; its code goes to `out` this once, so `fediversity voucher create` can be piped. */
export async function createVoucher(node: Client, terminal: Terminal, json: boolean, wishes: VoucherWishes) {
	const { diskMib, ...body } = wishes;
	const made = await node("POST /staff/vouchers", { body: { ...body, ...(diskMib && { diskMiB: diskMib }) } });
	if (json) return printJson(terminal, made);
	terminal.out(`${made.code}\n`);
	const what = made.services.length > 0 ? made.services.join(", ") : "every service this node can run";
	terminal.err(
		`Good for ${what}, ${made.uses === 1 ? "once" : `${made.uses} times`}, until ${moment(made.expiresAt)}.\nThe code is shown this once; pass it on to the customer.\n`,
	);
}

export async function listVouchers(node: Client, terminal: Terminal, json: boolean) {
	printList(terminal, await allVouchers(node), json, {
		ID: (voucher) => voucher.id,
		CODE: (voucher) => `${voucher.hint}…`,
		SERVICES: (voucher) => voucher.services.join(",") || "all",
		USED: (voucher) => `${voucher.used} of ${voucher.uses}`,
		UNTIL: (voucher) => moment(voucher.expiresAt),
		NOTE: (voucher) => voucher.note,
	});
}

/** Nobody can redeem it any more; what was redeemed stays. */
export async function withdrawVoucher(node: Client, terminal: Terminal, id: string, yes: boolean, json: boolean) {
	const voucher = (await allVouchers(node)).find((one) => one.id === id || one.hint === id);
	if (!voucher) throw new Exit("failure", `There is no voucher ${id}; see: fediversity voucher list`);
	await confirm(terminal, yes, `Voucher ${voucher.hint}… can then no longer be redeemed.\n`, voucher.hint);
	await node("DELETE /staff/vouchers/{id}", { path: { id: voucher.id } });
	if (json) printJson(terminal, voucher);
	else terminal.err(`Voucher ${voucher.hint}… is withdrawn.\n`);
}

export const allVouchers = (node: Client): Promise<Voucher[]> =>
	everyPage((query) => node("GET /staff/vouchers", { query }));
