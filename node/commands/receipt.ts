import type { Finding, Summary, Verified } from "#protocol/migration/receipt.ts";
import { bold, moment, printJson } from "./output.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/**
 * Checks a receipt of a migration, from a file or (`-`) from standard input, without any network. The exit code: 0 it
 * holds, 1 it does not.
 */
export async function checkReceipt(file: string, terminal: Terminal, json: boolean): Promise<number> {
	const { verifyReceipt } = await import("#protocol/migration/receipt.ts");
	const verified = await verifyReceipt(await textOf(file));
	if (json) printJson(terminal, verified);
	else terminal.out(inWords(verified, terminal.colour));
	return verified.ok ? exitCodes.ok : exitCodes.failure;
}

async function textOf(file: string): Promise<string> {
	if (file !== "-") return (await import("node:fs/promises")).readFile(file, "utf8");
	return (await import("node:stream/consumers")).text(process.stdin);
}

function inWords({ ok, findings, summary }: Verified, colour: boolean): string {
	const verdict = ok ? "✓ This receipt holds: both nodes said this, and in this order" : "✗ This receipt does not hold";
	const head = `${colour ? bold(verdict) : verdict}\n`;
	const lines = [...findings.map(findingInWords), ...(ok && summary ? aboutMigration(summary) : [])];
	return `${head}\n${lines.join("\n")}\n`;
}

function findingInWords({ side, seq, detail }: Finding): string {
	const where = [side && `the ${side}'s`, seq && `message ${seq}`].filter(Boolean).join(" ");
	return `  ${where ? `${where}: ` : ""}${detail}`;
}

const outcomes: Record<Summary["outcome"], string> = {
	moved: "moved; the new provider serves",
	refused: "refused by the new provider; nothing was moved",
	withdrawn: "called off; nothing was moved",
	"taken-back": "taken back; the old provider serves again",
	open: "not over yet",
};

function aboutMigration(summary: Summary): string[] {
	const at = (time: number | null) => (time === null ? "–" : moment(new Date(time).toISOString()));
	const pairs: [string, string | null][] = [
		["Domain", `${summary.domain} (${summary.services.join(", ")})`],
		["From", `${summary.from.provider}, ${summary.from.customer}`],
		["To", summary.to && `${summary.to.provider}, ${summary.to.customer}`],
		["Outcome", outcomes[summary.outcome]],
		["Six words", summary.words.join(" ")],
		["Offered", at(summary.offeredAt)],
		["Serving", summary.servingAt === null ? null : at(summary.servingAt)],
		["Interrupted", summary.freezeSeconds === null ? null : interruption(summary)],
		["Checked", summary.entries === null ? null : `${summary.entries} entries, ${summary.bytes} bytes, on both sides`],
		["Epoch", String(summary.epoch)],
		["Erased", summary.erasedAt === null ? null : at(summary.erasedAt)],
	];
	const width = Math.max(...pairs.map(([name]) => name.length));
	return pairs.flatMap(([name, value]) => (value ? [`  ${name.padEnd(width)}  ${value}`] : []));
}

function interruption({ freezeSeconds, expectedSeconds }: Summary): string {
	const seconds = (count: number | null) => `${Math.round((count ?? 0) * 10) / 10} seconds`;
	return `${seconds(freezeSeconds)}${expectedSeconds === null ? "" : ` (expected: ${seconds(expectedSeconds)})`}`;
}
