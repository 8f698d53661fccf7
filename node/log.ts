/** Where the node's log goes and how it looks. What could be a secret is taken out before it is written. */
import {
	configureSync,
	getJsonLinesFormatter,
	getTextFormatter,
	type LogRecord,
	resetSync,
	type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "./config.ts";

const secret =
	/pass(word|phrase)|secret|token|cookie|authorization|credential|voucher(code)?$|^code$|private.?key|^key$/i;
const hidden = "[hidden]";

/** Begins to log by these settings; a later call replaces the earlier one. `write` gets whole lines. */
export function configureLog({ level, format }: Config["log"], write: (line: string) => void): void {
	const lines: TextFormatter =
		format === "json" ? getJsonLinesFormatter() : getTextFormatter({ timestamp: "time", level: "full" });
	resetSync();
	configureSync({
		sinks: { lines: (record) => write(lines(withoutSecrets(record))) },
		loggers: [
			{ category: "fediversity", lowestLevel: level, sinks: ["lines"] },
			{ category: "fedify", lowestLevel: level === "debug" ? "info" : "error", sinks: ["lines"] },
			{ category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
		],
	});
}

/** Hides every property whose name sounds like a secret, also where the message shows it. */
export function withoutSecrets(record: LogRecord): LogRecord {
	const names = typeof record.rawMessage === "string" ? [...record.rawMessage.matchAll(/\{([^{}]+)\}/g)] : [];
	const message = record.message.map((part, index) => {
		const name = names[(index - 1) / 2]?.[1] ?? "";
		return index % 2 === 1 && secret.test(name) ? hidden : cleaned(part, 0);
	});
	return { ...record, message, properties: cleaned(record.properties, 0) as Record<string, unknown> };
}

function cleaned(value: unknown, depth: number): unknown {
	if (typeof value === "string") return value.replaceAll(/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, `$1 ${hidden}`);
	if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
	const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
	if (!isPlain || depth > 5) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]) => [name, secret.test(name) ? hidden : cleaned(inner, depth + 1)]),
	);
}
