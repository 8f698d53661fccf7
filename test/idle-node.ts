/** All parts of a node in a folder of its own; nobody works on its jobs, and its clock can jump. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "#protocol/migration/messages.ts";
import { readConfig } from "../node/config.ts";
import { openParts, type Parts } from "../node/parts.ts";
import { afterwards } from "./loopback.ts";

export interface IdleNode {
	readonly parts: Parts;
	readonly clock: { now: number };
	/** A customer who may deploy once. */
	customer(): string;
	/** A move that is offered to that customer; answers its id. */
	offered(customer: string, offer: Offered): string;
}

export interface Offered {
	readonly origin: string;
	readonly bytes?: number;
	/** The token was made for this very domain. */
	readonly agreed?: boolean;
	readonly domain?: string;
}

/** `settings` as environment variables without their `FEDIVERSITY_`. */
export function idleNode(settings: Record<string, string> = {}): IdleNode {
	const folder = mkdtempSync(join(tmpdir(), "idle-"));
	const named = { PROVIDER_NAME: "North", WEB_URL: "https://north.example", STATE_FOLDER: folder, ...settings };
	const environment = Object.fromEntries(Object.entries(named).map(([name, value]) => [`FEDIVERSITY_${name}`, value]));
	const clock = { now: Date.now() };
	const parts = openParts(readConfig(undefined, environment), { environment: {}, now: () => clock.now });
	afterwards(() => {
		parts.jobs.close();
		parts.db.close();
		rmSync(folder, { recursive: true });
	});
	return {
		...{ parts, clock },
		customer() {
			const email = `${randomUUID()}@choir.example`;
			const { id } = parts.customers.add({ name: "Ada", email, language: "en", password: "x" });
			const { code } = parts.vouchers.make({ services: [], days: 30, uses: 1, diskMiB: 1024, note: "" });
			parts.entitlements.redeem(id, code);
			return id;
		},
		offered(customer, { origin, agreed = false, ...wish }) {
			const { sessions } = parts.migrations;
			const id = randomUUID().replaceAll("-", "").slice(0, 22);
			const offer = offerOf(wish);
			sessions.open({ id, side: "target", customer, about: { agreed } });
			const peer = {
				origin,
				actor: `${origin}/actor`,
				keyId: `${origin}/actor#k`,
				key: "z",
				door: `${origin}/migrate/${id}`,
			};
			const links = { seq: 1, prev: null, heard: null, digest: id.padEnd(43, "A"), document: {} };
			sessions.hear(id, { ...links, message: { kind: "offer", content: offer } }, () =>
				sessions.change(id, { about: { offer, peer: { ...peer, provider: "South", customer: "Ada" } } }),
			);
			return id;
		},
	};
}

export function offerOf({
	bytes = 0,
	domain = "choir.example",
}: {
	bytes?: number;
	domain?: string;
} = {}): Content<"offer"> {
	const volumes = [{ name: "data", kind: "directory" as const, bytes }];
	return {
		...{ domain, services: [{ name: "snac", version: "2.75", hosts: [`social.${domain}`], volumes }] },
		owner: { username: "ada", email: "ada@choir.example" },
		...{ epoch: 1, managesZone: false, keepDays: 30, customer: "Ada", provider: "South", proof: "A".repeat(43) },
	};
}
