/** A machine of the provider's on which services run. */
export interface Machine {
	/** As staff calls it. */
	readonly id: string;
	/** Where this node reaches it: a host name or an IP address. */
	readonly address: string;
	/** Where everybody else does; null: there too. */
	readonly publicAddress: string | null;
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

/** As somebody has typed it. */
export type Typed = Pick<Machine, "id" | "address" | "publicAddress" | "user">;

/** What is wrong with a machine as it was typed, by field; empty: nothing that can be seen from here. */
export function mistakesIn({ id, address, publicAddress, user }: Typed): Record<string, string> {
	const noAddress = "Write a host name or an IP address, such as 192.0.2.7";
	return {
		...(!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(id) && {
			id: "Use small letters, digits and hyphens, 40 at most, such as one",
		}),
		...(!isAddress(address) && { address: noAddress }),
		...(publicAddress !== null && !isAddress(publicAddress) && { publicAddress: noAddress }),
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
