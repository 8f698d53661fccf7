/**
 * An inbox as Fedify brings it, with all it remembers in memory: it checks signatures and does nothing with what comes.
 * Arguments: port, file with the sender's actor.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createFederation, MemoryKvStore } from "@fedify/fedify";
import { Activity, Application } from "@fedify/vocab";
import { type DocumentLoader, getDocumentLoader } from "@fedify/vocab-runtime";
import { getRequestListener } from "@hono/node-server";

const [port, senderFile = ""] = process.argv.slice(2);
const sender = JSON.parse(readFileSync(senderFile, "utf8")) as { id: string };

/** Knows the sender, as if it had been fetched; contexts come with Fedify. */
const usual = getDocumentLoader();
const loader: DocumentLoader = async (url, options) =>
	url.startsWith(sender.id) ? { document: sender, documentUrl: sender.id, contextUrl: null } : usual(url, options);

const federation = createFederation<void>({
	kv: new MemoryKvStore(),
	origin: `http://127.0.0.1:${port}`,
	documentLoaderFactory: () => loader,
	contextLoaderFactory: () => usual,
});
federation.setActorDispatcher("/{identifier}", (context, identifier) => {
	return new Application({ id: context.getActorUri(identifier) });
});
federation.setInboxListeners("/{identifier}/inbox", "/inbox").on(Activity, () => {});
const handle = (request: Request) => federation.fetch(request, { contextData: undefined });
createServer(getRequestListener(handle)).listen(Number(port), "127.0.0.1");
