import { Command, InvalidArgumentError } from "commander";
import type { Client } from "#protocol/client.ts";
import { configuration } from "./configuration.ts";
import type { DemoWishes } from "./demo.ts";
import type { Terminal } from "./terminal.ts";

const examples = `
Examples:
  fediversity demo                                     two providers on this machine, to try things out
  fediversity serve --config /etc/fediversity/node.toml
  fediversity voucher create --services snac,wiki --days 14
  fediversity job list --json | jq '.[] | select(.state == "stuck")'
  fediversity peer add https://south.example
  fediversity machine add one 192.0.2.7 --memory-mib 16384 --disk-gib 400
  fediversity receipt verify receipt.json
  fediversity doctor

The configuration is --config FILE, else the file that FEDIVERSITY_CONFIG names, else variables such as FEDIVERSITY_WEB_URL.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the node is not running, 78 the configuration is wrong.
`;

/** What most commands are given. */
interface Given {
	config?: string;
	json?: boolean;
	yes?: boolean;
}

/** The whole command line. Each action loads what it needs when it runs; resolves when its work is done. */
export function program(terminal: Terminal, version: string): Command {
	const top = new Command("fediversity")
		.description("Hosts Fediverse services for customers: run a node, and look after it")
		.version(version)
		.option("--no-color", "no colours (NO_COLOR does the same)")
		.addHelpText("after", examples)
		.exitOverride()
		.configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
	withConfig(top.command("serve").description("run the node until it is stopped")).action(async (given: Given) => {
		const { serve } = await import("./serve.ts");
		process.exit(await serve(configuration(given.config, terminal.environment)));
	});
	addDemo(top, terminal);
	addVoucher(top.command("voucher").description("what customers redeem to open an account and deploy"), terminal);
	addCustomer(top.command("customer").description("who has an account here"), terminal);
	addDeployment(top.command("deployment").description("a customer's services under one domain"), terminal);
	addJob(top.command("job").description("long pieces of work: deploying, restarting, removing"), terminal);
	addPeer(top.command("peer").description("other nodes: who is known, and what is taken from whom"), terminal);
	addMove(
		top.command("move").description("offers that wait for staff where migrations.by_hand is set, and moves under way"),
		terminal,
	);
	addMachine(top.command("machine").description("where services run, where engine.kind is nixops4"), terminal);
	addReceipt(top.command("receipt").description("what two nodes signed while a deployment moved"), terminal);
	addDoctor(top, terminal);
	// main.ts takes it before it comes here, unless somebody asks what it is.
	top.command("provider").description("answer NixOps4, which starts this itself in a node's runs");
	return top;
}

function addDemo(top: Command, terminal: Terminal) {
	top
		.command("demo")
		.description("open two providers, North and South, on this machine")
		.option("--fresh", "begin anew: end what still runs, erase what was there")
		.option(
			"--port <port>",
			"the one port everything is behind (PORT does the same; else 8080 or the next free one)",
			port,
		)
		.option("--state <folder>", "where everything is kept", ".state/demo")
		.action(async (wishes: DemoWishes) => {
			const { demo } = await import("./demo.ts");
			process.exit(await demo(wishes, terminal));
		});
}

function addVoucher(group: Command, terminal: Terminal) {
	onNode(group.command("create").description("make one; its code is printed this once"))
		.option("--services <names>", "only these, with commas between; else all that this node can run", names)
		.option("--days <days>", "how long it can be redeemed; else 30", whole)
		.option("--uses <times>", "how often; else once", whole)
		.option("--disk-mib <MiB>", "disk space of a deployment; else 10240", whole)
		.option("--note <text>", "for yourself")
		.action(async ({ config, json = false, ...wishes }) => {
			const { createVoucher } = await import("./voucher.ts");
			await createVoucher(await nodeOf({ config }, terminal), terminal, json, wishes);
		});
	onNode(group.command("list").description("all of them")).action(async ({ json = false, ...given }) => {
		const { listVouchers } = await import("./voucher.ts");
		await listVouchers(await nodeOf(given, terminal), terminal, json);
	});
	sure(onNode(group.command("withdraw <id>").description("nobody can redeem it any more"))).action(
		async (id: string, { json = false, yes = false, ...given }: Given) => {
			const { withdrawVoucher } = await import("./voucher.ts");
			await withdrawVoucher(await nodeOf(given, terminal), terminal, id, yes, json);
		},
	);
}

