import { z } from "zod";
import { scopes } from "#protocol/api/account.ts";
import { type Operation, operations } from "#protocol/api/operations.ts";
import { problems } from "#protocol/problem.ts";

type Json = Record<string, unknown>;

/** The API described in OpenAPI 3.1, from the very schemas that check it. `base` is where it begins. */
export function describeApi(base: string, version: string): Json {
	const schemas: Json = { Problem: problemSchema };
	const paths: Record<string, Json> = {};
	for (const [name, operation] of Object.entries<Operation>(operations)) {
		const [method = "", path = ""] = name.split(" ");
		paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(name, operation, schemas) };
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "Fediversity Node",
			version,
			description: introduction,
			license: { name: "EUPL-1.2", identifier: "EUPL-1.2" },
		},
		servers: [{ url: base }],
		paths,
		components: {
			schemas,
			responses: { Problem: { description: "What is wrong, and what to do", content: problemContent } },
			securitySchemes: {
				token: {
					type: "http",
					scheme: "bearer",
					description: `An API token, \`fdv_…\`, with its scopes: ${scopes.join(", ")}`,
				},
				session: {
					type: "apiKey",
					in: "cookie",
					name: "__Host-session",
					description: "The panel's cookie; can do everything",
				},
			},
		},
	};
}

const introduction = `Everything the panel does, for your own scripts too: make an API token under Account.
Problems come as application/problem+json (RFC 9457); \`code\` says which. Lists come in pages: pass \`next\` as \`after\`.
A POST with an \`Idempotency-Key\` is carried out once a day. Answers may gain fields; unknown fields in requests are refused.`;

const problemContent = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

const problemSchema = {
	type: "object",
	required: ["type", "code", "title", "status", "detail"],
	properties: {
		type: { type: "string", format: "uri-reference" },
		code: { type: "string", enum: Object.keys(problems) },
		title: { type: "string" },
		status: { type: "integer" },
		detail: { type: "string", description: "The sentence for people; its parts are in `params`" },
		params: { type: "object", additionalProperties: { type: "string" } },
		errors: {
			type: "array",
			items: {
				type: "object",
				required: ["pointer", "detail"],
				properties: { pointer: { type: "string", format: "json-pointer" }, detail: { type: "string" } },
			},
		},
	},
};

function operationOf(name: string, operation: Operation, schemas: Json): Json {
	const { summary, body } = operation;
	const parameters = parametersOf(name, operation, schemas);
	return {
		operationId: idOf(name),
		summary,
		tags: [/^\w+ \/([\w-]+)/.exec(name)?.[1] ?? ""],
		...(operation.for === "staff" && {
			description:
				"For provider staff: on the operators' socket, or with the panel's cookie of an account that is staff's.",
		}),
		...(operation.for === "operator" && { description: "For provider staff, on the operators' socket only." }),
		security: securityOf(operation),
		...(parameters.length > 0 && { parameters }),
		...(body && {
			requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input", schemas) } } },
		}),
		responses: responsesOf(operation, schemas),
	};
}

/** `GET /me/sessions/{id}` → `getMeSessionsId`. */
function idOf(name: string): string {
	const [method = "", ...words] = name.split(/[^A-Za-z]+/).filter(Boolean);
	return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function securityOf(operation: Operation): Json[] {
	if (operation.for === "everybody" || operation.for === "operator") return [];
	return operation.for === "staff" ? [{}, { session: [] }] : [{ token: [operation.for] }, { session: [] }];
}

function parametersOf(name: string, operation: Operation, schemas: Json): Json[] {
	const header = (header: string, description: string) => ({
		name: header,
		in: "header",
		description,
		schema: { type: "string" },
	});
	const repeatable = name.startsWith("POST ") && operation.for !== "everybody";
	return [
		...fieldsOf(operation.path, schemas).map((field) => ({ ...field, in: "path", required: true })),
		...fieldsOf(operation.query, schemas).map((field) => ({ ...field, in: "query" })),
		...(repeatable ? [header("Idempotency-Key", "The same key again gets the first answer, for a day")] : []),
		...(operation.stream ? [header("Last-Event-ID", "The last event that was seen; the stream goes on after it")] : []),
	];
}

function fieldsOf(schema: z.ZodObject | undefined, schemas: Json): Json[] {
	if (!schema) return [];
	const { properties, required } = schemaOf(schema, "input", schemas) as { properties: Json; required?: string[] };
	return Object.entries(properties).map(([name, field]) => ({
		name,
		schema: field,
		...(required?.includes(name) && { required: true }),
	}));
}

function responsesOf({ answer: [status, schema], stream }: Operation, schemas: Json): Json {
	const content = stream
		? { "text/event-stream": { schema: { type: "string" } } }
		: schema && { "application/json": { schema: schemaOf(schema, "output", schemas) } };
	const location = {
		Location: { description: "Where to watch the job", schema: { type: "string", format: "uri-reference" } },
	};
	return {
		[status]: {
			description: descriptions[status],
			...(status === 202 && schema && { headers: location }),
			...(content && { content }),
		},
		default: { $ref: "#/components/responses/Problem" },
	};
}

const descriptions = {
	200: "Here it is",
	201: "Made",
	202: "Written down; it will be done",
	204: "Done",
};

/** JSON Schema of a part, with named schemas among the components; one that differs as input gets a name of its own. */
function schemaOf(schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
	const { $schema, $defs, ...whole } = z.toJSONSchema(schema, {
		io,
		override: ({ jsonSchema }) => plainer(jsonSchema, io),
	});
	const names = new Map<string, string>();
	for (const [name, part] of Object.entries(($defs ?? {}) as Json)) names.set(name, placeOf(name, part, schemas));
	for (const [name, part] of Object.entries(($defs ?? {}) as Json))
		schemas[names.get(name) ?? name] = renamed(part, names);
	return renamed(whole, names) as Json;
}

function placeOf(name: string, part: unknown, schemas: Json): string {
	const same =
		schemas[name] === undefined || JSON.stringify(schemas[name]) === JSON.stringify(renamed(part, new Map()));
	return same ? name : `${name}Sent`;
}

function renamed(part: unknown, names: ReadonlyMap<string, string>): unknown {
	return JSON.parse(JSON.stringify(part), (key, value) => {
		if (key !== "$ref" || typeof value !== "string") return value;
		const name = value.replace("#/$defs/", "");
		return `#/components/schemas/${names.get(name) ?? name}`;
	});
}

/** Answers may gain fields; and `date-time` says more to people than the pattern behind it. */
function plainer(schema: z.core.JSONSchema.BaseSchema, io: "input" | "output") {
	if (io === "output" && schema.additionalProperties === false) delete schema.additionalProperties;
	if (schema.format === "date-time") delete schema.pattern;
}
