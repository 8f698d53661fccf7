/** The customer of the pictures, and what belongs to their account. */
import type { Answer } from "#protocol/client.ts";
import type { Answers } from "./answers.ts";
import { ago, ahead, days, hours, minutes } from "./moments.ts";
import { notices } from "./notices.ts";

export const anna: Answer<"GET /me"> = {
	id: "c1",
	name: "Anna Lind",
	email: "anna@choir.example",
	language: "en",
	createdAt: ago(40 * days),
	staff: false,
};

export const page = <Item>(items: Item[], next: string | null = null) => ({ items, next });

export const entitlement = (
	id: string,
	deployment: string | null,
	services = ["snac", "wiki", "gotosocial", "galene"],
) => ({
	id,
	services,
	diskMiB: 10_240,
	deployment,
	redeemedAt: ago(30 * days),
});

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1";

export const account: Answers = {
	"GET /me/entitlements": page([entitlement("e1", "d1"), entitlement("e2", null)]),
	"GET /me/sessions": page([
		{ id: "s1", current: true, agent: firefox, createdAt: ago(3 * days), lastSeenAt: ago(10_000) },
		{ id: "s2", current: false, agent: safari, createdAt: ago(20 * days), lastSeenAt: ago(5 * hours) },
	]),
	"GET /me/tokens": page([
		{
			id: "t1",
			name: "Backup script",
			scopes: ["read" as const, "deploy" as const],
			createdAt: ago(10 * days),
			expiresAt: ahead(80 * days),
			lastUsedAt: ago(4 * hours),
		},
	]),
	"POST /me/tokens": {
		id: "t2",
		name: "Status page",
		scopes: ["read"],
		createdAt: ago(0),
		expiresAt: ahead(90 * days),
		lastUsedAt: null,
		token: "fnt_7Qp2vJ0xkTt4mYh1BzR9cLwE6sUaGdN3oKfX8iVq5ZM",
	},
	"GET /me/ssh-keys": page([
		{
			id: "k1",
			name: "Laptop",
			key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2 anna@laptop",
			fingerprint: "SHA256:q3X7u1k0yD2cQ1m7vT0a5rJ9n4bWfE8sLhPzGxKdUoI",
			createdAt: ago(12 * days),
		},
	]),
	"GET /me/notice-settings": { mail: true, browser: false, webhook: null, successes: true },
	"PUT /me/notice-settings": ({ body }) => {
		const settings = body as Answer<"GET /me/notice-settings">;
		return { settings, webhookSecret: settings.webhook ? "whsec_5dXkq0uJk3mWc1Jm4Zb8eS7hYp2RtLa9" : null };
	},
	"GET /notices/deliveries": page([
		delivery("v1", "mail", "sent", 1, null),
		delivery("v2", "webhook", "waiting", 3, "connect ECONNREFUSED 198.51.100.7:443"),
		delivery("v3", "webhook", "given-up", 9, "The receiver answered 500"),
	]),
	"PATCH /me": ({ body }) => ({ ...anna, ...(body as object) }),
	"POST /sign-in": anna,
	"POST /sign-up": anna,
};

function delivery(
	id: string,
	channel: "mail" | "webhook",
	state: "sent" | "waiting" | "given-up",
	attempts: number,
	lastError: string | null,
) {
	const [told] = notices as [(typeof notices)[number]];
	const nextAttemptAt = state === "waiting" ? ahead(4 * minutes) : null;
	return { id, notice: told, channel, state, attempts, lastError, nextAttemptAt };
}
