import { join } from "node:path";
import type { Home } from "../../recipe.ts";

/**
 * What this Prosody does. People sign in by HTTP, through the gateway, which also speaks TLS for it; other servers
 * are not spoken to, since that takes a port of its own to the outside.
 */
export function configuration(home: Home): string {
	const { host, origin } = home;
	const own = (path: string) => text(join(home.state, path));
	return `-- Made by Fediversity Node, and made anew before every start.
run_as_root = true
daemonize = false
log = { info = "*console" }
data_path = ${own("data")}
certificates = ${own("certificates")}
plugin_paths = { ${text(join(home.program.folder ?? "/", "usr/lib/prosody/modules"))} }
interfaces = { "127.0.0.1" }
c2s_ports = { ${home.port("xmpp")} }
c2s_direct_tls_ports = {}
c2s_require_encryption = false
http_interfaces = { "127.0.0.1" }
http_ports = { ${home.port()} }
https_ports = {}
http_default_host = ${text(host)}
http_external_url = ${text(`${origin}/`)}
http_files_dir = ${own("pages")}
http_paths = { files = "/" }
http_cors_override = { files = { enabled = true } }
trusted_proxies = { "127.0.0.1", "::1" }
consider_bosh_secure = true
consider_websocket_secure = true
authentication = "internal_hashed"
archive_expires_after = "1y"
muc_log_expires_after = "1y"
admins = { ${text(`${home.owner.username}@${host}`)} }
modules_enabled = { ${modules.map(text).join(", ")} }
modules_disabled = { "s2s" }

VirtualHost ${text(host)}

Component ${text(`rooms.${host}`)} "muc"
	modules_enabled = { "muc_mam" }
	restrict_room_creation = "local"

Component ${text(`files.${host}`)} "http_file_share"
	http_host = ${text(host)}
`;
}

const modules = [
	...["roster", "saslauth", "disco", "private", "blocklist", "vcard4", "vcard_legacy", "pep", "bookmarks"],
	...["carbons", "mam", "smacks", "csi_simple", "ping", "time", "http_files", "bosh", "websocket"],
	...["admin_adhoc", "announce", "user_account_management"],
];

/** What its address shows, and where apps look how to connect (XEP-0156). */
export function pages(home: Home): Record<string, string> {
	const { host, origin } = home;
	const bosh = `${origin}/http-bind`;
	const socket = `${origin.replace(/^http/, "ws")}/xmpp-websocket`;
	const links = [
		{ rel: "urn:xmpp:alt-connections:xbosh", href: bosh },
		{ rel: "urn:xmpp:alt-connections:websocket", href: socket },
	];
	const inXml = links.map(({ rel, href }) => `<Link rel="${rel}" href="${href}"/>`).join("");
	return {
		"index.html": page(host, [
			`This is a chat server. Sign in with an app that speaks XMPP over the web; your address ends in @${host}.`,
			`Most apps find the way from your address. If one asks for it: ${socket} (WebSocket) or ${bosh} (BOSH).`,
			`Rooms for several people are made at rooms.${host}.`,
		]),
		".well-known/host-meta": `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">${inXml}</XRD>`,
		".well-known/host-meta.json": JSON.stringify({ links }),
	};
}

function page(host: string, sentences: readonly string[]): string {
	const style = "body{font:1.1em/1.5 system-ui;max-width:38em;margin:3em auto;padding:0 1em;color-scheme:light dark}";
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat at ${host}</title>
<style>${style} p{overflow-wrap:anywhere}</style>
<h1>Chat at ${host}</h1>
${sentences.map((sentence) => `<p>${sentence}</p>`).join("\n")}
</html>
`;
}

/** A string of Lua; what JSON escapes, Lua escapes alike. */
function text(value: string): string {
	return JSON.stringify(value);
}