function addCustomer(group: Command, terminal: Terminal) {
	onNode(group.command("list").description("all of them")).action(async ({ json = false, ...given }) => {
		const { listCustomers } = await import("./customer.ts");
		await listCustomers(await nodeOf(given, terminal), terminal, json);
	});
	sure(
		onNode(group.command("reset-password <id-or-e-mail>").description("give a new password; ends all sessions")),
	).action(async (who: string, { json = false, yes = false, ...given }: Given) => {
		const { resetPassword } = await import("./customer.ts");
		await resetPassword(await nodeOf(given, terminal), terminal, who, yes, json);
	});
	addStaff(group, terminal);
}

/** Only here, never over the web: who may do what staff does. */
function addStaff(group: Command, terminal: Terminal) {
	const command = group.command("staff <id-or-e-mail>").description("let an account do in the panel what staff does");
	sure(onNode(command))
		.option("--on", "from now on")
		.option("--off", "no longer")
		.action(async (who: string, { json = false, yes = false, on, off, ...given }) => {
			if (Boolean(on) === Boolean(off)) command.error("error: say either --on or --off");
			const { setStaff } = await import("./customer.ts");
			await setStaff(await nodeOf(given, terminal), terminal, { json, yes }, who, Boolean(on));
		});
}

function addDeployment(group: Command, terminal: Terminal) {
	const command = group.command("repair <id-or-domain>");
	onNode(command.description("set up again what is not as it should be; what the services hold stays")).action(
		async (which: string, { json = false, ...given }: Given) => {
			const { repairDeployment } = await import("./deployment.ts");
			await repairDeployment(await nodeOf(given, terminal), terminal, json, which);
		},
	);
}

function addJob(group: Command, terminal: Terminal) {
	onNode(group.command("list").description("the newest first"))
		.option("--limit <number>", "how many, up to 200", whole, 50)
		.action(async ({ json = false, limit, ...given }) => {
			const { listJobs } = await import("./job.ts");
			await listJobs(await nodeOf(given, terminal), terminal, json, limit);
		});
	onNode(group.command("show <id>").description("its steps")).action(async (id: string, { json = false, ...given }) => {
		const { showJob } = await import("./job.ts");
		await showJob(await nodeOf(given, terminal), terminal, json, id);
	});
	sure(onNode(group.command("cancel <id>").description("stop it and undo what it did"))).action(
		async (id: string, { json = false, yes = false, ...given }: Given) => {
			const { cancelJob } = await import("./job.ts");
			await cancelJob(await nodeOf(given, terminal), terminal, json, id, yes);
		},
	);
	onNode(group.command("retry <id>").description("try stuck or undone work again")).action(
		async (id: string, { json = false, ...given }: Given) => {
			const { retryJob } = await import("./job.ts");
			await retryJob(await nodeOf(given, terminal), terminal, json, id);
		},
	);
}

