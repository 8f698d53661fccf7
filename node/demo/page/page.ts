import { fill } from "#protocol/problem.ts";
import type { Language } from "../../gateway/words.ts";
import { type Words, words } from "./words.ts";

/** What the page shows of one provider. */
export interface ProviderSeen {
	readonly key: string;
	readonly name: string;
	readonly promise: string;
	readonly place: string;
	readonly panel: string;
	/** An unused voucher; undefined while the node is not there to make one. */
	readonly voucher: string | undefined;
}

/** The small world as it is now. */
export interface World {
	readonly port: number;
	readonly zone: string;
	readonly mailbox: string;
	readonly stateFolder: string;
	readonly providers: readonly ProviderSeen[];
	/** Customers' host names and the provider each leads to. */
	readonly names: readonly { readonly host: string; readonly provider: string }[];
}

/** The demo's own page, complete without JavaScript; with it, the vouchers can be copied by a click. */
export function page(world: World, language: Language): string {
	const say = words[language];
	const [first, second] = world.providers;
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
<script type="module" src="/page.js"></script>
</head>
<body>
<header>
<p class="brand"><img src="/mark.svg" alt="" width="24" height="24"> Fediversity</p>
<a href="?lang=${other(language)}" lang="${other(language)}" hreflang="${other(language)}">${say.otherLanguage}</a>
</header>
<main>
<section class="intro">
<h1>${say.title}</h1>
<p class="lead">${say.lead}</p>
<p class="note">${say.demo}</p>
</section>
<section aria-labelledby="world">
<h2 id="world">${say.world}</h2>
<div class="world">
<div class="stop door"><h3>${say.door}</h3><p>${fill(say.doorSays, { port: `<b>${world.port}</b>` })}</p></div>
${first ? provider(first, say) : ""}
${middle(world, say)}
${second ? provider(second, say) : ""}
</div>
</section>
<section aria-labelledby="try">
<h2 id="try">${say.try}</h2>
<ol class="steps">${say.steps.map((step) => `<li>${step}</li>`).join("\n")}</ol>
</section>
<section class="know" aria-labelledby="know">
<h2 id="know">${say.where}</h2>
<ul>
<li>${say.stateAt} <code>${escaped(world.stateFolder)}</code>.</li>
<li>${say.stop}</li>
<li>${say.fresh} <code class="command">npm start -- --fresh</code></li>
</ul>
</section>
</main>
<p class="spoken" role="status"></p>
</body>
</html>
`;
}

function provider({ key, name, promise, place, panel, voucher }: ProviderSeen, say: Words): string {
	const state = voucher === undefined ? say.starts : say.runs;
	return `<article class="stop provider ${key}">
<div class="head"><h3>${escaped(name)}</h3><p class="state ${voucher === undefined ? "starts" : "runs"}">${state}</p></div>
<p class="promise">${escaped(promise)}</p>
<p class="place">${escaped(place)}</p>
<p><a class="button" href="${escaped(panel)}">${fill(say.panelLink, { name: escaped(name) })}</a></p>
${voucher === undefined ? `<p>${fill(say.voucherLater, { name: escaped(name) })}</p>` : voucherRow(voucher, name, say)}
</article>`;
}

function voucherRow(voucher: string, name: string, say: Words): string {
	const code = escaped(voucher);
	return `<div class="voucher"><p id="voucher-${escaped(name)}">${say.voucher}</p>
<p class="code"><code>${code}</code><button type="button" hidden data-copy="${code}" data-copied="${say.copied}" aria-describedby="voucher-${escaped(name)}">${say.copy}</button></p></div>`;
}

function middle({ zone, port, mailbox, names }: World, say: Words): string {
	const link = (host: string) => `<a href="http://${escaped(host)}:${port}/">${escaped(host)}</a>`;
	const rows = names.map(({ host, provider }) => `<li>${link(host)} → ${escaped(provider)}</li>`);
	return `<div class="middle">
<div class="stop"><h3>${fill(say.zone, { zone: escaped(zone) })}</h3><p>${say.zoneSays}</p>
${rows.length > 0 ? `<ul class="names">${rows.join("\n")}</ul>` : `<p class="empty">${say.zoneEmpty}</p>`}</div>
<div class="stop"><h3>${say.mail}</h3><p>${say.mailSays}</p><p><a href="${escaped(mailbox)}">${say.mailLink}</a></p></div>
</div>`;
}

const other = (language: Language): Language => (language === "de" ? "en" : "de");

/** Text as it may stand in markup and in an attribute. */
export function escaped(text: string): string {
	const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
	return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
