import type { z } from "zod";
import type { CustomerView, VoucherView } from "#protocol/api/staff.ts";
import { Problem } from "#protocol/problem.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Customers, KnownCustomer } from "./customers.ts";
import type { SignIn } from "./sign-in.ts";
import type { Voucher } from "./voucher.ts";
import type { Vouchers } from "./vouchers.ts";

export interface CustomerStaffRouteParts {
	readonly customers: Customers;
	readonly vouchers: Vouchers;
	readonly signIn: SignIn;
	/** The services a voucher can name. */
	readonly catalogue: readonly { readonly name: string }[];
}

/** `/staff/vouchers` and `/staff/customers`: what provider staff does for customers. */
export function customerStaffRoutes(
	routes: Routes,
	{ customers, vouchers, signIn, catalogue }: CustomerStaffRouteParts,
) {
	implement(routes, "GET /staff/vouchers", ({ query }) => {
		const { items, next } = vouchers.page(query);
		return { items: items.map(voucherOf), next };
	});
	implement(routes, "POST /staff/vouchers", ({ body }) => {
		const service = body.services.find((wished) => !catalogue.some(({ name }) => name === wished));
		if (service !== undefined) throw new Problem("service-unknown", { service });
		const { code, ...voucher } = vouchers.make(body);
		return { ...voucherOf(voucher), code };
	});
	implement(routes, "DELETE /staff/vouchers/{id}", ({ path }) => vouchers.withdraw(path.id));

	implement(routes, "GET /staff/customers", ({ query }) => {
		const { items, next } = customers.page(query);
		return { items: items.map(customerOf), next };
	});
	implement(routes, "PATCH /staff/customers/{id}", ({ path, body }) =>
		customerOf(customers.setStaff(path.id, body.staff)),
	);
	implement(routes, "POST /staff/customers/{id}/reset-password", async ({ path }) => ({
		password: await signIn.reset(path.id),
	}));
}

const moment = (time: number) => new Date(time).toISOString();

function customerOf(customer: KnownCustomer): z.infer<typeof CustomerView> {
	const { id, name, email, staff, deployments, createdAt, lastSeenAt } = customer;
	return {
		...{ id, name, email, staff, deployments, createdAt: moment(createdAt) },
		lastSeenAt: lastSeenAt === null ? null : moment(lastSeenAt),
	};
}

function voucherOf(voucher: Voucher): z.infer<typeof VoucherView> {
	const { id, hint, services, diskMiB, uses, used, note, createdAt, expiresAt } = voucher;
	return {
		...{ id, hint, services: [...services], diskMiB, uses, used, note },
		...{ createdAt: moment(createdAt), expiresAt: moment(expiresAt) },
	};
}
