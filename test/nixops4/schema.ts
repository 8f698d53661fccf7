import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "protocol.schema.json"), "utf8"));
const ajv = new Ajv({ strict: true, strictTypes: false });
ajv.addSchema(schema, "protocol");

/** What the published JSON Schema of the resource provider protocol says of a message. */
export const followsSchema = {
	request: ajv.compile({ $ref: "protocol#/definitions/Request" }),
	answer: ajv.compile({ $ref: "protocol#/definitions/Answer" }),
};
