import { marker } from "./unit.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where certificates lie and by which proxy one gets out. */
const wayOut = /^(https?_proxy|no_proxy|SSL_CERT_(FILE|DIR))$/i;

/**
 * What services find in their environment: the search path and the way out, nothing else of the node's. Names under
 * .localhost are this machine (RFC 6761 §6.3), so no proxy is asked for them.
 */
export function serviceEnvironment(node: Environment): Record<string, string> {
	const kept = given(node).filter(([name]) => wayOut.test(name));
	const hasProxy = kept.some(([name]) => /^https?_proxy$/i.test(name));
	const except = [node["no_proxy"] ?? node["NO_PROXY"], "localhost", ".localhost", "127.0.0.1"]
		.filter(Boolean)
		.join(",");
	return {
		PATH: searchPath(node),
		LANG: "C.UTF-8",
		...Object.fromEntries(kept),
		...(hasProxy && { no_proxy: except }),
	};
}

/**
 * What programs that fetch others find: the node's environment, since registries and mirrors are set there, without
 * the node's own settings and what a npm that started the node told about itself.
 */
export function workshopEnvironment(node: Environment): Record<string, string> {
	const foreign = given(node).filter(
		([name]) => !/^(FEDIVERSITY_|npm_(lifecycle|package|config_local_prefix))/i.test(name),
	);
	return { ...Object.fromEntries(foreign), PATH: searchPath(node) };
}

/** Marks programs that run only for a moment: no plan wants them, so those left by a killed node are ended. */
export function passingMarker(nodeId: string): Record<string, string> {
	return { [marker]: `${nodeId}/~passing` };
}

/** Under systemd and in containers the path may lack the folders where mount(8) and the like are. */
function searchPath(node: Environment): string {
	const usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
	return [...new Set([...(node["PATH"] ?? "").split(":"), ...usual])].filter(Boolean).join(":");
}

function given(environment: Environment): [string, string][] {
	return Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
