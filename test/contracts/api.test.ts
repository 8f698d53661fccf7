import { afterEach, beforeEach } from "vitest";
import type { OperationName } from "../../protocol/api/operations.ts";
import { triesManners } from "./manners.ts";
import { openPanel, type Panel, password, signedUp } from "./panel.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const probe = openPanel();
const implemented = [...probe.routes.handlers.keys()];
probe.close();

let panel: Panel;
let owner: { id: string; cookie: string };
let stranger: { id: string; cookie: string };
let ids: Record<string, string>;

beforeEach(async () => {
	panel = openPanel();
	owner = await signedUp(panel, "anna@choir.example");
	stranger = await signedUp(panel, "ben@choir.example");
	const [session] = panel.sessions.page(owner.id, { limit: 1 }).items;
	const year = panel.clock.time + 365 * 86_400_000;
	const token = panel.tokens.make(owner.id, { name: "nightly", scopes: ["read"], expiresAt: year });
	const sshKey = panel.sshKeys.add(owner.id, "laptop", key);
	ids = { sessions: session?.id ?? "", tokens: token.id, "ssh-keys": sshKey.id };
});
afterEach(() => panel.close());

triesManners(
	implemented,
	{
		"POST /sign-up": { voucher: "x", email: "c@choir.example", password, name: "Cleo" },
		"POST /sign-in": { email: "anna@choir.example", password },
		"PATCH /me": { name: "Anna" },
		"POST /me/password": { current: password, next: "another long password" },
		"POST /me/tokens": { name: "x", scopes: ["read"] },
		"POST /me/ssh-keys": { name: "x", key },
		"POST /me/entitlements": { voucher: "x" },
		"POST /staff/vouchers": {},
	},
	async () => ({
		app: panel.app,
		owner,
		stranger,
		token: (...scopes) =>
			panel.tokens.make(owner.id, { name: "x", scopes, expiresAt: panel.clock.time + 86_400_000 }).secret,
		places: (name: OperationName) => ({ id: ids[name.split("/")[2] ?? ""] ?? owner.id }),
		private: [owner.id, "anna", "laptop", "nightly", ...Object.values(ids)],
	}),
);
