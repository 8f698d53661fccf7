import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";

const log = getLogger(["fediversity", "web"]);

/**
 * The one place where an error becomes an answer (RFC 9457). What we did not expect is a bug: the caller gets a number,
 * the log gets that number with the error, and nothing of the error leaves the node.
 */
export function answerError(error: unknown, request: string, headers: Record<string, string>): Response {
	const problem = error instanceof Problem ? error : ourFault(error, request);
	return new Response(JSON.stringify(problem), {
		status: problem.status,
		headers: { ...headers, ...waiting(problem), "content-type": "application/problem+json" },
	});
}

function ourFault(error: unknown, request: string): Problem {
	log.error("Request {request} broke: {error}", { request, error });
	return new Problem("our-fault", { id: request });
}

/** `Retry-After`, and the same for programs (draft-ietf-httpapi-ratelimit-headers). */
function waiting({ code, params }: Problem): Record<string, string> {
	if (code === "method-wrong") return { allow: params["allowed"] ?? "" };
	if (code === "key-busy") return { "retry-after": "1" };
	if (code !== "too-many" || !params["seconds"]) return {};
	const policy = params["policy"] ?? "default";
	return { "retry-after": params["seconds"], ratelimit: `"${policy}";r=0;t=${params["seconds"]}` };
}