function addPeer(group: Command, terminal: Terminal) {
	onNode(group.command("add <origin>").description("look at a node such as https://south.example, and know it")).action(
		async (origin: string, { json = false, ...given }: Given) => {
			const { addPeer } = await import("./peer.ts");
			await addPeer(await nodeOf(given, terminal), terminal, json, origin);
		},
	);
	onNode(group.command("list").description("all of them")).action(async ({ json = false, ...given }) => {
		const { listPeers } = await import("./peer.ts");
		await listPeers(await nodeOf(given, terminal), terminal, json);
	});
	for (const [verb, wishes] of Object.entries(peerVerbs))
		onNode(group.command(`${verb} <origin>`).description(wishes.says)).action(
			async (origin: string, { json = false, ...given }: Given) => {
				const { changePeer } = await import("./peer.ts");
				const { says: _, ...change } = wishes;
				await changePeer(await nodeOf(given, terminal), terminal, json, origin, change);
			},
		);
	onNode(
		group.command("limit <origin>").description("how much it may send; without a number, as the configuration says"),
	)
		.option("--moves <number>", "moves at a time", whole)
		.option("--gib-a-day <GiB>", "how much in a day", whole)
		.action(async (origin: string, { json = false, moves, gibADay, ...given }) => {
			const { changePeer } = await import("./peer.ts");
			const bytes = gibADay === undefined ? null : gibADay * 1024 ** 3;
			const change = { mostMoves: moves ?? null, mostBytes: bytes, said: "has new limits" };
			await changePeer(await nodeOf(given, terminal), terminal, json, origin, change);
		});
	sure(onNode(group.command("confirm <origin>").description("know it by the new key that it shows"))).action(
		async (origin: string, { json = false, yes = false, ...given }: Given) => {
			const { confirmPeer } = await import("./peer.ts");
			await confirmPeer(await nodeOf(given, terminal), terminal, json, origin, yes);
		},
	);
	onNode(group.command("remove <origin>").description("forget it")).action(
		async (origin: string, { json = false, ...given }: Given) => {
			const { removePeer } = await import("./peer.ts");
			await removePeer(await nodeOf(given, terminal), terminal, json, origin);
		},
	);
}

/** What can be said of a node with one word. */
const peerVerbs = {
	allow: { says: "take its deployments where migrations.accept is listed", standing: "allowed", said: "is allowed" },
	block: { says: "take nothing from it, and let nobody move there", standing: "blocked", said: "is blocked" },
	unblock: { says: "treat it as any other again", standing: "usual", said: "is treated as any other" },
	hide: { says: "do not name it to other nodes", hidden: true, said: "is not named to others" },
	show: { says: "name it to other nodes again", hidden: false, said: "is named to others" },
} as const;

function addMove(group: Command, terminal: Terminal) {
	onNode(group.command("list").description("all of them")).action(async ({ json = false, ...given }) => {
		const { listMoves } = await import("./move.ts");
		await listMoves(await nodeOf(given, terminal), terminal, json);
	});
	onNode(group.command("accept <id>").description("let it in")).action(
		async (id: string, { json = false, ...given }: Given) => {
			const { acceptMove } = await import("./move.ts");
			await acceptMove(await nodeOf(given, terminal), terminal, json, id);
		},
	);
	onNode(group.command("thaw <domain>").description("let services serve again that rest while they move away")).action(
		async (domain: string, { json = false, ...given }: Given) => {
			const { thawMove } = await import("./move.ts");
			await thawMove(await nodeOf(given, terminal), terminal, json, domain);
		},
	);
	sure(onNode(group.command("refuse <id>").description("do not let it in"))).action(
		async (id: string, { json = false, yes = false, ...given }: Given) => {
			const { refuseMove } = await import("./move.ts");
			await refuseMove(await nodeOf(given, terminal), terminal, json, id, yes);
		},
	);
}

