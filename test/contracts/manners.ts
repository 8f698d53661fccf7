import { describe, expect, test } from "vitest";
import { type Operation, type OperationName, operations } from "../../protocol/api/operations.ts";
import { type Asked, ask } from "./panel.ts";

export interface Visited {
	readonly app: Asked;
	readonly owner: { readonly cookie: string };
	readonly stranger: { readonly cookie: string };
	/** Whose account is staff's, signed in a while ago, with an API token that can do everything a token can. */
	readonly staff: { readonly cookie: string; readonly token: string };
	/** An API token of the owner's with these scopes. */
	token(...scopes: ("read" | "deploy" | "account")[]): string;
	/** What belongs to the owner, for the places of a path: `{ id: "…" }`. */
	places(name: OperationName): Record<string, string>;
	/** Words that only the owner may ever read: ids, names, secrets. */
	readonly private: readonly string[];
}

/** A body that fits, for each operation that takes one. The compiler asks for those of new operations. */
export type Bodies = {
	[Name in OperationName as (typeof operations)[Name] extends { body: unknown } ? Name : never]: object;
};

/**
 * What every operation of the public API must do, read from the contract: a new operation is tried by being in it.
 * `implemented` are those this node has; `open` gives a node with an owner of something of each kind, and a stranger.
 */
