import { getLogger } from "@logtape/logtape";
import type { z } from "zod";
import { type Scope, scopes } from "#protocol/api/account.ts";
import type { Audience } from "#protocol/api/operations.ts";
import { Problem } from "#protocol/problem.ts";
import type { Sessions } from "../customers/sessions.ts";
import type { Tokens } from "../customers/tokens.ts";
import type { Caller, WebContext } from "./implement.ts";

const log = getLogger(["fediversity", "web"]);
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** The door of the public API: who calls, by session cookie or API token, and whether they may. */
export class Door {
	readonly #origin: string;
	readonly #cookie: string;
	readonly #inCookies: RegExp;
	readonly #sessions: Sessions;
	readonly #tokens: Tokens;

	/** `origin` is the panel's, such as `https://north.example`. */
	constructor(origin: string, sessions: Sessions, tokens: Tokens) {
		this.#origin = origin;
		// Browsers take `__Host-` cookies from this very host over https only, so no neighbour can plant one.
		this.#cookie = origin.startsWith("https:") ? "__Host-session" : "session";
		this.#inCookies = new RegExp(`(?:^|; *)${this.#cookie}=([\\w-]{43})(?:;|$)`);
		this.#sessions = sessions;
		this.#tokens = tokens;
	}

	/**
	 * Throws `not-signed-in`, `scope-missing`, `wrong-site` or `confirm-needed`; null where everybody may call. For who is
	 * not staff, what staff does is not there.
	 */
	admit(c: WebContext, audience: Exclude<Audience, "operator">): Caller | null {
		const authorization = c.req.header("authorization");
		if (authorization === undefined) this.#checkSite(c);
		if (audience === "everybody") return null;
		if (audience === "staff") return this.#admitStaff(c, authorization);
		const caller = authorization === undefined ? this.#bySession(c) : this.#byToken(authorization);
		if (!caller) throw new Problem("not-signed-in");
		if (!caller.scopes.includes(audience)) throw new Problem("scope-missing", { scope: audience });
		return caller;
	}

	/** `Set-Cookie` for a session's token, or without one to forget it. */
	cookieFor(token: string | null): string {
		const secure = this.#origin.startsWith("https:") ? "; Secure" : "";
		const age = token === null ? 0 : this.#sessions.seconds;
		return `${this.#cookie}=${token ?? ""}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`;
	}

	/**
	 * Refuses what another site makes a browser send. Browsers say where a write comes from, in `Sec-Fetch-Site` or at least
	 * in `Origin`; without either, a cookie counts for nothing. A service under our own domain is another site too.
	 */
	#checkSite(c: WebContext): void {
		if (safeMethods.has(c.req.method)) return;
		const site = c.req.header("sec-fetch-site");
		const origin = c.req.header("origin");
		const ours = site !== undefined ? site === "same-origin" : origin === this.#origin;
		const noBrowser = site === undefined && origin === undefined && c.req.header("cookie") === undefined;
		if (!ours && !noBrowser) throw new Problem("wrong-site");
	}

	/** Staff comes with a session, never with a token; whoever wants to change something has said the password not long ago. */
	#admitStaff(c: WebContext, authorization: string | undefined): Caller {
		const caller = authorization === undefined ? this.#bySession(c) : undefined;
		if (authorization === undefined && !caller) throw new Problem("not-signed-in");
		if (!caller?.customer.staff) throw new Problem("not-found");
		if (safeMethods.has(c.req.method)) return caller;
		if (!caller.fresh) throw new Problem("confirm-needed");
		const { method, path } = c.req;
		log.info("Staff {customer} asks for {method} {path}", { customer: caller.customer.id, method, path });
		return caller;
	}

	#bySession(c: WebContext): Caller | undefined {
		const token = this.#inCookies.exec(c.req.header("cookie") ?? "")?.[1];
		const found = token === undefined ? undefined : this.#sessions.find(token);
		return (
			found && {
				customer: found.customer,
				session: found.id,
				fresh: found.fresh,
				token: null,
				scopes,
				valid: () => this.#sessions.isGoing(found.id),
			}
		);
	}

	#byToken(authorization: string): Caller | undefined {
		const secret = /^Bearer (\S+)$/i.exec(authorization)?.[1];
		const found = secret === undefined ? undefined : this.#tokens.find(secret);
		if (!found) return undefined;
		const { customer, token } = found;
		const granted: readonly z.infer<typeof Scope>[] = token.scopes;
		return {
			customer,
			session: null,
			fresh: false,
			token: { id: token.id, expiresAt: token.expiresAt },
			scopes: granted,
			valid: () => this.#tokens.isValid(token.id),
		};
	}
}
