/** Test equipment: a network namespace at the end of a wire. Needs root and iproute2. */
import { execFileSync } from "node:child_process";

/** Makes the namespace; the near end of the wire has its name, is in nothing and not up, the far end is called `line`. */
export function layWire(space: string, address: string): void {
	run(`ip netns add ${space}`);
	run(`ip link add ${space} type veth peer name line netns ${space}`);
	run(`ip -n ${space} addr add ${address} dev line`);
	for (const link of ["line", "lo"]) run(`ip -n ${space} link set ${link} up`);
}

export function run(command: string): void {
	const [program = "", ...args] = command.split(" ");
	execFileSync(program, args, { stdio: "ignore" });
}

/** Whether it can be done here. */
export function tried(work: () => void): boolean {
	try {
		work();
		return true;
	} catch {
		return false;
	}
}
