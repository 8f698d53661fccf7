import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, expect, test } from "vitest";
import { operations } from "#protocol/api/operations.ts";
import { problems } from "#protocol/problem.ts";
import { openPanel } from "../../test/contracts/panel.ts";

const panel = openPanel();
afterAll(() => panel.close());
const answer = await panel.app.request("/api/v1/openapi.json");
const text = await answer.text();
const api = JSON.parse(text);

interface Described {
	operationId: string;
	security: object[];
	parameters?: { name: string; in: string }[];
	requestBody?: object;
	responses: Record<string, { content?: object }>;
}

const described = Object.entries<Record<string, Described>>(api.paths).flatMap(([path, item]) =>
	Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

test("the description is valid OpenAPI 3.1", async () => {
	expect(answer.headers.get("content-type")).toBe("application/json");
	const validator = new Validator();
	expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true });
	expect(validator.version).toBe("3.1");
});

test("it has every operation of the contract and no other, each with a name of its own", () => {
	expect(described.map(([name]) => name).toSorted()).toEqual(Object.keys(operations).toSorted());
	expect(new Set(described.map(([, { operationId }]) => operationId)).size).toBe(described.length);
});

test("every reference leads somewhere, and nothing named lies about unused", () => {
	const references = new Set([...text.matchAll(/"\$ref":"#\/components\/([^"]+)"/g)].map(([, to = ""]) => to));
	for (const reference of references) {
		const [kind = "", name = ""] = reference.split("/");
		expect(api.components[kind][name], reference).toBeDefined();
	}
	const named = ["schemas", "responses"].flatMap((kind) =>
		Object.keys(api.components[kind]).map((name) => `${kind}/${name}`),
	);
	expect(named.toSorted()).toEqual([...references].toSorted());
	expect(text).not.toContain("$defs");
});

test.each(described)("%s says who may call, what it takes, and what comes back", (name, operation) => {
	const contract = operations[name as "GET /jobs"] as {
		for: string;
		body?: unknown;
		stream?: true;
		answer: readonly [number, unknown];
	};
	const security = contract.for === "staff" ? [{}, { session: [] }] : [{ token: [contract.for] }, { session: [] }];
	expect(operation.security).toEqual(["everybody", "operator"].includes(contract.for) ? [] : security);
	const places = [...name.matchAll(/\{(\w+)\}/g)].map(([, place]) => place);
	const inPath = operation.parameters?.filter((parameter) => parameter.in === "path") ?? [];
	expect(inPath.map((parameter) => parameter.name)).toEqual(places);
	expect(operation.requestBody !== undefined).toBe(contract.body !== undefined);
	const [status, schema] = contract.answer;
	expect(Object.keys(operation.responses)).toEqual([String(status), "default"]);
	const type = contract.stream ? ["text/event-stream"] : schema ? ["application/json"] : [];
	expect(Object.keys(operation.responses[status]?.content ?? {})).toEqual(type);
});

test("the schemas are those that check: limits, defaults, closed requests, open answers", () => {
	const { SignUp: _none, ...schemas } = api.components.schemas;
	const signUp = api.paths["/sign-up"].post.requestBody.content["application/json"].schema;
	expect(signUp).toMatchObject({
		additionalProperties: false,
		required: ["voucher", "email", "password", "name"],
		properties: { password: { minLength: 12, maxLength: 256 }, language: { default: "en", enum: ["en", "de"] } },
	});
	expect(schemas.Me).toMatchObject({ required: ["id", "name", "email", "language", "createdAt", "staff"] });
	expect(schemas.Me.additionalProperties).toBeUndefined();
	expect(schemas.Problem.properties.code.enum).toEqual(Object.keys(problems));
	expect(api.paths["/me/sessions"].get.parameters).toContainEqual({
		name: "limit",
		in: "query",
		schema: { type: "integer", minimum: 1, maximum: 200, default: 50 },
	});
});
