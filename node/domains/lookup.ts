import type { DnsRecord } from "./zone.ts";

/** What one server says of one name and type. */
export interface Said {
	/** The server, for people. */
	readonly server: string;
	/** Ms since 1970. */
	readonly at: number;
	/** Its values, none if the name has none of this type; null: it did not answer, or not with authority. */
	readonly values: readonly string[] | null;
}

/** Asks those who must know: the servers that are responsible for a name. */
export interface Lookup {
	/** What each of them says; nobody: it could not be found out who is responsible. Never throws for what DNS does. */
	ask(name: string, type: DnsRecord["type"]): Promise<readonly Said[]>;
}
