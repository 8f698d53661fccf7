import { dirname, join } from "node:path";
import type { Probe, Recipe } from "../../../node/engines/local/recipe.ts";

export type Behaviour = "good" | "dies" | "never-ready" | "stubborn" | "short-lived" | "lingering";

const script = join(import.meta.dirname, "tiny-service.mjs");

/** A recipe for the web service of the tests; it can be told to misbehave. */
export function tiny(service = "tiny", behaviour: Behaviour = "good", other: Partial<Recipe> = {}): Recipe {
	return {
		service,
		ports: ["http"],
		volumes: [{ name: "count", kind: "directory", path: "." }],
		ready: { usually: 1, atMost: behaviour === "never-ready" ? 1 : 30 },
		stop: { signal: "SIGTERM", seconds: behaviour === "stubborn" ? 0.2 : 10 },
		obtainSeconds: 0,
		able: async () => ({ can: true }),
		find: async () => ({ path: script, folder: dirname(script) }),
		obtain: async () => {
			throw new Error("it is always there");
		},
		configure: (home, hands) =>
			hands.write("settings.json", JSON.stringify({ port: home.port(), behaviour, origin: home.origin })),
		command: (home) => ({
			argv: [process.execPath, script, join(home.state, "settings.json")],
			ownSharedMemory: true,
			reads: [dirname(process.execPath)],
		}),
		probes: () => [says("page", "/", /^tiny \d+ at social\.[a-z]+\.localhost:8080$/)],
		account: {
			while: "running",
			create: (_home, password, hands) => hands.write("password", password),
			setPassword: (_home, password, hands) => hands.write("password", password),
		},
		...other,
	};
}

export function says(what: string, path: string, pattern: RegExp): Probe {
	return {
		what,
		async look(ask) {
			const { status, body } = await ask(path);
			if (status !== 200) throw new Error(`answered ${status}`);
			if (!pattern.test(body)) throw new Error(`says ${body}`);
			return body;
		},
	};
}
