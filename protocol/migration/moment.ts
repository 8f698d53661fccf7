/** Times in documents: UTC to the second, such as `2026-11-22T16:00:00Z` (RFC 3339), in one spelling. */
import { z } from "zod";

export const Moment = z.iso.datetime({ precision: 0 });

/** Milliseconds since 1970 as documents write it; what is less than a second is left out. */
export function toMoment(milliseconds: number): string {
	return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

export function fromMoment(moment: string): number {
	return Date.parse(moment);
}
