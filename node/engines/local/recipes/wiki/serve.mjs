// Serves one wiki with the settings in the file named by the first argument, on loopback only, until it is told to end.
// The package's own start would do it in two processes and take the secret for its cookies from the command line.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import server from "wiki-server";

const packageDir = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));

const app = await server({ ...settings, packageDir, root: join(packageDir, "wiki-server") });
app.on("owner-set", () => {
	const listener = createServer(app);
	listener.listen(settings.port, "127.0.0.1", () => app.emit("running-serv", listener));
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
