import { Problem } from "#protocol/problem.ts";
import type { Agent } from "../agent/agent.ts";
import type { Description } from "../agent/look.ts";
import { bad, type Finding, good, warning } from "../doctor/finding.ts";
import type { Carrying } from "./machine.ts";

/** Less than this part of the disk should not be free. */
const leastFreeDisk = 0.1;
/** What is left of the memory that a machine is said to have once its own system has some, at least. */
const usualMemory = 0.9;

/** Goes to a machine and says what is wrong there, and what to do. Never throws what a person can mend. */
export async function check(machine: Carrying, agent: Agent, version: string): Promise<Finding[]> {
	try {
		const start = performance.now();
		const description = await agent.describe();
		const milliseconds = Math.round(performance.now() - start);
		const reached = good(
			"reached",
			`${machine.user}@${machine.address} answers in ${milliseconds} ms, with its own host key`,
		);
		return [reached, ...looked(machine, description, version)];
	} catch (error) {
		if (!(error instanceof Problem)) throw error;
		return [bad("reached", error.message, fixes[error.code] ?? "Look at its log: journalctl -u sshd")];
	}
}

const fixes: Readonly<Record<string, string>> = {
	"machine-silent": "Start the machine, and its sshd, and let this node through its firewall",
	"machine-refused":
		"Put what fediversity machine key prints into authorized_keys of root there (fediversity.access.deployKeys)",
	"machine-key-changed": "If the machine was set up anew, remove it and add it again; else somebody is in between",
	"machine-agent": "Switch the machine to a system that imports our machine module (specs/nixos.md)",
	"program-missing": "Install OpenSSH's client on this machine, such as openssh-client",
	"took-too-long": "See what keeps the machine busy",
};

function looked(machine: Carrying, there: Description, version: string): Finding[] {
	const others = Object.keys(there.services).filter((name) => name.split("/")[0] !== machine.deployment);
	return [
		there.version === version
			? good("agent", `The agent has this node's version, ${version}`)
			: warning(
					"agent",
					`The agent has version ${there.version}, this node ${version}`,
					"Switch the machine to this version",
				),
		there.system === machine.system
			? good("system", machine.system)
			: bad("system", `It is ${there.system} and not ${machine.system}`, "Remove it and add it again as what it is"),
		there.memoryMiB >= machine.memoryMiB * usualMemory
			? good("memory", `${there.freeMemoryMiB} of ${there.memoryMiB} MiB are free`)
			: warning("memory", `It has ${there.memoryMiB} MiB, and the pool counts on ${machine.memoryMiB}`, again),
		there.diskGiB >= machine.diskGiB
			? disk(there)
			: warning("disk", `It has ${there.diskGiB} GiB, and the pool counts on ${machine.diskGiB}`, again),
		others.length === 0
			? good("services", Object.keys(there.services).join(", ") || "It declares none")
			: warning("services", `It still declares ${others.join(", ")}`, "Switch the machine to a system without them"),
	];
}

const again = "Remove it and add it again with what it has";

function disk({ diskGiB, freeDiskGiB }: Description): Finding {
	const said = `${freeDiskGiB} of ${diskGiB} GiB are free`;
	if (freeDiskGiB >= diskGiB * leastFreeDisk) return good("disk", said);
	return warning("disk", said, "Free some space (nix-collect-garbage), or give it a larger disk");
}
