import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const known = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome"];

/** The browser of this machine, if it has one. */
export const executable = known.find((path) => existsSync(path));

/** Pictures have to be the same wherever they are taken. */
export const viewer = { locale: "en-GB", timezoneId: "Europe/Oslo", colorScheme: "light" } as const;

export function openBrowser(): Promise<Browser> {
	return chromium.launch({ executablePath: executable as string });
}
