import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import { fromCache, fromDebian, hasDebian } from "../debian.ts";
import { page } from "../probes.ts";
import type { Hands, Home, Program, Recipe } from "../recipe.ts";
import { accountPath, accountWith } from "./prosody/account.ts";
import { signInOffered } from "./prosody/bosh.ts";
import { configuration, pages } from "./prosody/files.ts";

const packaged = { name: "prosody", program: "usr/bin/prosody", needs: /^lua/ };
const fix = "install the package prosody, or put prosody on the search path";

/** Prosody from 0.12 on, see https://prosody.im/doc/configure. */
export const prosody: Recipe = {
	service: "prosody",
	// Apps come in by HTTP. The other one is the XMPP port, for providers who lead it to the outside themselves.
	ports: ["http", "xmpp"],
	volumes: [{ name: "data", kind: "directory", path: "data" }],
	ready: { usually: 1, atMost: 30 },
	stop: { signal: "SIGTERM", seconds: 10 },
	obtainSeconds: 15,

	async able(shop) {
		if ((await this.find(shop)) || (await hasDebian(shop))) return { can: true };
		return { can: false, code: "needs-program", missing: "prosody", why: `Prosody is not on this machine; ${fix}` };
	},

	async find(shop) {
		const cached = await fromCache(shop, packaged);
		if (cached) return withLua(cached);
		const path = await shop.which("prosody");
		return path ? { path } : undefined;
	},

	async obtain(shop, report) {
		if (await hasDebian(shop)) return withLua(await fromDebian(shop, report, packaged));
		throw new Problem("program-missing", { program: "prosody", fix });
	},

	// Its own command takes long to say it.
	versionCommand: () => ["dpkg-query", "--show", "prosody"],

	async configure(home, hands) {
		await hands.run(["mkdir", "-p", "--", "data", "certificates"]);
		for (const [path, text] of Object.entries(pages(home))) await hands.write(join("pages", path), text);
		await hands.write("prosody.cfg.lua", configuration(home));
	},

	command: (home) => ({
		argv: [home.program.path, "--config", join(home.state, "prosody.cfg.lua"), "-F"],
		limits: { files: 8192, processes: 64 },
	}),

	probes: (home) => [page("/", "XMPP"), signInOffered(home)],

	account: {
		// Its own command takes passwords by another way in every version, and it looks into the file each time.
		while: "running",
		create: setPassword,
		setPassword,
	},
};

async function setPassword({ owner, host }: Home, password: string, hands: Hands): Promise<void> {
	await hands.write(join("data", accountPath(owner.username, host)), accountWith(password));
}

/** Where Lua finds Prosody and its libraries when they are not where they would be installed. */
function withLua(program: Program): Program {
	const at = (path: string) => join(program.folder ?? "/", path);
	const libraries = program.env?.["LD_LIBRARY_PATH"] ?? "";
	return {
		...program,
		env: {
			...program.env,
			PATH: `${at("usr/bin")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
			LUA_PATH: `${at("usr/lib/prosody/?.lua")};${at("usr/share/lua/5.4/?.lua")};${at("usr/share/lua/5.4/?/init.lua")};;`,
			LUA_CPATH: `${at("usr/lib/prosody/?.so")};${join(libraries, "lua/5.4/?.so")};;`,
		},
	};
}
