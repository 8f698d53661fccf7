import { dirname, join } from "node:path";
import type { Ask, Recipe } from "../../../node/engines/local/recipe.ts";

const folder = import.meta.dirname;
/** PostgreSQL's client, which it loads and does not need here, and the guest book's storage. */
const reads = [
	dirname(process.execPath),
	join(folder, "../../../node_modules"),
	join(folder, "../../stories/guest-book"),
];

/** The services of straw as processes: GoToSocial as machines have it, and a Galene that is newer than theirs. */
export const recipes = (): readonly Recipe[] => [
	straw("gotosocial", "0.20.2", [
		{ name: "database", kind: "sqlite", path: "database" },
		{ name: "storage", kind: "directory", path: "storage" },
	]),
	straw("galene", "99.0", []),
];

function straw(service: string, version: string, volumes: readonly Named[]): Recipe {
	return {
		...{ service, volumes, ports: ["http"], ready: { usually: 1, atMost: 60 }, obtainSeconds: 0 },
		stop: { signal: "SIGTERM", seconds: 20 },
		able: async () => ({ can: true, version }),
		find: async () => ({ path: join(folder, "service.mjs"), folder }),
		obtain: async () => {
			throw new Error("it is always there");
		},
		async configure(home, hands) {
			const placed = volumes.map(({ name, kind, path }) => [name, { kind, path: join(home.state, path) }]);
			const about = { service, port: home.port(), volumes: Object.fromEntries(placed), secrets: {} };
			await hands.write("settings.json", JSON.stringify(about));
		},
		command: ({ program, state }) => ({ argv: [process.execPath, program.path, join(state, "settings.json")], reads }),
		probes: () => [
			{
				what: "page",
				async look(ask) {
					const { status, body } = await ask("/");
					if (status !== 200) throw new Error(`answered ${status}: ${body}`);
					return body;
				},
			},
		],
		account: {
			while: "running",
			create: ({ owner }, password, { ask }) => own(ask, owner.username, password),
			setPassword: ({ owner }, password, { ask }) => own(ask, owner.username, password),
		},
	};
}

interface Named {
	readonly name: string;
	readonly kind: "directory" | "sqlite";
	readonly path: string;
}

async function own(ask: Ask, name: string, password: string): Promise<void> {
	const { status } = await ask("/owner", { method: "POST", body: JSON.stringify({ name, password }) });
	if (status !== 201) throw new Error(`the owner was not taken: ${status}`);
}
