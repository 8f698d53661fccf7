import { AsyncLocalStorage } from "node:async_hooks";
import {
	configureSync,
	getJsonLinesFormatter,
	getTextFormatter,
	type LogRecord,
	resetSync,
	type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "../config.ts";
import { hidden, redactedFields, redactedText, redactedValue } from "../secrets/redaction.ts";

/**
 * Begins to log by these settings; a later call replaces the earlier one. `write` gets whole lines, with the id of the
 * request they belong to. Secrets hide by the names they stand under and by what they look like.
 */
export function configureLog({ level, format }: Config["log"], write: (line: string) => void): void {
	const line: TextFormatter = format === "json" ? getJsonLinesFormatter() : textFormatter();
	// JSON has the whole error among the properties; a text has it only in the message.
	const told = (error: Error) => (format === "json" ? error.message : error);
	resetSync();
	configureSync({
		contextLocalStorage: new AsyncLocalStorage(),
		sinks: { lines: (record) => write(redactedText(line(withoutSecrets(record, told)))) },
		loggers: [
			{ category: "fediversity", lowestLevel: level, sinks: ["lines"] },
			{ category: "fedify", lowestLevel: level === "debug" ? "info" : "error", sinks: ["lines"] },
			{ category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
		],
	});
}

function textFormatter(): TextFormatter {
	return getTextFormatter({
		timestamp: "time",
		level: "full",
		value: "bare",
		format: ({ timestamp, level, category, message, record }) => {
			const { request } = record.properties;
			// Indented, so that nothing in a message can pass for a line of its own.
			const text = message.replaceAll(/\r?\n/g, "\n    ");
			return `${timestamp} [${level}] ${category}: ${text}${request ? ` (request ${request})` : ""}`;
		},
	});
}

/** Hides every property whose name sounds like a secret, also where the message shows it. */
function withoutSecrets(record: LogRecord, told: (error: Error) => unknown): LogRecord {
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
