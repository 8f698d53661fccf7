import { expect, test } from "vitest";
import { addressOf, client, NewerProblem } from "./client.ts";
import { Problem } from "./problem.ts";

/** A client of a node that gives one answer, and what it was asked. */
function asking(answer: Response) {
	const asked: Request[] = [];
	const api = client(async (input, init) => {
		asked.push(new Request(new URL(String(input), "http://node.example"), init));
		return answer;
	});
	return { api, asked };
}

const problem = (document: object) =>
	new Response(JSON.stringify(document), { status: 409, headers: { "content-type": "application/problem+json" } });

test("puts path, query, body and key where they belong", async () => {
	const { api, asked } = asking(Response.json({ deployment: "d1", job: "j1" }));
	const call = { path: { id: "a/b" }, body: { service: "snac" }, idempotencyKey: "k1" };
	expect(await api("POST /deployments/{id}/restart", call)).toEqual({ deployment: "d1", job: "j1" });
	const [request] = asked;
	expect(request?.method).toBe("POST");
	expect(request?.url).toBe("http://node.example/api/v1/deployments/a%2Fb/restart");
	expect(request?.headers.get("idempotency-key")).toBe("k1");
	expect(await request?.json()).toEqual({ service: "snac" });
});

test("leaves out what is not given", () => {
	expect(addressOf("/jobs", { query: { after: undefined, limit: 5 } })).toBe("/jobs?limit=5");
	expect(addressOf("/jobs", { query: { after: undefined } })).toBe("/jobs");
});

test.each([204, 202])("takes an empty answer of %d as nothing, whether or not its length is told", async (status) => {
	const { api } = asking(new Response(null, { status }));
	expect(await api("POST /me/notice-settings/test")).toBeUndefined();
});

test("throws a problem document as the problem it is", async () => {
	const errors = [{ pointer: "/domain", detail: "too odd" }];
	const { api } = asking(problem({ code: "domain-taken", params: { domain: "choir.example" }, errors }));
	const thrown = await api("GET /me").catch((error: unknown) => error);
	expect(thrown).toBeInstanceOf(Problem);
	expect(thrown).toMatchObject({ code: "domain-taken", message: "choir.example already has services here", errors });
});

test("throws a problem that is newer than itself with the node's own sentence", async () => {
	const { api } = asking(problem({ code: "from-tomorrow", detail: "Tomorrow's sentence" }));
	await expect(api("GET /me")).rejects.toThrow(new NewerProblem("Tomorrow's sentence"));
});

test("throws whatever else comes back", async () => {
	const { api } = asking(new Response("<h1>Bad gateway</h1>", { status: 502 }));
	await expect(api("GET /me")).rejects.toThrow("The node answered 502");
});
