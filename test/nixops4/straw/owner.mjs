// Test equipment: gives the owner of a service of straw the password that lies among its secrets, each time it is started.
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const { port, secrets, username } = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (secrets.password) {
	const body = JSON.stringify({ name: username, password: readFileSync(secrets.password, "utf8") });
	for (let tries = 300; ; tries--) {
		const answer = await fetch(`http://127.0.0.1:${port}/owner`, { method: "POST", body }).catch(() => undefined);
		if (answer?.status === 201) break;
		if (tries === 0) throw new Error(`the service does not take its owner: ${answer?.status}`);
		await wait(100);
	}
}
