import type { CommanderError } from "commander";
import type { Problem } from "#protocol/problem.ts";
import type { ConfigError } from "../config.ts";
import { type Exit, exitCodes, type Terminal } from "./terminal.ts";

/** Says what went wrong: in words if we expected it, with its place in the code if it is a bug. Answers the exit code. */
export function explain(error: unknown, terminal: Terminal, json: boolean): number {
	const { code, message, details } = understood(error as Error);
	if (message && json) terminal.err(`${JSON.stringify({ code, detail: message, ...details })}\n`);
	else if (message) terminal.err(`${message}${inWords(details)}\n`);
	return code;
}

interface Understood {
	code: number;
	message?: string;
	details?: { problem: string; errors: Problem["errors"] };
}

/** By their names and not by their classes, so that none of them need be loaded for a command that succeeds. */
function understood(error: Error): Understood {
	// The parser has already printed its message.
	if (isFromParser(error)) return { code: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
	if (isNamed<Exit>(error, "Exit")) return { code: error.code, message: error.message };
	if (isNamed<ConfigError>(error, "ConfigError")) return { code: exitCodes.configuration, message: error.message };
	if (isNamed<Problem>(error, "Problem")) {
		const { message, code: problem, errors } = error;
		return { code: exitCodes.failure, message, details: { problem, errors } };
	}
	// A full disk, a folder that may not be written: the system's own words say it.
	if ((error as NodeJS.ErrnoException).syscall) return { code: exitCodes.failure, message: error.message };
	return { code: exitCodes.failure, message: `This is a bug, please report it: ${error.stack ?? String(error)}` };
}

function inWords(details: Understood["details"]): string {
	return (details?.errors ?? []).map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join("");
}

function isNamed<Kind extends Error>(error: Error, name: Kind["name"]): error is Kind {
	return error.name === name;
}

function isFromParser(error: Error): error is CommanderError {
	return "exitCode" in error && String((error as { code?: unknown }).code).startsWith("commander.");
}
