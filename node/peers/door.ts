/** What any node may read here: the offer sheet, and whom this node knows. Answers for `/migrate/sheet` and `/migrate/peers`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getLogger } from "@logtape/logtape";
import type { SignedSheet } from "#protocol/migration/sheet.ts";
import { Problem } from "#protocol/problem.ts";

export interface SheetDoorParts {
	sheet(): Promise<SignedSheet>;
	/** Origins of other nodes. */
	named(): readonly string[];
	/** Whether others may show this node to their customers; if not there is no sheet. */
	readonly listed: boolean;
}

/** Others ask every few hours; what they are given may be some minutes old. */
const caching = "public, max-age=300";
const log = getLogger(["fediversity", "peers"]);

/** Answers one request; false: it is none of ours. */
export function openSheetDoor(parts: SheetDoorParts) {
	return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
		const [path = ""] = (request.url ?? "").split("?");
		const matter = { "/migrate/sheet": sheet, "/migrate/peers": peers }[path];
		if (!matter || (request.method !== "GET" && request.method !== "HEAD")) return false;
		try {
			const { type, text } = await matter(parts);
			const body = Buffer.from(text);
			const head = { "content-type": type, "content-length": body.length, "cache-control": caching };
			response.writeHead(200, { ...head, "x-content-type-options": "nosniff" });
			response.end(request.method === "HEAD" ? undefined : body);
		} catch (error) {
			refuse(response, error);
		}
		return true;
	};
}

async function sheet({ sheet, listed }: SheetDoorParts) {
	if (!listed) throw new Problem("not-found");
	const { text } = await sheet();
	return { type: "application/activity+json; charset=utf-8", text };
}

async function peers({ named }: SheetDoorParts) {
	return { type: "application/json", text: JSON.stringify({ peers: named() }) };
}

function refuse(response: ServerResponse, error: unknown): void {
	if (!(error instanceof Problem)) log.error("The offer sheet cannot be made: {error}", { error });
	const problem = error instanceof Problem ? error : new Problem("our-fault", { id: "peers" });
	response.writeHead(problem.status, { "content-type": "application/problem+json", "cache-control": "no-store" });
	response.end(JSON.stringify(problem));
}
