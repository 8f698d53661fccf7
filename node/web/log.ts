import { AsyncLocalStorage } from "node:async_hooks";
import {
	configureSync,
	getJsonLinesFormatter,
	getTextFormatter,
	type LogRecord,
	type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "../config.ts";
import { hidden, redactedFields, redactedText, redactedValue } from "./redaction.ts";

/**
 * Sends what the node logs to `write`, line by line: JSON for machines or text for people, with the id of the request it
 * belongs to, and without secrets, which are hidden by their names and by what they look like. A second call replaces the first.
 */
export function configureLog({ level, format }: Config["log"], write: (line: string) => void): void {
	const line = format === "json" ? getJsonLinesFormatter({ properties: "flatten" }) : textFormatter();
	const told = (error: Error) => (format === "json" ? error.message : error);
	configureSync({
		reset: true,
		contextLocalStorage: new AsyncLocalStorage(),
		sinks: { lines: (record: LogRecord) => write(redactedText(line(redactedRecord(record, told)))) },
		loggers: [
			{ category: ["fediversity"], sinks: ["lines"], lowestLevel: level },
			{ category: ["fedify"], sinks: ["lines"], lowestLevel: level === "debug" ? "info" : "warning" },
			{ category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "error" },
		],
	});
}

function textFormatter(): TextFormatter {
	return getTextFormatter({
		timestamp: "rfc3339",
		value: "bare",
		format: ({ timestamp, level, category, message, record }) => {
			const { request } = record.properties;
			// Indented, so that nothing in a message can pass for a line of its own.
			const text = message.replaceAll(/\r?\n/g, "\n    ");
			return `${timestamp} ${level} ${category}: ${text}${request ? ` (request ${request})` : ""}`;
		},
	});
}

/** A value in the message hides when it is a hidden property's. */
function redactedRecord(record: LogRecord, told: (error: Error) => unknown): LogRecord {
	const properties = redactedFields(record.properties);
	const secrets = new Set(
		Object.entries(record.properties)
			.filter(([name]) => properties[name] === hidden)
			.map(([, value]) => value),
	);
	const shown = (part: unknown) => (part instanceof Error ? told(part) : redactedValue(part));
	const message = record.message.map((part, at) => (at % 2 === 0 ? part : secrets.has(part) ? hidden : shown(part)));
	return { ...record, properties, message };
}
