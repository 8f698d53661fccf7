import { createHash } from "node:crypto";
import { copyFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import { npmHere } from "../npm.ts";
import { page } from "../probes.ts";
import type { Hands, Home, Probe, Recipe } from "../recipe.ts";

const files = ["package.json", "package-lock.json", "serve.mjs"] as const;
/** They lie in a folder of their own, being a package of their own. */
const packageFolder = join(import.meta.dirname, "wiki");
const program = "serve.mjs";
const fix = "install npm beside Node";

/** Federated Wiki 0.40, see https://github.com/fedwiki/wiki. Its state is one folder of plain files. */
export const wiki: Recipe = {
	service: "wiki",
	ports: ["http"],
	volumes: [{ name: "data", kind: "directory", path: "data" }],
	ready: { usually: 5, atMost: 90 },
	stop: { signal: "SIGTERM", seconds: 10 },
	obtainSeconds: 25,

	async able(shop) {
		if ((await this.find(shop)) || (await npmHere(shop))) return { can: true, version: pinnedVersion() };
		return { can: false, code: "needs-program", missing: "npm", why: `npm is not on this machine; ${fix}` };
	},

	async find(shop) {
		const folder = await shop.kept(folderName());
		return folder ? { path: join(folder, program), folder } : undefined;
	},

	async obtain(shop, report) {
		const npm = await npmHere(shop);
		if (!npm) throw new Problem("program-missing", { program: "npm", fix });
		const packages = Object.keys(JSON.parse(readFileSync(join(packageFolder, files[1]), "utf8")).packages).length;
		const folder = await shop.keep(folderName(), async (scratch) => {
			report.log(`Fetching Federated Wiki with npm: ${packages} packages, each checked against its hash`);
			for (const file of files) copyFileSync(join(packageFolder, file), join(scratch, file));
			let seen = 0;
			await shop.run([...npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"], report, {
				folder: scratch,
				// What it has fetched already stays, so that a second try goes on where the first was cut off.
				env: { npm_config_cache: join(shop.cache, ".npm"), npm_config_update_notifier: "false" },
				line: (line) => {
					if (/^npm http (fetch|cache)/.test(line)) report.progress(Math.min(++seen / packages, 0.95));
				},
			});
		});
		return { path: join(folder, program), folder };
	},

	async configure(home, hands) {
		const settings = {
			port: home.port(),
			url: home.origin,
			data: join(home.state, "data"),
			security_type: "friends",
			cookieSecret: await hands.secret("cookie"),
			secure_cookie: home.origin.startsWith("https:"),
			// Without this, whoever is not signed in would count as the server's administrator. Nobody is told it.
			admin: await hands.secret("admin"),
		};
		await hands.write("settings.json", JSON.stringify(settings, null, "\t"));
	},

	command: (home) => ({
		argv: [process.execPath, home.program.path, join(home.state, "settings.json")],
		// In development it writes its settings, secrets included, to its log.
		env: { NODE_ENV: "production" },
		reads: [dirname(process.execPath)],
		limits: { files: 4096, processes: 128 },
	}),

	probes: (home) => [page("/welcome-visitors.html", "wiki"), pages, ownedBy(home.owner.username)],

	account: {
		// It reads who owns it only when it starts.
		while: "stopped",
		create: own,
		setPassword: own,
	},
};

/** The wiki asks for the secret only, and calls it a reclaim code. */
async function own(home: Home, secret: string, hands: Hands): Promise<void> {
	await hands.write(
		"data/status/owner.json",
		JSON.stringify({ name: home.owner.username, friend: { secret } }, null, "  "),
	);
}

const pages: Probe = {
	what: "api",
	async look(ask) {
		const { status, body } = await ask("/system/slugs.json");
		if (status !== 200) throw new Error(`answered ${status}`);
		const { length } = JSON.parse(body) as unknown[];
		return length === 1 ? "1 page" : `${length} pages`;
	},
};

function ownedBy(username: string): Probe {
	return {
		what: "account",
		async look(ask) {
			const { body } = await ask("/welcome-visitors.html");
			if (!body.includes(`ownerName = '${username}'`)) throw new Error("belongs to nobody, or to somebody else");
			return username;
		},
	};
}

/** Of the wiki that is fetched, known before. */
function pinnedVersion(): string {
	return JSON.parse(readFileSync(join(packageFolder, files[0]), "utf8")).dependencies.wiki;
}

/** Changes with what is in it, so a new version is fetched beside the old one, which may still be running. */
function folderName(): string {
	const hash = createHash("sha256");
	for (const file of files) hash.update(readFileSync(join(packageFolder, file)));
	return `wiki-${hash.digest("hex").slice(0, 12)}`;
}
