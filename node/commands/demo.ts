import { appendFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Demo } from "../demo/demo.ts";
import { buildPanel } from "../demo/panel.ts";
import { providers } from "../demo/providers.ts";
import { DemoState } from "../demo/state.ts";
import { configureLog } from "../web/log.ts";
import { bold } from "./output.ts";
import { untilStopped } from "./stop.ts";
import { Exit, type Terminal } from "./terminal.ts";

export interface DemoWishes {
	fresh?: true;
	port?: number;
	state: string;
}

/** Opens the demo, says where it is, and keeps it open until it is told to stop. Resolves with the exit code. */
export async function demo(wishes: DemoWishes, terminal: Terminal): Promise<number> {
	const tell = (message: string) => terminal.err(`${message}\n`);
	const state = new DemoState(resolve(wishes.state));
	const demo = new Demo({
		state,
		port: wishes.port ?? portIn(terminal.environment),
		fresh: wishes.fresh ?? false,
		environment: terminal.environment,
		tell,
	});
	const stopped = untilStopped(() => {
		tell("Ending everything at once; the next start mends what that breaks.");
		demo.kill().finally(() => process.exit(130));
	});
	configureLog({ level: "warning", format: "text" }, (line) => appendFileSync(join(state.folder, "demo.log"), line));
	try {
		await buildPanel(tell, terminal.environment);
		await Promise.race([opened(demo, state, terminal), stopped]);
		await stopped;
		tell("\nStopping both nodes and their services …");
	} finally {
		await demo.close();
	}
	tell("Stopped. The next start goes on from here.");
	return 0;
}

async function opened(demo: Demo, state: DemoState, terminal: Terminal): Promise<void> {
	terminal.err("Starting North and South …\n");
	await demo.open();
	terminal.out(welcome(demo, await demo.vouchers(), state, terminal.colour));
}

function portIn({ PORT }: NodeJS.ProcessEnv): number | undefined {
	if (PORT === undefined || PORT === "") return undefined;
	if (!/^[1-9]\d{0,4}$/.test(PORT) || Number(PORT) > 65535)
		throw new Exit("usage", `PORT is ${PORT}, which is no port`);
	return Number(PORT);
}

function welcome(demo: Demo, vouchers: readonly string[], state: DemoState, colour: boolean): string {
	const strong = (text: string) => (colour ? bold(text) : text);
	const rows = providers.map(({ name }, at) => `  ${strong(name)}  ${demo.panels[at]}  voucher ${vouchers[at]}`);
	return `
Two providers are open on this machine:
${rows.join("\n")}
  The whole small world, with its mailbox: ${strong(demo.address)}

Try this:
  1. Open North and sign up with its voucher; any e-mail address will do.
  2. Give the domain choir.localhost, pick snac and Federated Wiki, start, and follow the steps.
  3. Move it: make a token at South, and paste it at North under "Move to another provider".

Everything is kept in ${state.folder}; npm start -- --fresh begins anew.
Ctrl-C stops everything.
`;
}
