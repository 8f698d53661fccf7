/**
 * `fediversity-agent VERB …`: what a node may do on a machine of its provider's. Called over ssh, once for each thing asked;
 * answers in JSON on its output, and a failure as one line of JSON on the side of messages. Installed by nix/volumes.nix.
 */
import { Socket } from "node:net";
import { Problem } from "#protocol/problem.ts";
import about from "../../package.json" with { type: "json" };
import { readDeclaration } from "./declaration.ts";
import { messageOf } from "./failure.ts";
import { verbs } from "./verbs.ts";

/** The machine decides where its declaration lies, and not who calls. */
const file = process.env["FEDIVERSITY_AGENT_FILE"] ?? "/etc/fediversity/agent.json";
const [verb = "", ...words] = process.argv.slice(2);

try {
	const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
	if (!act) throw new Problem("machine-lacks", { machine: "The machine", what: `the verb ${verb}` });
	const answer = await act(
		{
			declaration: readDeclaration(file),
			version: about.version,
			input: process.stdin,
			// Not process.stdout, whose writes would keep everything else waiting while the line is slow.
			line: () => ({ input: process.stdin, output: new Socket({ fd: 1, readable: false }) }),
		},
		...words,
	);
	if (answer !== undefined)
		await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(answer)}\n`, () => resolve()));
	process.exit(0);
} catch (error) {
	process.stderr.write(`${JSON.stringify(messageOf(error))}\n`);
	process.exit(1);
}