export function triesManners(implemented: readonly OperationName[], bodies: Bodies, open: () => Promise<Visited>) {
	const all = implemented.map((name): [OperationName, Operation] => [name, operations[name]]);
	const named = (wanted: (operation: Operation, name: string) => boolean) =>
		all.filter(([name, operation]) => wanted(operation, name)).map(([name]) => name);
	const ours = named((operation) => !["everybody", "staff", "operator"].includes(operation.for));
	const bodyOf = (name: OperationName) => (bodies as Record<string, unknown>)[name];
	const filled = (name: OperationName, visited: Visited) =>
		name.replaceAll(/\{(\w+)\}/g, (_, place: string) =>
			encodeURIComponent(visited.places(name)[place] ?? `no-${place}`),
		);

	describe.each(ours)("%s", (name) => {
		test("asks who is there", async () => {
			const visited = await open();
			for (const cookie of [undefined, `__Host-session=${"x".repeat(43)}`, "__Host-session=", "session=abc"])
				await problem(ask(visited.app, filled(name, visited), { body: bodyOf(name), cookie }), "not-signed-in");
			for (const token of ["fdv_unknown", "", "x".repeat(10_000)])
				await problem(
					ask(visited.app, filled(name, visited), {
						body: bodyOf(name),
						headers: { authorization: `Bearer ${token}` },
					}),
					"not-signed-in",
				);
		});

		test("wants the scope the contract names", async () => {
			const visited = await open();
			const scopes = (["read", "deploy", "account"] as const).filter((scope) => scope !== operations[name].for);
			const token = visited.token(...scopes);
			await problem(ask(visited.app, filled(name, visited), { body: bodyOf(name), token }), "scope-missing");
		});
	});

	describe.each(named((operation) => operation.for === "staff"))("%s", (name) => {
		const asked = (visited: Visited, by: object) =>
			ask(visited.app, filled(name, visited), { body: bodyOf(name), ...by });

		test("is as if it were not there for customers and for tokens", async () => {
			const visited = await open();
			for (const { cookie } of [visited.owner, visited.stranger])
				await problem(asked(visited, { cookie }), "not-found");
			for (const token of [visited.token("read", "deploy", "account"), visited.staff.token])
				await problem(asked(visited, { token }), "not-found");
		});

		test("asks who is there", async () => {
			const visited = await open();
			for (const cookie of [undefined, `__Host-session=${"x".repeat(43)}`])
				await problem(asked(visited, { cookie }), "not-signed-in");
		});
	});

	const staffs = named((operation, name) => operation.for === "staff" && !name.startsWith("GET "));
	test.each(staffs)("%s wants staff's password again", async (name) => {
		const visited = await open();
		const { cookie } = visited.staff;
		await problem(ask(visited.app, filled(name, visited), { body: bodyOf(name), cookie }), "confirm-needed");
	});

	describe.each(named((operation) => operation.for === "operator"))("%s", (name) => {
		test("is nowhere on the public address, for staff neither", async () => {
			const visited = await open();
			for (const { cookie } of [visited.owner, visited.staff])
				await problem(ask(visited.app, filled(name, visited), { body: bodyOf(name), cookie }), "not-found");
		});
	});

	describe.each(ours.filter((name) => operations[name as "GET /me"] && "path" in operations[name]))("%s", (name) => {
		test("is as if it were not there for another customer, and changes nothing", async () => {
			const visited = await open();
			const before = await seen(visited);
			const { cookie } = visited.stranger;
			const answer = await ask(visited.app, filled(name, visited), { body: bodyOf(name), cookie });
			expect([answer.status, await answer.text()]).toEqual([404, expect.any(String)]);
			expect(await seen(visited)).toEqual(before);
		});
	});

	const lists = ours.filter(
		(name) => name.startsWith("GET ") && !name.includes("{") && !("stream" in operations[name]),
	);
	describe.each(lists)("%s", (name) => {
		test("tells another customer nothing of the owner's", async () => {
			const visited = await open();
			const text = await (await ask(visited.app, name, { cookie: visited.stranger.cookie })).text();
			for (const word of visited.private) expect(text).not.toContain(word);
		});
	});

	describe.each(named(({ query }) => query !== undefined).filter((name) => ours.includes(name)))("%s", (name) => {
		test.each([
			"unknown=1",
			"limit=0",
			"limit=201",
			"limit=many",
			"limit=1.5",
			"after=nonsense%00",
			"after=-1",
			"limit=-1",
		])("refuses ?%s or has no such part", async (query) => {
			const visited = await open();
			const known = Object.keys(operations[name as "GET /jobs"].query.shape);
			const answer = await ask(visited.app, `${filled(name, visited)}?${query}`, { cookie: visited.owner.cookie });
			if (query.startsWith("after=") && !known.includes("after")) return;
			expect(answer.status).toBe(400);
		});
	});

	describe.each(named(({ body, for: who }) => body !== undefined && who !== "staff" && who !== "operator"))(
		"%s",
		(name) => {
			test.each([
				["no JSON", "{", "not-json"],
				["nothing", "", "not-json"],
				["half a letter", '{"a":"\\ud8', "not-json"],
				["a list", [], "not-valid"],
				["null", "null", "not-valid"],
				["a number", "1", "not-valid"],
				["deep nesting", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "not-valid"],
			])("refuses %s", async (_, body, code) => {
				const visited = await open();
				await problem(ask(visited.app, filled(name, visited), { body, cookie: visited.owner.cookie }), code);
			});

			test.each(["surprise", "__proto__", "constructor", "a/b~c"])(
				"refuses the unknown field %s by its name",
				async (field) => {
					const visited = await open();
					const text = JSON.stringify({ ...(bodyOf(name) as object), field: 1 }).replace(
						'"field"',
						JSON.stringify(field),
					);
					const answer = await problem(
						ask(visited.app, filled(name, visited), { body: text, cookie: visited.owner.cookie }),
						"not-valid",
					);
					const pointer = `/${field.replaceAll("~", "~0").replaceAll("/", "~1")}`;
					expect(answer.errors).toContainEqual({ pointer, detail: "There is no such field" });
				},
			);

			test("refuses 10 MB, whether it says so or not", async () => {
				const visited = await open();
				const body = JSON.stringify({ ...(bodyOf(name) as object), padding: "x".repeat(10_000_000) });
				const { cookie } = visited.owner;
				await problem(ask(visited.app, filled(name, visited), { body, cookie }), "too-large");
				const headers = { "content-length": String(body.length) };
				await problem(ask(visited.app, filled(name, visited), { body, cookie, headers }), "too-large");
			});

			test("refuses what is not sent as JSON", async () => {
				const visited = await open();
				for (const type of [
					"text/plain",
					"application/x-www-form-urlencoded",
					"application/jsonp",
					"text/plain; application/json",
				])
					await problem(
						ask(visited.app, filled(name, visited), {
							body: bodyOf(name),
							cookie: visited.owner.cookie,
							headers: { "content-type": type },
						}),
						"not-json",
					);
			});
		},
	);

	const writes = named((operation, name) => !name.startsWith("GET ") && operation.for !== "operator");
	describe.each(writes)("%s", (name) => {
		test.each([
			["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
			["a service of the same provider", { "sec-fetch-site": "same-site", origin: "https://social.north.example" }],
			["a browser that sends only Origin", { "sec-fetch-site": undefined, origin: "https://evil.example" }],
			["a page without an origin", { "sec-fetch-site": undefined, origin: "null" }],
			["nowhere, with a cookie", { "sec-fetch-site": undefined }],
			["another site that claims our origin", { "sec-fetch-site": "cross-site", origin: "https://north.example" }],
		])("is not carried out from %s", async (_, told) => {
			const visited = await open();
			const headers = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as Record<
				string,
				string
			>;
			const [method = "", path = ""] = filled(name, visited).split(" ");
			const answer = visited.app.request(`https://north.example/api/v1${path}`, {
				method,
				headers: { ...headers, cookie: visited.owner.cookie, "content-type": "application/json" },
				...(bodyOf(name) !== undefined && { body: JSON.stringify(bodyOf(name)) }),
			});
			await problem(answer, "wrong-site");
		});
	});
}

/** Everything of the owner's that can be read, without what changes by looking. */
async function seen(visited: Visited): Promise<string[]> {
	const lists = Object.entries<Operation>(operations).filter(
		([name, operation]) => /^GET [^{]*$/.test(name) && operation.for === "read" && !operation.stream,
	);
	const texts = await Promise.all(
		[...lists.map(([name]) => name), "GET /me/sessions", "GET /me/tokens", "GET /me/ssh-keys"].map(async (name) =>
			(await ask(visited.app, name, { cookie: visited.owner.cookie })).text(),
		),
	);
	return texts.map((text) => text.replaceAll(/"(?:lastSeenAt|checkedAt|id)":"[^"]*"/g, ""));
}

async function problem(answered: Response | Promise<Response>, code: string) {
	const answer = await answered;
	expect(answer.headers.get("content-type")).toBe("application/problem+json");
	const document = await answer.json();
	expect(document).toMatchObject({ code, status: answer.status });
	return document;
}
