import type { SecureContext, SecureContextOptions, TlsOptions } from "node:tls";
import type { Visit } from "./courier.ts";

/** The certificates of the hosts that are reached here. */
export interface Secure {
	/** Name of the host whose certificate is shown to who names none that there is one for. */
	readonly fallback: string;
	/** The certificate for a host, with its key. */
	contextFor(host: string): Promise<SecureContext | undefined>;
}

/** Certificate authorities come here without TLS. */
const challenges = "/.well-known/acme-challenge/";

/** How a server shows the certificate of whom the client names (RFC 6066 §3). Without any the handshake fails. */
export function secureOptions(secure: Secure): TlsOptions & SecureContextOptions {
	return {
		minVersion: "TLSv1.2",
		ALPNProtocols: ["http/1.1"],
		SNICallback(name, done) {
			contextFor(secure, name.toLowerCase()).then(
				(context) => (context ? done(null, context) : done(new Error(`There is no certificate for ${name}`))),
				done,
			);
		},
	};
}

/**
 * Sends who asks for a page without TLS to the same address with it, if there is a certificate for that host; says
 * whether it has. What another node hands on stays: it would come back the same way.
 */
export async function leadsToTls({ request, response, head }: Visit, secure: Secure): Promise<boolean> {
	if (head.proto === "https" || request.headers.via !== undefined) return false;
	if ((request.method !== "GET" && request.method !== "HEAD") || head.webSocket) return false;
	if (head.path.startsWith(challenges) || !(await secure.contextFor(head.host))) return false;
	response.writeHead(308, { location: `https://${head.host}${head.path}`, "content-length": 0 }).end();
	return true;
}

async function contextFor(secure: Secure, name: string): Promise<SecureContext | undefined> {
	return (await secure.contextFor(name)) ?? secure.contextFor(secure.fallback);
}
