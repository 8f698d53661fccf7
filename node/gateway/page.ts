import { createHash } from "node:crypto";
import { fill } from "#protocol/problem.ts";
import { type Language, labels, type Matter, words } from "./words.ts";

/** Whose gateway this is, for people who meet one of its pages. */
export interface About {
	/** The provider's name. */
	readonly provider: string;
	/** The panel's address, where customers see what is going on. */
	readonly panel: string;
}

/** Only colours of the reader's own system, so light, dark and high contrast come by themselves. */
const style = `
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; padding: clamp(1.5rem, 8vh, 6rem) 1.25rem; }
main { max-width: 34rem; margin: auto; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
li { margin: .5rem 0; }
a { display: inline-block; min-height: 1.5rem; }
footer { margin-top: 2rem; font-size: .875rem; }`;

/**
 * Looks every few seconds whether the service answers and goes there only then, so that nobody's reading is disturbed
 * by a page that reloads. Without the fragment: to the same address with one, a browser would not load anything.
 */
const script = `
const { wait } = document.body.dataset;
async function look() {
	try {
		const { status } = await fetch(location.href, { method: "HEAD", cache: "no-store" });
		if (status < 500) return location.replace(location.pathname + location.search);
	} catch {}
	setTimeout(look, wait * 1000);
}
setTimeout(look, wait * 1000);`;

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** A page for people, all in one file, and the Content-Security-Policy it needs. `wait` in seconds, 0 if nothing will change. */
export function page(
	matter: Matter,
	wait: number,
	host: string,
	about: About,
	language: Language,
): { html: string; policy: string } {
	const label = labels[language];
	const names = { host: `<strong>${escaped(host || label.nameless)}</strong>`, provider: escaped(about.provider) };
	const { title, text } = words[language][matter];
	const seconds = Math.min(Math.max(wait, 2), 15);
	const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${fill(title, { host: escaped(host || label.nameless) })}</title>
<style>${style}</style>
${wait > 0 ? `<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>` : ""}
</head>
<body data-wait="${seconds}">
<main>
<h1>${fill(title, names)}</h1>
<p>${fill(text, names)}</p>
${matter === "unknown" ? checks(about, language) : ""}${wait > 0 ? `<p>${fill(label.looks, { seconds: String(seconds) })} <a href="">${label.again}</a></p>` : ""}
<footer>${link(about, escaped(about.provider))}</footer>
</main>
${wait > 0 ? `<script>${script}</script>` : ""}
</body>
</html>
`;
	return { html, policy: policyFor(wait > 0) };
}

function checks(about: About, language: Language): string {
	const { visitor, owner, operator } = labels[language];
	const panel = link(about, fill(labels[language].panel, { provider: escaped(about.provider) }));
	const points = [visitor, fill(owner, { panel }), operator];
	return `<ul>\n${points.map((point) => `<li>${point}</li>`).join("\n")}\n</ul>\n`;
}

function link(about: About, label: string): string {
	return `<a href="${escaped(about.panel)}">${label}</a>`;
}

function policyFor(looksAgain: boolean): string {
	const own = [`default-src 'none'`, `style-src ${sha256(style)}`, "base-uri 'none'", "form-action 'none'"];
	const looking = looksAgain ? [`script-src ${sha256(script)}`, "connect-src 'self'"] : [];
	return [...own, ...looking, "frame-ancestors 'none'"].join("; ");
}

function escaped(text: string): string {
	const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
	return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
