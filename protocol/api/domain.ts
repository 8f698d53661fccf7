import { z } from "zod";
import { Moment } from "./page.ts";

export const DomainName = z.string().min(1).max(1000);
export const DomainRequest = z.strictObject({ domain: DomainName });

/** One DNS record to set, and what the authoritative server says of it now. */
export const RecordView = z
	.object({
		type: z.enum(["A", "AAAA", "CNAME", "TXT"]),
		name: z.string(),
		value: z.string(),
		ttl: z.number().int(),
		/** Why it is needed: the service's name, or `ownership`. */
		purpose: z.string(),
		state: z.enum(["right", "missing", "wrong", "unknown"]),
		/** What the server answered instead. */
		seen: z.array(z.string()),
		/** Which server was asked. */
		server: z.string().nullable(),
		checkedAt: Moment.nullable(),
	})
	.meta({ id: "DnsRecord" });

export const DomainView = z
	.object({
		/** As DNS has it (ASCII, RFC 5891). */
		domain: z.string(),
		/** As people write it. */
		unicode: z.string(),
		/** True when this provider holds the zone and sets the records itself. */
		managed: z.boolean(),
		deployment: z.string().nullable(),
		addedAt: Moment,
	})
	.meta({ id: "Domain" });

export const RecordsQuery = z.strictObject({ services: z.string().max(400).default("") });
export const RecordsView = z
	.object({ domain: z.string(), managed: z.boolean(), ready: z.boolean(), records: z.array(RecordView) })
	.meta({ id: "DnsRecords" });
