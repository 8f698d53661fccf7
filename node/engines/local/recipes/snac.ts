import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import { fromCache, fromDebian, hasDebian } from "../debian.ts";
import { nodeinfo, page, webfinger } from "../probes.ts";
import type { Hands, Home, Recipe } from "../recipe.ts";

const packaged = { name: "snac2", program: "usr/bin/snac" };
const fix = "install the package snac2, or put snac on the search path";

/** snac 2.75, see snac(1), snac(5) and snac(8). All of its state is one folder, in which hard links matter. */
export const snac: Recipe = {
	service: "snac",
	ports: ["http"],
	volumes: [{ name: "data", kind: "directory", path: "data" }],
	ready: { usually: 1, atMost: 30 },
	// It finishes what its threads are sending, which takes some seconds.
	stop: { signal: "SIGTERM", seconds: 15 },
	obtainSeconds: 5,

	async able(shop) {
		if ((await this.find(shop)) || (await hasDebian(shop))) return { can: true };
		return { can: false, code: "needs-program", missing: "snac", why: `snac is not on this machine; ${fix}` };
	},

	async find(shop) {
		const cached = await fromCache(shop, packaged);
		if (cached) return cached;
		const path = await shop.which("snac");
		return path ? { path } : undefined;
	},

	async obtain(shop, report) {
		if (await hasDebian(shop)) return fromDebian(shop, report, packaged);
		throw new Problem("program-missing", { program: "snac", fix });
	},

	// Without arguments it tells how it is used, and calls that a failure.
	versionCommand: ({ path }) => ["sh", "-c", '"$1" || :', "sh", path],

	async configure(home, hands) {
		const { path } = home.program;
		if ((await hands.read("data/server.json")) === undefined) await initialise(home, hands);
		// Its exit code says the opposite of what one expects; a layout it cannot bring up to date shows at its start.
		await hands.run(["sh", "-c", '"$1" upgrade "$2" || :', "sh", path, folderOf(home)], { quiet: true });
		await set(hands, "data/server.json", {
			host: new URL(home.origin).host,
			protocol: new URL(home.origin).protocol.slice(0, -1),
			prefix: "",
			address: "127.0.0.1",
			port: home.port(),
		});
	},

	command: (home) => ({
		argv: [home.program.path, "httpd", folderOf(home)],
		// Two servers for one host name meet in /dev/shm, and the end of one then stops the other's deliveries.
		ownSharedMemory: true,
		limits: { files: 2048, processes: 64 },
	}),

	probes: (home) => [nodeinfo("/nodeinfo_2_0", "snac"), page("/", "snac"), webfinger(home)],

	account: {
		while: "running",
		async create(home, password, hands) {
			const { username } = home.owner;
			const folder = `data/user/${username}`;
			// Its keys are what it writes last.
			if (!isWhole(await hands.read(`${folder}/key.json`))) {
				await hands.run(["rm", "-rf", "--", folder]);
				await hands.run([home.program.path, "adduser", folderOf(home), username], { quiet: true });
			}
			await this.setPassword(home, password, hands);
		},
		async setPassword(home, password, hands) {
			const { username } = home.owner;
			const nonce = randomBytes(4).toString("hex");
			const hash = createHash("sha1").update(`${nonce}:${username}:${password}`).digest("hex");
			await set(hands, `data/user/${username}/user.json`, { passwd: `${nonce}:${hash}` });
		},
	},
};

function folderOf(home: Home): string {
	return join(home.state, "data");
}

/** Where only the settings are lost, what is there stays as it is, and what is missing comes beside it, the settings last. */
const bringIn = `if [ -e data ]
then mv -f data.new/server.json server.json && cp -Rn data.new/. data/ && mv -f server.json data/server.json && rm -rf data.new
else mv data.new data
fi`;

/** In a folder beside, since snac refuses one that is there already, as one cut off half way would be. */
async function initialise(home: Home, hands: Hands): Promise<void> {
	await hands.run(["rm", "-rf", "--", "data.new"]);
	const answers = ["127.0.0.1", home.port(), new URL(home.origin).host, "", "", ""].join("\n");
	await hands.run([home.program.path, "init", "data.new"], { input: answers, quiet: true });
	await hands.run(["sh", "-c", bringIn]);
}

/** Sets some members of a JSON file and leaves the others, which snac and its users set. */
async function set(hands: Hands, path: string, members: Readonly<Record<string, unknown>>): Promise<void> {
	const before = await hands.read(path);
	await hands.write(path, JSON.stringify({ ...JSON.parse(before ?? "{}"), ...members }, null, 4));
}

function isWhole(json: string | undefined): boolean {
	return json?.trimEnd().endsWith("}") ?? false;
}
