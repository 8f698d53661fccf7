import type { Answer } from "#protocol/client.ts";
import { ago, days, hours, minutes } from "./moments.ts";

type Notice = Answer<"GET /notices">["items"][number];

export const notice = (
	id: string,
	at: string,
	kind: string,
	params: Record<string, string>,
	read: boolean,
	link: string | null,
): Notice => ({
	id,
	at,
	kind,
	text: `${kind}: ${Object.values(params).join(", ")}`,
	params,
	read,
	link,
});

export const notices: Notice[] = [
	notice(
		"n4",
		ago(4 * minutes),
		"service-well",
		{ service: "wiki", domain: "choir.localhost" },
		false,
		"/d/choir.localhost",
	),
	notice(
		"n3",
		ago(9 * minutes),
		"service-unwell",
		{ service: "wiki", domain: "choir.localhost", since: ago(12 * minutes) },
		false,
		"/d/choir.localhost",
	),
	notice(
		"n2",
		ago(3 * days),
		"deploy-undone",
		{ domain: "school.localhost", reason: "GoToSocial did not answer within 60 seconds" },
		true,
		"/d/school.localhost/jobs/j5",
	),
	notice("n1", ago(21 * days + 2 * hours), "deploy-done", { domain: "choir.localhost" }, true, "/d/choir.localhost"),
];
