import { msg, str } from "@lit/localize";

const browsers = [
	["Firefox", /Firefox\//],
	["Edge", /Edg\//],
	["Opera", /OPR\//],
	["Chrome", /Chrome\/|CriOS\//],
	["Safari", /Safari\//],
	["curl", /^curl\//],
] as const;

const systems = [
	["Android", /Android/],
	["iPhone", /iPhone/],
	["iPad", /iPad/],
	["Windows", /Windows/],
	["macOS", /Mac OS X/],
	["Linux", /Linux|X11/],
] as const;

/** A browser as people know it, from what it says of itself: "Firefox on Windows". Good enough to recognise one's own. */
export function agentName(agent: string): string {
	const found = (list: readonly (readonly [string, RegExp])[]) => list.find(([, pattern]) => pattern.test(agent))?.[0];
	const [browser, system] = [found(browsers), found(systems)];
	if (browser && system) return msg(str`${browser} on ${system}`);
	return browser ?? system ?? (agent.slice(0, 60) || msg("An unknown program"));
}
