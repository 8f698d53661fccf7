import type { z } from "zod";
import type { Me, SessionView, SshKeyView, TokenView } from "#protocol/api/account.ts";
import { Problem } from "#protocol/problem.ts";
import { clientAddress } from "../web/client-address.ts";
import { type Caller, implement, type Routes, type WebContext } from "../web/implement.ts";
import type { RateLimits } from "../web/rate-limit.ts";
import type { Door } from "../web/session.ts";
import { type Customer, emailKey } from "./customer.ts";
import type { Customers } from "./customers.ts";
import type { Entitlement, Entitlements } from "./entitlements.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { SignIn } from "./sign-in.ts";
import type { SignUpWish } from "./sign-up.ts";
import type { SshKey, SshKeys } from "./ssh-keys.ts";
import type { Token, Tokens } from "./tokens.ts";

export interface CustomerRouteParts {
	readonly customers: Customers;
	readonly signIn: SignIn;
	signUp(wish: SignUpWish): Promise<Customer>;
	readonly sessions: Sessions;
	readonly tokens: Tokens;
	readonly sshKeys: SshKeys;
	readonly entitlements: Entitlements;
	readonly door: Door;
	readonly limits: RateLimits;
	readonly trustProxy: boolean;
	readonly now: () => number;
}

/** `/sign-*` and `/me`: who somebody is, and what belongs to their account. */
export function customerRoutes(routes: Routes, parts: CustomerRouteParts) {
	signingRoutes(routes, parts);
	accountRoutes(routes, parts);
	tokenRoutes(routes, parts);
	keyRoutes(routes, parts);
	entitlementRoutes(routes, parts);
}

function signingRoutes(routes: Routes, { signIn, signUp, sessions, door, limits, trustProxy }: CustomerRouteParts) {
	const begin = (c: WebContext, customer: Customer) => {
		const { token } = sessions.begin(customer.id, c.req.header("user-agent") ?? "");
		c.set("cookie", door.cookieFor(token));
		return meOf(customer);
	};

	implement(routes, "POST /sign-up", async ({ body, c }) => {
		limits.take("sign-up", clientAddress(c, trustProxy));
		return begin(c, await signUp(body));
	});
	implement(routes, "POST /sign-in", async ({ body, c }) => {
		const attempt = [
			["sign-in-address", clientAddress(c, trustProxy)],
			["sign-in-account", emailKey(body.email)],
		] as const;
		for (const [limit, who] of attempt) limits.take(limit, who);
		const customer = await signIn.check(body.email, body.password);
		for (const [limit, who] of attempt) limits.giveBack(limit, who);
		return begin(c, customer);
	});
	implement(routes, "POST /sign-out", ({ caller, customer, c }) => {
		if (!caller.session) throw new Problem("not-allowed");
		sessions.end(customer.id, caller.session);
		c.set("cookie", door.cookieFor(null));
	});
}

function accountRoutes(routes: Routes, { customers, signIn, sessions, door, limits }: CustomerRouteParts) {
	implement(routes, "GET /me", ({ customer }) => meOf(customer));
	implement(routes, "PATCH /me", ({ customer, body }) => meOf(customers.change(customer.id, body)));
	implement(routes, "POST /me/password", async ({ customer, caller, body, c }) => {
		const who = emailKey(customer.email);
		limits.take("sign-in-account", who);
		await signIn.change(customer.id, body.current, body.next, caller.session);
		limits.giveBack("sign-in-account", who);
		if (caller.session) c.set("cookie", door.cookieFor(sessions.renew(caller.session)));
	});
	implement(routes, "POST /me/confirm", async ({ customer, caller, body }) => {
		if (!caller.session) throw new Problem("not-allowed");
		const who = emailKey(customer.email);
		limits.take("sign-in-account", who);
		await signIn.check(customer.email, body.password);
		limits.giveBack("sign-in-account", who);
		sessions.confirm(caller.session);
	});
	implement(routes, "GET /me/sessions", ({ customer, caller, query }) => {
		const { items, next } = sessions.page(customer.id, query);
		return { items: items.map((session) => sessionOf(session, caller)), next };
	});
	implement(routes, "DELETE /me/sessions/{id}", ({ customer, caller, path, c }) => {
		sessions.end(customer.id, path.id);
		if (path.id === caller.session) c.set("cookie", door.cookieFor(null));
	});
}

/** A token may make tokens that can no more than itself, for no longer. */
function tokenRoutes(routes: Routes, { tokens, now }: CustomerRouteParts) {
	implement(routes, "GET /me/tokens", ({ customer, query }) => {
		const { items, next } = tokens.page(customer.id, query);
		return { items: items.map(tokenOf), next };
	});
	implement(routes, "POST /me/tokens", ({ customer, caller, body }) => {
		const lacking = body.scopes.find((scope) => !caller.scopes.includes(scope));
		if (lacking) throw new Problem("scope-missing", { scope: lacking });
		const latest = caller.token?.expiresAt ?? Number.POSITIVE_INFINITY;
		const expiresAt = Math.min(now() + body.days * 86_400_000, latest);
		const { secret, ...token } = tokens.make(customer.id, { name: body.name, scopes: body.scopes, expiresAt });
		return { ...tokenOf(token), token: secret };
	});
	implement(routes, "DELETE /me/tokens/{id}", ({ customer, path }) => tokens.revoke(customer.id, path.id));
}

function keyRoutes(routes: Routes, { sshKeys }: CustomerRouteParts) {
	implement(routes, "GET /me/ssh-keys", ({ customer, query }) => {
		const { items, next } = sshKeys.page(customer.id, query);
		return { items: items.map(keyOf), next };
	});
	implement(routes, "POST /me/ssh-keys", ({ customer, body }) => keyOf(sshKeys.add(customer.id, body.name, body.key)));
	implement(routes, "DELETE /me/ssh-keys/{id}", ({ customer, path }) => sshKeys.remove(customer.id, path.id));
}

function entitlementRoutes(routes: Routes, { entitlements, limits }: CustomerRouteParts) {
	implement(routes, "GET /me/entitlements", ({ customer, query }) => {
		const { items, next } = entitlements.page(customer.id, query);
		return { items: items.map(entitlementOf), next };
	});
	implement(routes, "POST /me/entitlements", ({ customer, body }) => {
		limits.take("voucher", customer.id);
		const redeemed = entitlements.redeem(customer.id, body.voucher);
		limits.giveBack("voucher", customer.id);
		return entitlementOf(redeemed);
	});
}

const moment = (time: number) => new Date(time).toISOString();

function meOf({ id, name, email, language, createdAt, staff }: Customer): z.infer<typeof Me> {
	return { id, name, email, language, createdAt: moment(createdAt), staff };
}

function sessionOf(session: Session, caller: Caller): z.infer<typeof SessionView> {
	const { id, agent, createdAt, lastSeenAt } = session;
	return { id, agent, current: id === caller.session, createdAt: moment(createdAt), lastSeenAt: moment(lastSeenAt) };
}

function tokenOf({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: Token): z.infer<typeof TokenView> {
	return {
		...{ id, name, scopes: [...scopes], createdAt: moment(createdAt), expiresAt: moment(expiresAt) },
		lastUsedAt: lastUsedAt === null ? null : moment(lastUsedAt),
	};
}

function keyOf({ createdAt, ...key }: SshKey): z.infer<typeof SshKeyView> {
	return { ...key, createdAt: moment(createdAt) };
}

function entitlementOf({ redeemedAt, services, ...entitlement }: Entitlement) {
	return { ...entitlement, services: [...services], redeemedAt: moment(redeemedAt) };
}
