import { locale } from "./language.ts";

/** `09:14:02`, in the reader's zone. */
export function clockTime(at: string | number): string {
	return format(at, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** `22 November`, with the year where it is another. */
export function day(at: string | number, now = Date.now()): string {
	const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
	return format(at, { day: "numeric", month: "long", ...(!sameYear && { year: "numeric" }) });
}

/** `22 November, 09:14`; today only the time. */
export function moment(at: string | number, now = Date.now()): string {
	const time = format(at, { hour: "2-digit", minute: "2-digit" });
	return new Date(at).toDateString() === new Date(now).toDateString() ? time : `${day(at, now)}, ${time}`;
}

/** The exact moment with its zone, for those who hover. */
export function exactly(at: string | number): string {
	return format(at, { dateStyle: "full", timeStyle: "long" });
}

/** `2 minutes ago`, `in 3 days`. */
export function fromNow(at: string | number, now = Date.now()): string {
	const seconds = (new Date(at).getTime() - now) / 1000;
	const [count, unit] = largest(seconds);
	return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(count, unit);
}

function largest(seconds: number): [number, Intl.RelativeTimeFormatUnit] {
	const size = Math.abs(seconds);
	if (size < 50) return [Math.round(seconds), "second"];
	if (size < 50 * 60) return [Math.round(seconds / 60), "minute"];
	if (size < 22 * 3600) return [Math.round(seconds / 3600), "hour"];
	return [Math.round(seconds / 86_400), "day"];
}

function format(at: string | number, options: Intl.DateTimeFormatOptions): string {
	return new Intl.DateTimeFormat(locale(), options).format(new Date(at));
}
