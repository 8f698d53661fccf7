/** Where this machine gets its packages: one suite of one archive, and the options (keys) it is written with. */
export interface Source {
	readonly options: readonly string[];
	readonly uri: string;
	readonly suite: string;
}

/** Debian 12 and later; testing and sid have no number. */
const oldestRelease = 12;

/** The codename in os-release(5) if it is a Debian we know our way in. */
export function releaseIn(osRelease: string): string | undefined {
	const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1];
	if (value("ID") !== "debian") return undefined;
	if (Number(value("VERSION_ID") ?? oldestRelease) < oldestRelease) return undefined;
	return value("VERSION_CODENAME");
}

/** The sources in one file of sources.list(5): the one-line style, or deb822 in files named `.sources`. */
export function sourcesIn(file: string, text: string): Source[] {
	return file.endsWith(".sources") ? stanzas(text) : lines(text);
}

/** The archive of Debian itself for this release; its suite takes the codename, whatever it was called. */
export function mainSource(sources: readonly Source[], codename: string): Source | undefined {
	const names = [codename, "stable", "testing", "unstable", "sid", "oldstable"];
	const found = names.map((name) => sources.find(({ suite }) => suite === name)).find(Boolean);
	return found && { ...found, suite: codename };
}

/** All of the machine's archives for this release, such as its updates and security fixes too. */
export function releaseSources(sources: readonly Source[], codename: string): Source[] {
	return sources.filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`));
}

export function oneLine({ options, uri, suite }: Source): string {
	return `deb ${options.length > 0 ? `[${options.join(" ")}] ` : ""}${uri} ${suite} main`;
}

function lines(text: string): Source[] {
	return text.split("\n").flatMap((line) => {
		const found = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line);
		if (!found || !/\bmain\b/.test(found[4] ?? "")) return [];
		return [{ options: (found[1] ?? "").split(/\s+/).filter(Boolean), uri: found[2] ?? "", suite: found[3] ?? "" }];
	});
}

function stanzas(text: string): Source[] {
	const plain = text.replaceAll(/^#.*\n?/gm, "");
	return plain.split(/\n\s*\n/).flatMap((stanza) => {
		const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(stanza)?.[1]?.trim() ?? "";
		const isOn = !/^(no|false|off|0)$/i.test(field("Enabled"));
		if (!isOn || !/\bdeb\b/.test(field("Types")) || !/\bmain\b/.test(field("Components"))) return [];
		// A key may also stand in the stanza itself; then the system's trusted keys must do.
		const key = field("Signed-By");
		const options = key.startsWith("/") ? [`signed-by=${key}`] : [];
		const [uri = ""] = field("URIs").split(/\s+/);
		return field("Suites")
			.split(/\s+/)
			.map((suite) => ({ options, uri, suite }));
	});
}
