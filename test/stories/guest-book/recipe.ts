import { dirname, join } from "node:path";
import type { Ask, Probe, Recipe } from "../../../node/engines/local/recipe.ts";
import { tiny } from "../../contracts/tiny/tiny.ts";
import { RoomsOf } from "./depot.ts";

const folder = import.meta.dirname;
/** PostgreSQL's client, and all that it needs. */
const packages = join(folder, "../../../node_modules");

/** What the guest book needs to be told: where a provider's databases and buckets are made. */
export interface Given {
	readonly rooms: string;
}

/** The guest book in the place of Pixelfed: a database, a bucket and a folder, as the catalogue says of that. */
export const recipes = ({ rooms }: Given): readonly Recipe[] => [
	{
		service: "pixelfed",
		ports: ["http"],
		volumes: [
			{ name: "database", kind: "postgres", depot: new RoomsOf(rooms, "postgres") },
			{ name: "photos", kind: "bucket", depot: new RoomsOf(rooms, "bucket") },
			{ name: "files", kind: "directory", path: "cards" },
		],
		ready: { usually: 1, atMost: 60 },
		stop: { signal: "SIGTERM", seconds: 20 },
		obtainSeconds: 0,
		able: async () => ({ can: true, version: "1.0.0" }),
		find: async () => ({ path: join(folder, "guest-book.mjs"), folder }),
		obtain: async () => {
			throw new Error("it is always there");
		},
		async configure(home, hands) {
			const [rows, photos] = await Promise.all([home.place("database"), home.place("photos")]);
			const secret = await home.secret("app-key");
			const cards = join(home.state, "cards");
			await hands.write("settings.json", JSON.stringify({ port: home.port(), secret, cards, rows, photos }));
		},
		command: ({ program, state }) => ({
			argv: [process.execPath, program.path, join(state, "settings.json")],
			reads: [dirname(process.execPath), packages],
		}),
		probes: () => [reads("page", "/", /^Guest book with \d+ entries$/), reads("storage", "/look", /^e/)],
		account: {
			while: "running",
			create: ({ owner }, password, { ask }) => own(ask, owner.username, password),
			setPassword: ({ owner }, password, { ask }) => own(ask, owner.username, password),
		},
	},
	// The catalogue wants a storage beside it; this one only runs.
	tiny("garage", "good", { volumes: [], probes: () => [reads("page", "/", /^tiny \d+ at /)] }),
];

async function own(ask: Ask, name: string, password: string): Promise<void> {
	const { status } = await ask("/owner", { method: "POST", body: JSON.stringify({ name, password }) });
	if (status !== 201) throw new Error(`the owner was not taken: ${status}`);
}

function reads(what: string, path: string, pattern: RegExp): Probe {
	return {
		what,
		async look(ask) {
			const { status, body } = await ask(path);
			if (status !== 200 || !pattern.test(body)) throw new Error(`answered ${status}: ${body}`);
			return body;
		},
	};
}
