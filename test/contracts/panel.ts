import { Customers } from "../../node/customers/customers.ts";
import { Entitlements } from "../../node/customers/entitlements.ts";
import { Passwords } from "../../node/customers/passwords.ts";
import { customerRoutes } from "../../node/customers/routes.ts";
import { Sessions } from "../../node/customers/sessions.ts";
import { SignIn } from "../../node/customers/sign-in.ts";
import { signUp } from "../../node/customers/sign-up.ts";
import { SshKeys } from "../../node/customers/ssh-keys.ts";
import { customerStaffRoutes } from "../../node/customers/staff-routes.ts";
import { Tokens } from "../../node/customers/tokens.ts";
import { Vouchers } from "../../node/customers/vouchers.ts";
import { MemoryVault } from "../../node/secrets/memory-vault.ts";
import type { Vault } from "../../node/secrets/vault.ts";
import { Database } from "../../node/store/database.ts";
import { openApp } from "../../node/web/app.ts";
import { Idempotency } from "../../node/web/idempotency.ts";
import { Routes } from "../../node/web/implement.ts";
import { Metrics } from "../../node/web/metrics.ts";
import { openOperatorApp } from "../../node/web/operator.ts";
import { RateLimits } from "../../node/web/rate-limit.ts";
import { Door } from "../../node/web/session.ts";

export interface PanelOptions {
	origin?: string;
	file?: string;
	trustProxy?: boolean;
	limits?: RateLimits;
	vault?: Vault;
	checkAnswers?: boolean;
	/** More operations than the customers'. */
	more?(routes: Routes, db: Database): void;
}

export const password = "correct horse battery";

/** The public address of a node with its customers, and no services: real database, real checks, and a clock to turn. */
export function openPanel(options: PanelOptions = {}) {
	const { origin = "https://north.example", file = ":memory:", trustProxy = true } = options;
	const clock = { time: Date.UTC(2026, 10, 22, 12) };
	const now = () => clock.time;
	const db = new Database(file);
	const customers = new Customers(db, now);
	// One pass over 8 KiB, so that tests sign in as fast as they can.
	const passwords = new Passwords({ cost: { memory: 8, passes: 1, parallelism: 1 }, mostWaiting: 1000 });
	const vouchers = new Vouchers(db, "North", now);
	const entitlements = new Entitlements(db, vouchers, now);
	const sessions = new Sessions(db, 14, now);
	const tokens = new Tokens(db, now);
	const sshKeys = new SshKeys(db, now);
	const signIn = new SignIn({ db, customers, passwords, sessions });
	const door = new Door(origin, sessions, tokens);
	const limits = options.limits ?? new RateLimits();
	const routes = new Routes();
	customerRoutes(routes, {
		...{ customers, signIn, sessions, tokens, sshKeys, entitlements, door, limits, trustProxy, now },
		signUp: (wish) => signUp({ db, customers, passwords, vouchers, entitlements }, wish),
	});
	customerStaffRoutes(routes, { customers, vouchers, signIn, catalogue: [{ name: "snac" }, { name: "wiki" }] });
	options.more?.(routes, db);
	const idempotency = new Idempotency(db, options.vault ?? new MemoryVault(), now);
	const metrics = new Metrics(db, "0.1.0", now);
	const common = { routes, idempotency, checkAnswers: options.checkAnswers ?? true };
	const app = openApp({
		...common,
		...{ origin, version: "0.1.0", door, panel: "/nonexistent", logo: null, help: "/help", now },
		ready: async () => [],
		count: (name, status, seconds) => metrics.count(name, status, seconds),
	});
	const operatorParts = { ...common, metrics };
	const staff = openOperatorApp(operatorParts);
	return {
		...{
			app,
			staff,
			operatorParts,
			db,
			clock,
			routes,
			customers,
			passwords,
			vouchers,
			entitlements,
			sessions,
			tokens,
			sshKeys,
			signIn,
			metrics,
		},
		close: () => db.close(),
	};
}

export type Panel = ReturnType<typeof openPanel>;

export interface Asked {
	request(input: string, init?: RequestInit): Response | Promise<Response>;
}

export interface Ask {
	body?: unknown;
	cookie?: string | undefined;
	token?: string;
	headers?: Record<string, string>;
}

/** Asks as the panel's page does: from its own origin, with JSON. `name` is an operation with its places filled. */
export function ask(app: Asked, name: string, { body, cookie, token, headers }: Ask = {}): Promise<Response> {
	const [method = "", path = ""] = name.split(" ");
	return Promise.resolve(
		app.request(`https://north.example/api/v1${path}`, {
			method,
			headers: {
				...(!token && { "sec-fetch-site": "same-origin" }),
				...(body !== undefined && { "content-type": "application/json" }),
				...(cookie && { cookie }),
				...(token && { authorization: `Bearer ${token}` }),
				...headers,
			},
			...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
		}),
	);
}

/** The cookie an answer sets, as a browser sends it back. */
export function cookieOf(answer: Response): string {
	return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Somebody new with a voucher of their own, signed in. */
export async function signedUp(panel: Panel, email: string) {
	const { code } = panel.vouchers.make({ services: [], days: 30, uses: 1, diskMiB: 1024, note: "" });
	const body = { voucher: code, email, password, name: email.split("@")[0] };
	const answer = await ask(panel.app, "POST /sign-up", { body });
	const me = (await answer.json()) as { id: string };
	return { id: me.id, email, cookie: cookieOf(answer) };
}

/** Staff of the provider makes a voucher. */
export function voucher(panel: Panel, wish: Partial<Parameters<Vouchers["make"]>[0]> = {}) {
	return panel.vouchers.make({ services: [], days: 30, uses: 1, diskMiB: 1024, note: "", ...wish });
}
