import { pbkdf2Sync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { page } from "../probes.ts";
import { beside, installed } from "../program.ts";
import type { Hands, Home, Probe, Recipe } from "../recipe.ts";

/** Where its own installation, and distributions, have the files of its pages. */
const pages = ["static", "../static", "../share/galene/static", "/usr/share/galene/static", "/usr/lib/galene/static"];
const group = "meeting";

/**
 * Galene from 0.96 on, see https://galene.org/galene.html. Its pages come in by HTTP; sound and pictures go straight
 * between it and the browsers, by UDP at ports the system picks while there is a meeting, so a firewall has to let UDP
 * through. What it keeps can be written anew, but for invitations, which are for a day; hence no volumes.
 */
export const galene: Recipe = {
	service: "galene",
	ports: ["http"],
	volumes: [],
	ready: { usually: 1, atMost: 30 },
	stop: { signal: "SIGTERM", seconds: 10 },
	...installed({ title: "Galene", program: "galene", folder: { name: "static", places: pages } }),

	async configure(home, hands) {
		await hands.run(["mkdir", "-p", "--", "groups", "recordings"]);
		await hands.write("data/config.json", JSON.stringify({ proxyURL: `${home.origin}/` }));
	},

	command: (home) => ({
		argv: [
			...[home.program.path, "-insecure", "-http", `127.0.0.1:${home.port()}`, "-turn", ""],
			...["-static", pagesOf(home), "-data", join(home.state, "data")],
			...["-groups", join(home.state, "groups"), "-recordings", join(home.state, "recordings")],
		] as [string, ...string[]],
		limits: { files: 65_536 },
		reads: [pagesOf(home)],
	}),

	probes: (home) => [page("/", "Galène"), meeting(home)],

	account: {
		// It looks at a group's file whenever somebody comes.
		while: "running",
		create: open,
		setPassword: open,
	},
};

/**
 * The meeting room: whoever has the account leads it and invites others, who then need nothing but the link they were
 * sent. Without an invitation nobody gets in, since everybody can guess the room's address.
 */
async function open(home: Home, password: string, hands: Hands): Promise<void> {
	const leader = { password: hashed(password), permissions: "op" };
	const description = {
		displayName: home.domain,
		public: true,
		users: { [home.owner.username]: leader },
	};
	await hands.write(`groups/${group}.json`, JSON.stringify(description, null, "\t"));
}

function hashed(password: string) {
	const salt = randomBytes(16);
	const iterations = 100_000;
	const key = pbkdf2Sync(password, salt, iterations, 32, "sha256").toString("hex");
	return { type: "pbkdf2", hash: "sha-256", key, salt: salt.toString("hex"), iterations };
}

function pagesOf({ program }: Home): string {
	const found = beside(program, pages);
	if (!found) throw new Error("Galene's folder static is gone");
	return found;
}

/** The room is open, under the address that browsers are to use. */
function meeting({ origin, domain }: Home): Probe {
	return {
		what: "api",
		async look(ask) {
			const { status, body } = await ask(`/group/${group}/.status`);
			if (status !== 200) throw new Error(`answered ${status}`);
			const seen = JSON.parse(body) as { displayName?: string; location?: string; clientCount?: number };
			if (seen.displayName !== domain) throw new Error("its room is somebody else's");
			if (!seen.location?.startsWith(`${origin}/`)) throw new Error(`says it is at ${seen.location}`);
			return `${seen.clientCount ?? 0} in the room`;
		},
	};
}
