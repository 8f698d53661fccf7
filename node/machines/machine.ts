/** A machine of the provider's on which services run. */
export interface Machine {
	/** As staff calls it. */
	readonly id: string;
	/** A host name or an IP address. */
	readonly address: string;
	/** Of its sshd. */
	readonly port: number;
	readonly user: string;
	/** The only one it is known by, as known_hosts has it: `ssh-ed25519 AAAA…`. */
	readonly hostKey: string;
	/** As Nix calls it, such as `x86_64-linux`. */
	readonly system: string;
	/** What it has for services. */
	readonly memoryMiB: number;
	readonly diskGiB: number;
	/** A draining machine keeps what it carries and takes nothing more. */
	readonly state: "open" | "draining";
	readonly createdAt: number;
}

/** A machine, and whose it is for now. */
export interface Carrying extends Machine {
	readonly deployment: string | null;
}

/** What a deployment asks of its machine. */
export interface Needs {
	readonly memoryMiB: number;
	readonly diskMiB: number;
	readonly system: string;
}

/** What is wrong with a machine as somebody has typed it, by field; empty: nothing that can be seen from here. */
export function mistakesIn({ id, address, user }: Pick<Machine, "id" | "address" | "user">): Record<string, string> {
	return {
		...(!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(id) && {
			id: "Use small letters, digits and hyphens, 40 at most, such as one",
		}),
		...(!isAddress(address) && { address: "Write a host name or an IP address, such as 192.0.2.7" }),
		...(!/^[a-z_][a-z0-9_-]{0,31}$/.test(user) && { user: "Write the name of a user on that machine, such as root" }),
	};
}

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const hostName = new RegExp(`^${label}(\\.${label})*$`, "i");

/** Host names, IPv4 and IPv6 addresses; nothing that a program could take for an option or a pattern. */
export function isAddress(text: string): boolean {
	if (text.includes(":")) return /^[0-9a-f:.]{2,45}$/i.test(text);
	return text.length <= 253 && hostName.test(text);
}
