import { msg, str } from "@lit/localize";
import { locale } from "./language.ts";

const thin = "\u202f";
const steps = ["B", "kB", "MB", "GB", "TB"];

/** `18.2 GB`, three digits at most. */
export function bytes(count: number): string {
	const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), steps.length - 1);
	return `${number(count / 1000 ** step, step === 0 ? 0 : 3)}${thin}${steps[step]}`;
}

/** The same from MiB, as vouchers and services count: `10 GiB`. */
export function mebibytes(count: number): string {
	return count >= 1024 ? `${number(count / 1024, 3)}${thin}GiB` : `${number(count, 3)}${thin}MiB`;
}

/** A number as the reader writes it, with so many digits that matter. */
export function number(value: number, digits = 3): string {
	return new Intl.NumberFormat(locale(), digits ? { maximumSignificantDigits: digits } : {}).format(value);
}

/** `3 min 10 s`, `0.4 s`, `2 h 5 min`, `3 days`: two units at most. */
export function duration(seconds: number): string {
	if (seconds < 0.1) return `< ${number(0.1)}${thin}s`;
	if (seconds < 10) return `${number(Math.max(0, seconds), seconds < 1 ? 1 : 2)}${thin}s`;
	if (seconds < 60) return `${number(Math.round(seconds))}${thin}s`;
	if (seconds < 3600) return pair(seconds, 60, "min", 1, "s");
	if (seconds < 86_400) return pair(seconds, 3600, "h", 60, "min");
	return inUnit(Math.round(seconds / 86_400), "day");
}

/** `12 ms`, for what is over at once; else as {@link duration}. */
export function instant(milliseconds: number): string {
	return milliseconds < 1000 ? `${number(Math.ceil(milliseconds))}${thin}ms` : duration(milliseconds / 1000);
}

/** `a few seconds`, `about 40 seconds`, `about 2 minutes`: as exact as a guess may be. */
export function roughly(seconds: number): string {
	if (seconds < 8) return msg("a few seconds");
	if (seconds < 55) return about(Math.ceil(seconds / 10) * 10, "second");
	if (seconds < 55 * 60) return about(Math.round(seconds / 60) || 1, "minute");
	return about(Math.round(seconds / 3600) || 1, "hour");
}

/** `30 days`, in the reader's language. */
export function inUnit(count: number, unit: "second" | "minute" | "hour" | "day"): string {
	return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(count);
}

function about(count: number, unit: "second" | "minute" | "hour"): string {
	return msg(str`about ${inUnit(count, unit)}`);
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
	const smalls = Math.round(seconds / small);
	const [whole, rest] = [Math.floor((smalls * small) / large), smalls % (large / small)];
	return rest === 0 ? `${whole}${thin}${largeName}` : `${whole}${thin}${largeName} ${rest}${thin}${smallName}`;
}
