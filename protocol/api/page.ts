import { z } from "zod";

/** Lists come in pages: `after` is the `next` of the page before. */
export const PageQuery = z.strictObject({
	after: z.string().max(200).optional(),
	limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
	z.object({ items: z.array(item), next: z.string().nullable() });

export interface Page<Item> {
	items: Item[];
	next: string | null;
}

/** A moment, as RFC 3339 in UTC. */
export const Moment = z.iso.datetime();
export const Id = z.string().min(1).max(64);
