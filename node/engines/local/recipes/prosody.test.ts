/** Prosody for real, as apps use it: by WebSocket, through the gateway. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { life } from "../../../../test/services/life.ts";
import { canRun, type Site, Town } from "../../../../test/services/site.ts";
import { XmppApp } from "../../../../test/services/xmpp.ts";
import { askAt } from "../ask.ts";
import { signInOffered } from "./prosody/bosh.ts";

vi.setConfig({ testTimeout: 120_000 });

const can = await canRun("prosody");

describe.skipIf(!can)("Prosody for real (needs Debian, or prosody on the search path)", () => {
	let town: Town;
	let site: Site;
	beforeAll(async () => {
		town = await new Town().open();
		site = town.site("prosody");
	});
	afterAll(() => town?.close());

	life(() => site, {
		async make() {
			const app = await XmppApp.signIn(site, "alice", site.password);
			const words = `We sing on Tuesdays ${randomUUID()}`;
			app.send(`<message xmlns="jabber:client" type="chat" to="alice@${site.host}"><body>${words}</body></message>`);
			await app.until(new RegExp(words));
			app.end();
			return words;
		},
		async find(_site, words) {
			const app = await XmppApp.signIn(site, "alice", site.password);
			app.askForArchive();
			await app.until(new RegExp(words));
			app.end();
		},
		async letsIn(_site, password) {
			const app = await XmppApp.signIn(site, "alice", password).catch(() => null);
			app?.end();
			return app !== null;
		},
		async besides() {
			const links = JSON.parse(await site.text("/.well-known/host-meta.json")).links as { href: string }[];
			expect(links.map(({ href }) => new URL(href).host)).toEqual([
				new URL(site.origin).host,
				new URL(site.origin).host,
			]);
			expect(await site.text("/")).toContain(`your address ends in @${site.host}`);
			const ask = askAt(site.origin, () => site.ports["http"] ?? 0);
			expect(await signInOffered({ host: site.host, owner: { username: "alice", email: "" } }).look(ask)).toContain(
				"alice@",
			);
			const nobody = signInOffered({ host: site.host, owner: { username: "bob", email: "" } });
			await expect(nobody.look(ask)).rejects.toThrow("knows no bob");
		},
	});
});
