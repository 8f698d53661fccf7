import { configureLocalization } from "@lit/localize";
import { sourceLocale, targetLocales } from "../locales/generated/codes.ts";
import * as german from "../locales/generated/de.ts";
import type { Language } from "../views.ts";

/** The languages of the panel, each by its own name. */
export const languageNames: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch" };

const remembered = "language";

/** German travels with the panel: fetched on its own it would cost its readers a second round of requests. */
const { getLocale, setLocale } = configureLocalization({
	sourceLocale,
	targetLocales,
	loadLocale: async () => german,
});

/** The language of all texts now. */
export function language(): Language {
	return getLocale() as Language;
}

/** Switches all texts, and tells the browser, which needs it for reading aloud and for hyphens. */
export async function setLanguage(chosen: Language): Promise<void> {
	await setLocale(chosen);
	document.documentElement.lang = chosen;
}

/** As {@link setLanguage}, and this browser keeps to it. */
export async function chooseLanguage(chosen: Language): Promise<void> {
	localStorage.setItem(remembered, chosen);
	await setLanguage(chosen);
}

/** What was chosen in this browser, else what the account says, else what the browser asks for, else English. */
export function preferredLanguage(ofAccount?: Language): Language {
	const wishes = [localStorage.getItem(remembered), ofAccount, ...navigator.languages.map((tag) => tag.slice(0, 2))];
	return (wishes.find((wish) => wish && wish in languageNames) ?? "en") as Language;
}

/** The same with the reader's region where the browser knows it: how they write dates and numbers. */
export function locale(): string {
	const theirs = navigator.languages.find((tag) => tag.startsWith(`${language()}-`));
	return theirs ?? (language() === "en" ? "en-GB" : language());
}