function addMachine(group: Command, terminal: Terminal) {
	onNode(group.command("key").description("print the key of this node, for authorized_keys of a machine")).action(
		async ({ json = false, ...given }: Given) => {
			const { printKey } = await import("./machine.ts");
			await printKey(await nodeOf(given, terminal), terminal, json);
		},
	);
	sure(onNode(group.command("add <name> <address>").description("take a machine into the pool")))
		.requiredOption("--memory-mib <MiB>", "what it has for services", whole)
		.requiredOption("--disk-gib <GiB>", "what it has for services", whole)
		.option("--public-address <address>", "where everybody but this node reaches it; else there too")
		.option("--port <port>", "of its sshd; else 22", port)
		.option("--user <name>", "who signs in there; else root")
		.option("--system <system>", "x86_64-linux or aarch64-linux; else the first of these")
		.option("--host-key <key>", "such as 'ssh-ed25519 AAAA…'; else it is asked for, and you compare its fingerprint")
		.action(async (id: string, address: string, { config, json = false, yes = false, ...wishes }) => {
			const { addMachine } = await import("./machine.ts");
			await addMachine(await nodeOf({ config }, terminal), terminal, { json, yes }, { id, address, ...wishes });
		});
	onNode(group.command("list").description("all of them")).action(async ({ json = false, ...given }: Given) => {
		const { listMachines } = await import("./machine.ts");
		await listMachines(await nodeOf(given, terminal), terminal, json);
	});
	onNode(group.command("check <name>").description("go there, and say what is wrong and how to mend it")).action(
		async (id: string, { json = false, ...given }: Given) => {
			const { checkMachine } = await import("./machine.ts");
			process.exitCode = await checkMachine(await nodeOf(given, terminal), terminal, json, id);
		},
	);
	for (const [verb, state, says] of [
		["drain", "draining", "it keeps what it carries and takes nothing more"],
		["open", "open", "let a machine that drains take deployments again"],
	] as const)
		onNode(group.command(`${verb} <name>`).description(says)).action(
			async (id: string, { json = false, ...given }: Given) => {
				const { setMachineState } = await import("./machine.ts");
				await setMachineState(await nodeOf(given, terminal), terminal, json, id, state);
			},
		);
	onNode(
		group
			.command("public <name> [address]")
			.description("say where everybody but this node reaches it; else there too"),
	).action(async (id: string, address: string | undefined, { json = false, ...given }: Given) => {
		const { setPublicAddress } = await import("./machine.ts");
		await setPublicAddress(await nodeOf(given, terminal), terminal, json, id, address);
	});
	sure(onNode(group.command("remove <name>").description("forget one that carries nothing"))).action(
		async (id: string, { json = false, yes = false, ...given }: Given) => {
			const { removeMachine } = await import("./machine.ts");
			await removeMachine(await nodeOf(given, terminal), terminal, json, id, yes);
		},
	);
}

function addReceipt(group: Command, terminal: Terminal) {
	group
		.command("verify <file>")
		.description("check one without any network; - reads standard input")
		.option("--json", "for programs")
		.action(async (file: string, { json = false }: Given) => {
			const { checkReceipt } = await import("./receipt.ts");
			process.exitCode = await checkReceipt(file, terminal, json);
		});
}

function addDoctor(top: Command, terminal: Terminal) {
	const command = top.command("doctor").description("look for what is wrong here, and say how to mend it");
	onNode(command).action(async ({ json = false, ...given }: Given) => {
		const { doctor } = await import("./doctor.ts");
		process.exitCode = await doctor(given.config, terminal, json);
	});
}

function withConfig(command: Command): Command {
	return command.option("-c, --config <file>", "the node's TOML file");
}

function onNode(command: Command): Command {
	return withConfig(command).option("--json", "for programs");
}

function sure(command: Command): Command {
	return command.option("-y, --yes", "do not ask");
}

async function nodeOf(given: Given, terminal: Terminal): Promise<Client> {
	const { operator } = configuration(given.config, terminal.environment);
	const { runningNode } = await import("./running-node.ts");
	return runningNode(operator.socket);
}

function whole(text: string): number {
	if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
	return Number(text);
}

function port(text: string): number {
	if (whole(text) > 65535) throw new InvalidArgumentError("It must be a port from 1 to 65535.");
	return Number(text);
}

function names(text: string): string[] {
	return text.split(",").flatMap((name) => name.trim() || []);
}
