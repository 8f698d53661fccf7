/** One DNS record with its full name, without a dot at the end. */
export interface DnsRecord {
	readonly type: "A" | "AAAA" | "CNAME" | "TXT";
	readonly name: string;
	readonly value: string;
	/** Seconds. */
	readonly ttl: number;
}

/** A part of the DNS that this provider may write, such as the zone it gives its customers names in. */
export interface Zone {
	/** The zone's own name, such as `localhost` or `north.example`. */
	readonly name: string;
	/** Which server answers for it, `address:port`, for people. */
	readonly server: string;
	/**
	 * Makes the RRsets of these names and types be exactly these records, all or none; what cannot stand beside them
	 * (a CNAME, addresses of the other family, anything beside a new CNAME) goes. Doing it again changes nothing.
	 * With `unless`, only if that TXT name holds nothing, or holds `unless.mine` alone (compare-and-swap, RFC 2136 §2.4);
	 * otherwise throws Problem `domain-elsewhere`. Throws `zone-refused` and `zone-silent` too, as all of these do.
	 */
	set(records: readonly DnsRecord[], unless?: { name: string; mine: string }): Promise<void>;
	/**
	 * Removes exactly these records where they stand; those already gone are no error.
	 * With `unless`, only while that TXT name holds `unless.mine` alone; otherwise nothing there is ours to remove.
	 */
	remove(records: readonly DnsRecord[], unless?: { name: string; mine: string }): Promise<void>;
	/** The zone's answer now: the values of one RRset, names in small letters. */
	look(name: string, type: DnsRecord["type"]): Promise<string[]>;
}
