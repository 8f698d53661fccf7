import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fill } from "#protocol/problem.ts";
import { languageOf } from "../../gateway/answers.ts";
import type { Language } from "../../gateway/words.ts";
import type { CaughtMail, Mailbox } from "../mailbox.ts";
import { escaped } from "./page.ts";
import { chosen, files, send } from "./reception.ts";

const words = {
	en: {
		title: "Mailbox",
		lead: "Mail that the two providers would have sent. In this demo it goes no further than here.",
		none: "No mail yet",
		empty: "It will be here when a provider has something to say; reload to look again.",
		count: "{count} mails, newest first",
		one: "One mail",
		from: "From",
		to: "To",
		caught: "Received",
		noSubject: "Without a subject",
		noText: "This mail has no text.",
		reload: "Reload",
		back: "All mail",
		home: "The demo’s page",
		gone: "This mail is not here any more; only the newest ones are kept.",
		otherLanguage: "Deutsch",
	},
	de: {
		title: "Postfach",
		lead: "Post, die die beiden Anbieter verschickt hätten. In dieser Demo kommt sie nur bis hierher.",
		none: "Noch keine Post",
		empty: "Sie wird hier liegen, sobald ein Anbieter etwas zu sagen hat; laden Sie die Seite dann neu.",
		count: "{count} Mails, die neuesten zuerst",
		one: "Eine Mail",
		from: "Von",
		to: "An",
		caught: "Eingegangen",
		noSubject: "Ohne Betreff",
		noText: "Diese Mail enthält keinen Text.",
		reload: "Neu laden",
		back: "Alle Post",
		home: "Die Seite der Demo",
		gone: "Diese Mail ist nicht mehr hier; nur die neuesten werden aufgehoben.",
		otherLanguage: "English",
	},
} as const satisfies Record<Language, Record<string, string>>;

export interface MailRoom {
	readonly mailbox: Pick<Mailbox, "list" | "get">;
	/** Where the demo's own page is. */
	readonly home: string;
}

/** Answers what arrives for the mailbox's host: its list, each mail, and what the pages are made of. */
export function mailRoom({ mailbox, home }: MailRoom) {
	return (request: IncomingMessage, response: ServerResponse): void => {
		const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
		const file = files[pathname];
		if (request.method !== "GET" && request.method !== "HEAD") send(response, 405, "text/plain", "Only GET\n");
		else if (file) send(response, 200, file[0], readFileSync(file[1]()));
		else showPage();

		function showPage() {
			const language = chosen(searchParams.get("lang")) ?? languageOf(request.headers["accept-language"]);
			const id = /^\/mail\/([\w-]{1,64})$/.exec(pathname)?.[1];
			const mail = id === undefined ? undefined : mailbox.get(id);
			const found = pathname === "/" || mail !== undefined;
			response.setHeader("content-language", language).setHeader("vary", "accept-language");
			send(response, found ? 200 : 404, "text/html", page(language, home, body(mailbox, pathname, mail, language)));
		}
	};
}

function body(mailbox: MailRoom["mailbox"], path: string, mail: CaughtMail | undefined, language: Language): string {
	if (path === "/") return list(mailbox.list(), language);
	return mail ? letter(mail, language) : `<p class="note">${words[language].gone}</p>${back(language)}`;
}

function list(mails: readonly CaughtMail[], language: Language): string {
	const say = words[language];
	const count = [say.none, say.one][mails.length] ?? fill(say.count, { count: String(mails.length) });
	return `<section class="intro"><h1>${say.title}</h1><p class="lead">${say.lead}</p></section>
<div class="bar"><h2>${count}</h2><a class="reload" href="/?lang=${language}">${say.reload}</a></div>
${mails.length > 0 ? `<ol class="mails">${mails.map((mail) => row(mail, language)).join("\n")}</ol>` : `<p class="nothing">${say.empty}</p>`}`;
}

function row({ id, at, from, to, subject }: CaughtMail, language: Language): string {
	const say = words[language];
	return `<li><a href="/mail/${escaped(id)}?lang=${language}">${shown(subject) || say.noSubject}</a>
<p class="who">${from && `<span>${say.from} ${shown(from)}</span> `}<span>${say.to} ${shown(to.join(", "))}</span></p>${time(at, language)}</li>`;
}

function letter({ at, from, to, subject, text }: CaughtMail, language: Language): string {
	const say = words[language];
	return `${back(language)}
<article class="letter"><h1>${shown(subject) || say.noSubject}</h1>
<dl>${from && `<dt>${say.from}</dt><dd>${shown(from)}</dd>`}<dt>${say.to}</dt><dd>${shown(to.join(", "))}</dd>
<dt>${say.caught}</dt><dd>${time(at, language)}</dd></dl>
<div class="text">${text.trim() ? withLinks(text.trim()) : `<p class="nothing">${say.noText}</p>`}</div></article>`;
}

function back(language: Language): string {
	return `<p class="back"><a href="/?lang=${language}">← ${words[language].back}</a></p>`;
}

function time(at: number, language: Language): string {
	const spelled = new Date(at).toLocaleString(language === "en" ? "en-GB" : language, {
		...({ dateStyle: "medium", timeStyle: "short" } as const),
	});
	return `<time datetime="${new Date(at).toISOString()}">${spelled}</time>`;
}

/** What a stranger wrote, in a place of its own: it can neither become markup nor turn around the text beside it. */
function shown(text: string): string {
	const clean = text.replaceAll(/\p{Cc}+/gu, " ").trim();
	return clean && `<bdi>${escaped(clean)}</bdi>`;
}

/** The text of a mail with its web addresses made links, and nothing else made anything. */
function withLinks(text: string): string {
	const address = /(https?:\/\/[^\s<>"'`\p{Cc}\p{Cf}]*[^\s<>"'`\p{Cc}\p{Cf}.,;:!?)\]])/u;
	return text
		.split(address)
		.map((part, at) =>
			at % 2 === 1 ? `<a href="${escaped(part)}" rel="noreferrer">${escaped(part)}</a>` : escaped(part),
		)
		.join("");
}

function page(language: Language, home: string, main: string): string {
	const say = words[language];
	const other = language === "de" ? "en" : "de";
	return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fediversity · ${say.title}</title>
<link rel="icon" href="/mark.svg" type="image/svg+xml">
<link rel="preload" href="/typeface.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/tokens.css">
<link rel="stylesheet" href="/page.css">
<link rel="stylesheet" href="/mailbox.css">
</head>
<body>
<header>
<p class="brand"><img src="/mark.svg" alt="" width="24" height="24"> <a href="${escaped(home)}">${say.home}</a></p>
<a href="?lang=${other}" lang="${other}" hreflang="${other}">${say.otherLanguage}</a>
</header>
<main class="mailbox">
${main}
</main>
</body>
</html>
`;
}
