/** The command line. `fediversity --help` tells what it can do and how it ends. */
import { setFlagsFromString } from "node:v8";
import { explain } from "./commands/explain.ts";
import type { Terminal } from "./commands/terminal.ts";

const args = process.argv.slice(2);
const terminal: Terminal = {
	out: (text) => process.stdout.write(text),
	err: (text) => process.stderr.write(text),
	ask,
	environment: process.env,
	colour: Boolean(process.stdout.isTTY) && !process.env["NO_COLOR"] && !args.includes("--no-color"),
};

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
	const file = plainServe(args);
	if (args[0] === "provider" && args.length === 1) await provideNow();
	else if (file === undefined) await parse();
	else await serveNow(file || undefined);
} catch (error) {
	const code = explain(error, terminal, args.includes("--json"));
	// Half of a node or a demo may be open.
	if (["serve", "demo"].includes(args[0] ?? "")) process.exit(code);
	process.exitCode = code;
}

/** The file of `serve` in its plain form, which goes past the parser: that takes longer to load than a node to start. */
function plainServe([command, option = "", file, ...more]: string[]): string | undefined {
	if (command !== "serve" || more.length > 0) return undefined;
	if (option === "") return "";
	if (file === undefined) return option.startsWith("--config=") ? option.slice("--config=".length) : undefined;
	return option === "--config" || option === "-c" ? file : undefined;
}

async function serveNow(file: string | undefined): Promise<void> {
	// A node rests most of its time: new objects get 1 MiB rather than 16, which costs it some collections under load.
	setFlagsFromString("--semi-space-growth-factor=1");
	const { configuration } = await import("./commands/configuration.ts");
	const config = configuration(file, process.env);
	const { serve } = await import("./commands/serve.ts");
	// Whatever may still hang in the event loop: a node that has stopped ends.
	process.exit(await serve(config));
}

/** What NixOps4 starts for every resource must be quick; and nothing but its answers may come to standard output. */
async function provideNow(): Promise<void> {
	const { provide } = await import("./commands/provider.ts");
	const answer = process.stdout.write.bind(process.stdout);
	process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
	await provide({
		environment: process.env,
		input: process.stdin,
		say: (line) => new Promise((said) => void answer(`${line}\n`, () => said())),
		parent: () => process.ppid,
	});
	process.exit(0);
}

async function parse(): Promise<void> {
	const { default: about } = await import("../package.json", { with: { type: "json" } });
	const { program } = await import("./commands/program.ts");
	const top = program(terminal, about.version);
	if (args.length === 0) top.help();
	await top.parseAsync(args, { from: "user" });
}

async function ask(question: string): Promise<string | undefined> {
	if (!process.stdin.isTTY) return undefined;
	const { createInterface } = await import("node:readline/promises");
	const reader = createInterface({ input: process.stdin, output: process.stderr });
	try {
		return await reader.question(question);
	} finally {
		reader.close();
	}
}
