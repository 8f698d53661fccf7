// A web service for tests, with the settings in the file named by the first argument: { port, behaviour }.
// GET /            "tiny <count>": how often it has been started on this state
// GET /pid /uid /password   what they say
// GET /connect?port=   tries to reach somebody on loopback
// GET /shm?name=   makes a file in /dev/shm and lists what is there
// GET /read?path=  tries to read a file; GET /list?path= a folder
// GET /crash       ends with exit code 3
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";

const { port, behaviour } = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(`tiny starts, behaviour ${behaviour}`);

if (behaviour === "dies") {
	console.error("tiny: cannot go on");
	process.exit(3);
}
if (behaviour === "stubborn") {
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
	// One that left the group and will not hear either.
	const script = `for (const s of ["SIGTERM", "SIGHUP"]) process.on(s, () => {}); setInterval(() => {}, 1000)`;
	spawn(process.execPath, ["-e", script], { detached: true, stdio: "ignore" }).unref();
}
if (behaviour === "short-lived") setTimeout(() => process.exit(3), 40);

// It ends when it is let go.
if (behaviour === "lingering")
	process.once("SIGTERM", () => setInterval(() => existsSync("let-go") && process.exit(0), 10));

// It takes a moment to put things in order before it ends.
if (behaviour === "good")
	process.once("SIGTERM", () =>
		setTimeout(() => {
			writeFileSync("farewell", "");
			process.exit(0);
		}, 100),
	);

const count = existsSync("count") ? Number(readFileSync("count", "utf8")) + 1 : 1;
writeFileSync("count", String(count));

createServer((request, response) => {
	const { pathname, searchParams } = new URL(request.url, "http://tiny");
	const say = (text) => response.end(String(text));
	const attempt = (work) => {
		try {
			say(work());
		} catch (error) {
			say(error.code);
		}
	};
	if (behaviour === "never-ready") response.statusCode = 503;
	if (pathname === "/") say(`tiny ${count} at ${request.headers.host}`);
	else if (pathname === "/pid") say(process.pid);
	else if (pathname === "/uid") say(process.getuid());
	else if (pathname === "/password") attempt(() => readFileSync("password", "utf8"));
	else if (pathname === "/environment") say(JSON.stringify(process.env));
	else if (pathname === "/read") attempt(() => readFileSync(searchParams.get("path"), "utf8"));
	else if (pathname === "/list") attempt(() => readdirSync(searchParams.get("path")).join(" "));
	else if (pathname === "/shm")
		attempt(() => {
			writeFileSync(`/dev/shm/${searchParams.get("name")}`, "");
			return readdirSync("/dev/shm").join(" ");
		});
	else if (pathname === "/connect")
		connect(Number(searchParams.get("port")), "127.0.0.1")
			.on("connect", () => say("connected"))
			.on("error", (error) => say(error.code));
	else if (pathname === "/crash") process.exit(3);
	else if (pathname === "/shout") {
		console.log("x".repeat(Number(searchParams.get("bytes"))));
		say("done");
	}
}).listen(port, "127.0.0.1");
