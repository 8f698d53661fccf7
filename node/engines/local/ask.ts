import { request } from "node:http";
import type { Answer, Ask } from "./recipe.ts";

/** No answer may keep us longer, nor be longer than this. */
const patience = 5000;
const longest = 2 * 2 ** 20;

/**
 * Asks a service on its loopback port as the gateway would: with the host, port and scheme of its origin, whatever the
 * port it listens on. Throws when there is no whole answer in 5 s.
 */
export function askAt(origin: string, port: (name?: string) => number, signal?: AbortSignal): Ask {
	const { host, protocol } = new URL(origin);
	return (path, { method = "GET", headers = {}, body, port: name } = {}) =>
		new Promise<Answer>((done, failed) => {
			const asked = request(
				{
					host: "127.0.0.1",
					port: port(name),
					path,
					method,
					headers: {
						host,
						// Some answer nobody who does not say what they are.
						"user-agent": "Fediversity",
						"x-forwarded-proto": protocol.slice(0, -1),
						"x-forwarded-host": host,
						...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
						...headers,
					},
					agent: false,
					signal: AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]),
				},
				(answer) => {
					let text = "";
					answer.setEncoding("utf8");
					answer.on("data", (part: string) => {
						text += part;
						if (text.length > longest) answer.destroy(new Error("the answer is too long"));
					});
					answer.on("error", failed);
					answer.on("end", () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
				},
			);
			asked.on("error", failed);
			asked.end(body);
		});
}
