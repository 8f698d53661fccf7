import type { Terminal } from "./terminal.ts";

/** How a column is called and what stands in it. */
export type Columns<Item> = Record<string, (item: Item) => string | number>;

export function printJson(terminal: Terminal, value: unknown): void {
	terminal.out(`${JSON.stringify(value, null, "\t")}\n`);
}

/** Items as JSON, or as columns that line up; with nothing to show it says so on the side of the messages. */
export function printList<Item>(terminal: Terminal, items: readonly Item[], json: boolean, columns: Columns<Item>) {
	if (json) printJson(terminal, items);
	else if (items.length === 0) terminal.err("There are none yet.\n");
	else terminal.out(table(items, columns, terminal.colour));
}

export function table<Item>(items: readonly Item[], columns: Columns<Item>, colour: boolean): string {
	const rows = [Object.keys(columns), ...items.map((item) => Object.values(columns).map((cell) => String(cell(item))))];
	const widths = Object.keys(columns).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
	const lines = rows.map((row) =>
		row
			.map((cell, column) => pad(cell, widths[column] ?? 0))
			.join("  ")
			.trimEnd(),
	);
	return `${[colour ? dim(lines[0] ?? "") : lines[0], ...lines.slice(1)].join("\n")}\n`;
}

/** What somebody else has written, without what would move the cursor or turn the line around. */
export function plain(text: string): string {
	return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

/** As people read it: `2026-11-22 13:04`, in the time zone of this machine. */
export function moment(rfc3339: string | null): string {
	if (rfc3339 === null) return "–";
	const time = new Date(rfc3339);
	const two = (number: number) => String(number).padStart(2, "0");
	const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
	return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

export const dim = (text: string) => `\u001b[2m${text}\u001b[22m`;
export const bold = (text: string) => `\u001b[1m${text}\u001b[22m`;

const width = (text: string) => [...text].length;
const pad = (text: string, to: number) => text + " ".repeat(Math.max(0, to - width(text)));
