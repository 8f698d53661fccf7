import { type Config, readConfig } from "../config.ts";
import { Exit } from "./terminal.ts";

/** The configuration a command works with: the file given, else the one FEDIVERSITY_CONFIG names, else variables alone. */
export function configuration(given: string | undefined, environment: NodeJS.ProcessEnv): Config {
	const file = given ?? environment["FEDIVERSITY_CONFIG"];
	if (!file && !Object.keys(environment).some((name) => name.startsWith("FEDIVERSITY_")))
		throw new Exit(
			"configuration",
			"There is no configuration: add --config FILE, or name the file in FEDIVERSITY_CONFIG.\nIn the demo: --config .state/demo/north/node.toml",
		);
	return readConfig(file, environment);
}
