import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Action } from "../../controllers/action.ts";
import type { Migration } from "../../views.ts";
import { bytes, duration, number } from "../../words/numbers.ts";
import "../copy-text.ts";
import { problem } from "../faces.ts";
import { when } from "../when.ts";
import { receiptName } from "./receipt.ts";

/** What a move came to, measured: how long services rested, that both copies are the same, who was sent on, and the receipt. */
export function moveProof(migration: Migration, receipt: Action): TemplateResult {
	return html`<section class="card stack" aria-labelledby="proof">
		<h2 id="proof">${msg("What it came to")}</h2>
		<dl class="facts">${rested(migration)}${same(migration)}${visitors(migration)}${old(migration)}</dl>
		${migration.receipt ? receiptOf(migration, receipt) : nothing}
	</section>`;
}

function rested({ freeze }: Migration): TemplateResult | typeof nothing {
	if (freeze.measured === null) return nothing;
	return html`<dt>${msg("Services rested")}</dt><dd class="numbers">${duration(freeze.measured)}${
		freeze.expected === null
			? nothing
			: html` <span class="quiet">${msg(str`expected: ${duration(freeze.expected)}`)}</span>`
	}</dd>`;
}

function same({ counts }: Migration): TemplateResult | typeof nothing {
	if (!counts) return nothing;
	const [items, size] = [number(counts.entries, 0), bytes(counts.bytes)];
	return html`<dt>${msg("The same at both")}</dt><dd class="numbers">${msg(str`${items} items, ${size}`)}
		<copy-text class="digest small" .text=${counts.manifest} .what=${msg("the digest of the list of all items")}></copy-text></dd>`;
}

/** While requests are still sent on, until when; afterwards only how many it was. */
function visitors({ side, deferred, forwarded, forwardingUntil }: Migration): TemplateResult | typeof nothing {
	if (side !== "source") return nothing;
	const goesOn = forwardingUntil !== null && Date.parse(forwardingUntil) > Date.now();
	return html`<dt>${msg("Asked to come again")}</dt><dd class="numbers">${msg(str`${number(deferred, 0)} requests while the services rested`)}</dd>
		<dt>${msg("Sent on")}</dt><dd class="numbers">${
			goesOn
				? msg(html`${number(forwarded, 0)} requests so far; it goes on until ${when(forwardingUntil)}`)
				: msg(str`${number(forwarded, 0)} requests`)
		}</dd>`;
}

function old({ side, keptUntil, erasedAt, other }: Migration): TemplateResult | typeof nothing {
	const name = side === "source" ? msg("The copy here") : msg(str`The copy at ${other.provider}`);
	if (erasedAt) return html`<dt>${name}</dt><dd>${msg(html`erased ${when(erasedAt)}`)}</dd>`;
	return keptUntil
		? html`<dt>${name}</dt><dd>${msg(html`kept until ${when(keptUntil)}; it serves nobody`)}</dd>`
		: nothing;
}

function receiptOf({ domain }: Migration, receipt: Action): TemplateResult {
	return html`<div class="stack tight">
		<h3>${msg("Receipt")}</h3>
		<p>${msg("Everything both providers said, signed by both. Whoever has it can check it without asking anybody:")}</p>
		<copy-text .text=${`fediversity receipt verify ${receiptName(domain)}`} .what=${msg("the command")}></copy-text>
		${problem(receipt.error)}
		<p><button type="button" class="button" aria-busy=${receipt.busy} @click=${() => receipt.run()}>${msg("Keep the receipt")}</button></p>
	</div>`;
}
