import { msg } from "@lit/localize";
import { fill } from "#protocol/problem.ts";
import type { HistoryEntry, Notice } from "../views.ts";
import { readable } from "./params.ts";

const notices: Readonly<Record<string, () => string>> = {
	"deploy-done": () => msg("Your services under {domain} are ready"),
	"deploy-undone": () => msg("Deploying {domain} did not work out and was undone: {reason}"),
	"deploy-stuck": () => msg("Deploying {domain} is stuck and needs you: {reason}"),
	"remove-done": () => msg("{domain} was removed; it is kept until {date}, then erased"),
	"restore-done": () => msg("{domain} is back"),
	"erase-done": () => msg("{domain} was erased; nothing of it is left here"),
	"repair-done": () => msg("{domain} was set up again, and its services answer"),
	"repair-undone": () => msg("Setting {domain} up again did not work out: {reason}"),
	"job-stuck": () => msg("Work on {domain} is stuck and needs you: {reason}"),
	"service-unwell": () => msg("{service} under {domain} has not answered since {since}"),
	"service-well": () => msg("{service} under {domain} answers again"),
	"move-asked": () => msg("{provider} asks to move {domain} here; agree or refuse"),
	"move-waits": () => msg("{provider} wants to move {domain} here; let it in or refuse it"),
	"leave-done": () => msg("{domain} now runs at {provider}; the copy here is kept until {date}, then erased"),
	"leave-undone": () => msg("Moving {domain} to {provider} did not work out; it serves here as before: {reason}"),
	"leave-stuck": () => msg("Moving {domain} to {provider} is stuck and needs you: {reason}"),
	"arrive-done": () => msg("{domain} has moved here from {provider}"),
	"arrive-undone": () =>
		msg("Moving {domain} here from {provider} did not work out; it serves there as before: {reason}"),
	"arrive-stuck": () => msg("Moving {domain} here from {provider} is stuck and needs you: {reason}"),
	"move-erased": () => msg("The copy of {domain} that was kept here after its move was erased"),
	"records-needed": () => msg("Set the records of {domain} now, so that visitors find it at {provider}"),
	"served-elsewhere": () => msg("{domain} is served by {holder} by now, as its DNS says; the services here rest"),
	test: () => msg("This is a test notice; it works"),
};

const history: Readonly<Record<string, () => string>> = {
	"deploy-asked": () => msg("Setting up {services} was asked for"),
	"deploy-done": () => msg("All services are ready"),
	"deploy-undone": () => msg("Setting up did not work out and was undone: {reason}"),
	"remove-asked": () => msg("Removing was asked for"),
	"remove-done": () => msg("Removed; kept until {date}"),
	"remove-undone": () => msg("Removing did not work out; everything serves as before: {reason}"),
	"restore-asked": () => msg("Bringing it back was asked for"),
	"restore-done": () => msg("It is back"),
	"restore-undone": () => msg("Bringing it back did not work out: {reason}"),
	"erase-asked": () => msg("Erasing was asked for"),
	"erase-due": () => msg("The days of grace are over"),
	"erase-done": () => msg("Erased; nothing of it is left here"),
	"restart-asked": () => msg("Restarting {services} was asked for"),
	"restart-done": () => msg("Restarted"),
	"restart-undone": () => msg("Restarting did not work out: {reason}"),
	"repair-asked": () => msg("Setting it up again was asked for"),
	"repair-by-staff": () => msg("The provider began to set it up again"),
	"repair-done": () => msg("It was set up again"),
	"repair-undone": () => msg("Setting it up again did not work out: {reason}"),
	"set-password-asked": () => msg("A new password for {service} was asked for"),
	"set-password-done": () => msg("{service} has the new password"),
	"set-password-undone": () => msg("{service} did not take the new password and keeps the old one: {reason}"),
	"leave-asked": () => msg("Moving to {provider} was asked for"),
	"leave-done": () => msg("Moved to {provider}; the copy here is kept until {date}"),
	"leave-undone": () => msg("Moving to {provider} did not work out; everything serves as before: {reason}"),
	"arrive-asked": () => msg("Moving here from {provider} began"),
	"arrive-done": () => msg("Moved here from {provider}"),
	"arrive-undone": () => msg("Moving here from {provider} did not work out: {reason}"),
	"served-elsewhere": () => msg("{holder} serves the domain by now, as its DNS says; the services here rest"),
	"job-stuck": () => msg("Work is stuck: {reason}"),
	"password-shown": () => msg("The first password of {service} was shown"),
	"service-unwell": () => msg("{service} stopped answering"),
	"service-well": () => msg("{service} answers again"),
};

/** The kinds that have a sentence here, for the test. */
export const knownKinds = { notices: Object.keys(notices), history: Object.keys(history) };

/** A notice in the reader's language; a kind that is newer than this panel in the node's own words. */
export function noticeSentence({ kind, params, text }: Pick<Notice, "kind" | "params" | "text">): string {
	const sentence = notices[kind]?.();
	return sentence ? fill(sentence, readable(params)) : text;
}

/** A line of history in the reader's language, or the node's. */
export function historySentence({ kind, params, text }: Pick<HistoryEntry, "kind" | "params" | "text">): string {
	const sentence = history[kind]?.();
	return sentence ? fill(sentence, readable(params)) : text;
}
