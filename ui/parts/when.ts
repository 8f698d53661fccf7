import { html, type TemplateResult } from "lit";
import { clockTime, exactly, fromNow, moment } from "../words/times.ts";

const ways = { moment, clockTime, fromNow };

/** A moment, short; exactly when hovered over. */
export function when(at: string, way: keyof typeof ways = "moment"): TemplateResult {
	return html`<time datetime=${at} title=${exactly(at)}>${ways[way](at)}</time>`;
}
