import type { Config } from "../config.ts";
import { bad, type Finding, good, warning } from "../doctor/finding.ts";
import { configuration } from "./configuration.ts";
import { dim, printJson } from "./output.ts";
import { isRunning, runningNode } from "./running-node.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

const marks = { good: "✓", warning: "!", bad: "✗" } as const;

/** Prints what is wrong and how to mend it. The exit code: 0 nothing bad, 1 something is, 78 the configuration is. */
export async function doctor(file: string | undefined, terminal: Terminal, json: boolean): Promise<number> {
	const { items, code } = await examined(file, terminal.environment);
	if (json) printJson(terminal, { items });
	else terminal.out(inWords(items, terminal.colour));
	return code;
}

async function examined(file: string | undefined, environment: NodeJS.ProcessEnv) {
	try {
		const config = configuration(file, environment);
		const items = [good("configuration", "Every setting is understood"), ...(await lookedAt(config))];
		return { items, code: items.some(({ state }) => state === "bad") ? exitCodes.failure : exitCodes.ok };
	} catch (error) {
		if (!(error instanceof Error) || !["ConfigError", "Exit"].includes(error.name)) throw error;
		const mistakes = (error as { mistakes?: readonly string[] }).mistakes ?? [error.message];
		const items = mistakes.map((mistake) => bad("configuration", mistake, "Correct it in the configuration"));
		return { items, code: exitCodes.configuration };
	}
}

/** The running node knows itself best; without one, what can be seen from outside. */
async function lookedAt(config: Config): Promise<Finding[]> {
	if (await isRunning(config.operator.socket)) {
		const { items } = await runningNode(config.operator.socket)("GET /staff/findings");
		return [good("running", `The node runs (${config.operator.socket})`), ...items];
	}
	const { findings } = await import("../doctor/findings.ts");
	const stopped = warning("running", "The node is not running", "Start it with: fediversity serve --config FILE");
	return [stopped, ...(await findings(config, { running: false, zone: await zoneOf(config), now: Date.now }))];
}

async function zoneOf({ zone }: Config) {
	if (!zone) return null;
	const [{ readFile }, { Rfc2136Zone }] = await Promise.all([
		import("node:fs/promises"),
		import("../domains/rfc2136-zone.ts"),
	]);
	// A key file that is missing is a finding of its own.
	const secret = (await readFile(zone.keyFile, "utf8").catch(() => "")).trim();
	if (secret === "") return null;
	return new Rfc2136Zone({ name: zone.name, server: zone.server, key: { name: zone.keyName, secret }, now: Date.now });
}

/** What was found, a line each and its fix below it. */
export function inWords(items: readonly Finding[], colour: boolean): string {
	const lines = items.flatMap(({ state, check, detail, fix }) => [
		`${marks[state]} ${colour ? dim(check) : check}  ${detail}`,
		...(fix ? [`    → ${fix}`] : []),
	]);
	const count = (state: Finding["state"]) => items.filter((item) => item.state === state).length;
	return `${lines.join("\n")}\n\n${count("bad")} bad, ${count("warning")} to watch, ${count("good")} good\n`;
}
