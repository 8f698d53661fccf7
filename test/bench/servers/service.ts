/** A service that costs next to nothing itself: 2 kB of JSON, and 8 MiB at /big. Listens on the port it is given. */
import { createServer } from "node:http";

const small = Buffer.from(JSON.stringify({ text: "x".repeat(2000) }));
const big = Buffer.alloc(8 * 1024 * 1024, "x");

createServer((request, response) => {
	const body = request.url === "/big" ? big : small;
	response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length }).end(body);
}).listen(Number(process.argv[2]), "127.0.0.1");
