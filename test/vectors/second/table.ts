/** The conversation, as the two tables of section 6 have it, read from the page itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Members } from "./bytes.ts";

export type Side = "source" | "target";
interface Row {
	readonly says: ReadonlyMap<string, string>;
	readonly hears: ReadonlyMap<string, string>;
}

export interface Talk {
	readonly state: string;
	readonly epoch: number;
	readonly round: number;
	readonly manifest: string | null;
}

const page = readFileSync(join(import.meta.dirname, "../../../specs/protocol.md"), "utf8");

function tableOf(title: string): ReadonlyMap<string, Row> {
	const lines = page
		.slice(page.indexOf(`**${title}** (begins as`))
		.split("\n")
		.slice(4);
	const rows = new Map<string, Row>();
	for (const line of lines.slice(0, lines.indexOf(""))) {
		const [states = "", , says = "", hears = "", late = ""] = line.replaceAll("*", "").split("|").slice(1, -1);
		const row = {
			says: arrows(says),
			hears: new Map([...arrows(hears), ...words(late).map((one) => [one, "late"] as const)]),
		};
		for (const state of words(states)) rows.set(state, row);
	}
	return rows;
}

const words = (cell: string) =>
	cell
		.split(",")
		.map((one) => one.trim())
		.filter((one) => one !== "");
const arrows = (cell: string) => new Map(words(cell).map((one) => one.split(" → ") as [string, string]));

const tables = { source: tableOf("Source"), target: tableOf("Target") };

export const states = (side: Side): string[] => [...tables[side].keys()];
export const begin = (side: Side): Talk => ({
	...{ state: side === "source" ? "planned" : "issued", epoch: 0, round: 0, manifest: null },
});

/** Where a side is after a message of its own or of the other one; undefined: it cannot be. `digest`: of a manifest's content. */
export function after(
	side: Side,
	talk: Talk,
	does: "says" | "hears",
	{ kind, content, digest }: { kind: string; content: Members; digest: string },
): Talk | "late" | undefined {
	const step = kind === "manifest" && content["final"] === true ? "final" : kind;
	const state = tables[side].get(talk.state)?.[does].get(step);
	if (state === undefined || state === "late") return state;
	const isLast = content["manifest"] === talk.manifest;
	if (kind === "manifest")
		return content["round"] === talk.round + 1
			? { ...talk, state, round: Number(content["round"]), manifest: digest }
			: undefined;
	if (kind === "offer") return { ...talk, state, epoch: Number(content["epoch"]) };
	if ((kind === "announce" || kind === "vote") && !isLast) return does === "hears" ? "late" : undefined;
	if (kind === "announce" && content["round"] !== talk.round) return undefined;
	if ((kind === "thaw" || kind === "move" || kind === "active") && !isLast) return undefined;
	if ((kind === "move" || kind === "active") && content["epoch"] !== talk.epoch + 1) return undefined;
	return { ...talk, state };
}
