// A program of its own: runs inside a network that the node cannot reach, asks there what it is told to, lets through to the
// node what it is told to, and ends with the node.
import { createServer } from "node:net";
import { askAt } from "./ask.ts";

process.on("message", async ({ number, open, origin, port, path, request }) => {
	const work = open === undefined ? ask(origin, port, path, request) : letThrough(open);
	const said = await work.catch((error) => ({ error: error.message }));
	if (process.connected) process.send({ number, ...said });
});
process.send({ ready: true });

async function ask(origin, port, path, request) {
	return { answer: await askAt(origin, () => port)(path, request) };
}

/** Whoever connects to this port is handed to the node, which connects them to whom they want. */
function letThrough(port) {
	const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
		process.send({ port }, socket, {}, (error) => error && socket.destroy());
	});
	return new Promise((done, failed) => {
		server.once("error", failed).listen(port, "127.0.0.1", () => done({}));
	});
}
