import { day, moment } from "./times.ts";

const titles = new Map<string, string>();

/** Tells what services are called, so that a parameter `snac` reads as its makers write it. */
export function nameServices(services: readonly { name: string; title: string }[]): void {
	for (const { name, title } of services) titles.set(name, title);
}

/** What a service is called; one that is not in the catalogue keeps its short name. */
export function serviceTitle(name: string): string {
	return titles.get(name) ?? name;
}

/** The name of a node in the DNS, with its port if it has one of its own. */
export function hostOf(origin: string): string {
	return URL.parse(origin)?.host ?? origin;
}

/** Parameters as people read them: moments and days in their zone and language, services by their titles. */
export function readable(params: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, asRead(value)]));
}

function asRead(value: string): string {
	if (/^\d{4}-\d\d-\d\dT/.test(value)) return moment(value);
	if (/^\d{4}-\d\d-\d\d$/.test(value)) return day(value);
	return value.split(", ").map(serviceTitle).join(", ");
}
