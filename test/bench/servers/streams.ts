/** A node's public address with jobs that nobody works on, and `/gc`. Arguments: port, file for what readers need. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Jobs } from "../../../node/jobs/jobs.ts";
import { jobRoutes } from "../../../node/jobs/routes.ts";
import type { Saga, Step } from "../../../node/jobs/saga.ts";
import { openPanel, signedUp } from "../../contracts/panel.ts";

const [port, file = ""] = process.argv.slice(2);
const step = (at: number): [string, Step<object, object>] => [
	`start:${at}`,
	{ verb: "start", title: `Start service ${at}`, seconds: 10, do: async () => {} },
];
const saga: Saga<object, object> = {
	name: "deploy",
	steps: () => Object.fromEntries(Array.from({ length: 8 }, (_, at) => step(at))),
};

const opened: Jobs[] = [];
const panel = openPanel({
	checkAnswers: false,
	more(routes, db) {
		const jobs = new Jobs(db, { deploy: { saga, tools: () => ({}) } });
		opened.push(jobs);
		jobRoutes(routes, jobs);
	},
});
const { id: customer, cookie } = await signedUp(panel, "anna@choir.example");
const jobs = Array.from({ length: 100 }, (_, at) => opened[0]?.start("deploy", {}, { deployment: `d${at}`, customer }));
writeFileSync(file, JSON.stringify({ cookie, jobs }));
const answer = getRequestListener(panel.app.fetch);
createServer((request, response) => {
	if (request.url !== "/gc") return void answer(request, response);
	globalThis.gc?.();
	response.end();
}).listen(Number(port), "127.0.0.1");
