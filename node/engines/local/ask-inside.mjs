// A program of its own: runs inside a network that the node cannot reach, asks there what it is told to, and ends with
// the node.
import { askAt } from "./ask.ts";

process.on("message", async ({ number, origin, port, path, request }) => {
	const said = await askAt(origin, () => port)(path, request).then(
		(answer) => ({ answer }),
		(error) => ({ error: error.message }),
	);
	if (process.connected) process.send({ number, ...said });
});
process.send({ ready: true });
