import { fill } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import { type NoticeKind, noticeSentences } from "./notice.ts";

type Language = Customer["language"];

/** Every kind's sentence in every language we write mail in. */
const sentences: Record<Language, Record<NoticeKind, string>> = {
	en: noticeSentences,
	de: {
		"deploy-done": "Ihre Dienste unter {domain} sind bereit",
		"deploy-undone": "Das Einrichten von {domain} ist nicht gelungen und wurde rückgängig gemacht: {reason}",
		"deploy-stuck": "Das Einrichten von {domain} steht und braucht Sie: {reason}",
		"remove-done": "{domain} wurde entfernt; es wird bis {date} aufbewahrt und dann gelöscht",
		"restore-done": "{domain} ist wieder da",
		"erase-done": "{domain} wurde gelöscht; hier ist nichts mehr davon",
		"repair-done": "{domain} wurde erneut eingerichtet, und seine Dienste antworten",
		"repair-undone": "Das erneute Einrichten von {domain} ist nicht gelungen: {reason}",
		"job-stuck": "Die Arbeit an {domain} steht und braucht Sie: {reason}",
		"service-unwell": "{service} unter {domain} antwortet nicht mehr seit {since}",
		"service-well": "{service} unter {domain} antwortet wieder",
		"move-asked": "{provider} möchte {domain} hierher umziehen; stimmen Sie zu oder lehnen Sie ab",
		"move-waits": "{provider} möchte {domain} hierher umziehen; lassen Sie es herein oder lehnen Sie es ab",
		"leave-done": "{domain} läuft jetzt bei {provider}; die Kopie hier wird bis {date} aufbewahrt und dann gelöscht",
		"leave-undone": "Der Umzug von {domain} zu {provider} ist nicht gelungen; hier läuft alles wie zuvor: {reason}",
		"leave-stuck": "Der Umzug von {domain} zu {provider} steht und braucht Sie: {reason}",
		"arrive-done": "{domain} ist von {provider} hierher umgezogen",
		"arrive-undone":
			"Der Umzug von {domain} von {provider} hierher ist nicht gelungen; dort läuft alles wie zuvor: {reason}",
		"arrive-stuck": "Der Umzug von {domain} von {provider} hierher steht und braucht Sie: {reason}",
		"move-erased": "Die Kopie von {domain}, die nach dem Umzug hier aufbewahrt wurde, ist gelöscht",
		"records-needed": "Setzen Sie jetzt die Einträge von {domain}, damit Besucher es bei {provider} finden",
		"served-elsewhere": "{domain} läuft nach seinem DNS inzwischen bei {holder}; die Dienste hier ruhen",
		test: "Dies ist eine Testnachricht; sie kommt an",
	},
};

const frames: Record<Language, { open: string; why: string; change: string }> = {
	en: {
		open: "Open the panel",
		why: "You receive this mail because you have an account at {provider}.",
		change: "Choose what you are told",
	},
	de: {
		open: "Zur Verwaltung",
		why: "Sie erhalten diese Mail, weil Sie ein Konto bei {provider} haben.",
		change: "Einstellen, was Ihnen gemeldet wird",
	},
};

export interface Told {
	readonly kind: NoticeKind;
	readonly params: Readonly<Record<string, string>>;
	readonly language: Language;
	/** Addresses with origin. */
	readonly link: string;
	readonly settings: string;
	readonly provider: string;
}

export interface Mailing {
	readonly subject: string;
	readonly text: string;
	readonly html: string;
}

/** What a notice says, in one sentence without its full stop; days and moments are spelled out. */
export function sentenceOf({ kind, params, language }: Pick<Told, "kind" | "params" | "language">): string {
	const spelled = Object.entries(params).map(([name, value]) => [name, oneLine(spelledOut(value, language))]);
	return fill(sentences[language][kind], Object.fromEntries(spelled));
}

/** A notice as a mail: a subject that says it all, as text, and as HTML that fetches nothing. */
export function mailingOf(told: Told): Mailing {
	const frame = frames[told.language];
	const sentence = sentenceOf(told);
	const full = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
	const why = fill(frame.why, { provider: oneLine(told.provider) });
	return {
		subject: sentence.length > 150 ? `${sentence.slice(0, 149)}…` : sentence,
		text: `${full}\n\n${frame.open}: ${told.link}\n\n-- \n${why}\n${frame.change}: ${told.settings}\n`,
		html: `<!doctype html>
<html lang="${told.language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<p style="max-width:36em;font-size:19px;margin:0 0 24px">${escaped(full)}</p>
<p style="margin:0 0 32px"><a href="${escaped(told.link)}" style="display:inline-block;padding:10px 20px;border-radius:8px;background:#0a6e5c;color:#fff;text-decoration:none">${escaped(frame.open)}</a></p>
<p style="max-width:44em;font-size:13px;margin:0;opacity:.8">${escaped(why)}<br><a href="${escaped(told.settings)}" style="color:inherit">${escaped(frame.change)}</a></p>
</body></html>
`,
	};
}

export function escaped(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** `2026-12-22` and `2026-12-22T09:14:02Z` as people write them; everything else as it is. */
function spelledOut(value: string, language: Language): string {
	const isDay = /^\d{4}-\d\d-\d\d$/.test(value);
	if (!isDay && !/^\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*Z$/.test(value)) return value;
	const moment = new Date(value);
	if (Number.isNaN(moment.getTime())) return value;
	const day = moment.toLocaleDateString(language === "en" ? "en-GB" : language, { dateStyle: "long", timeZone: "UTC" });
	return isDay ? day : `${day}, ${moment.toISOString().slice(11, 16)} UTC`;
}

/** Nothing told breaks a line: a subject is one, and a text that looks like ours stays ours. */
function oneLine(text: string): string {
	return text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
