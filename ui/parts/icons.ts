import { html, svg, type TemplateResult } from "lit";
import type { ServiceKind } from "../words/services.ts";

/** Drawn on a 20-unit square with one pen. Every icon stands beside words and is hidden from screen readers. */
const drawings = {
	home: svg`<path d="M3 5.5h14M3 10h14M3 14.5h14" /><path d="M3 5.5h.01M3 10h.01" />`,
	add: svg`<path d="M10 4v12M4 10h12" />`,
	bell: svg`<path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17.5h3" />`,
	person: svg`<circle cx="10" cy="7" r="3.2" /><path d="M3.5 17c.8-3.4 3.4-5 6.5-5s5.7 1.6 6.5 5" />`,
	out: svg`<path d="M8 5h7v7M15 5 6 14" />`,
	right: svg`<path d="M3.500 10h13M11.500 5l5 5-5 5" />`,
	info: svg`<circle cx="10" cy="10" r="7.2" /><path d="M10 9.200v4.600M10 6.300v.01" />`,
	posts: svg`<path d="M3 4.500h14v9.500H9l-4 3.500v-3.500H3z" />`,
	photos: svg`<rect x="3" y="4" width="14" height="12" rx="1.5" /><circle cx="7" cy="8" r="1.3" /><path d="m3.5 15 4.5-4 3 2.5 2.5-2 3.5 3" />`,
	videos: svg`<rect x="3" y="4" width="14" height="12" rx="1.5" /><path d="m8.5 7.5 4 2.5-4 2.500z" />`,
	meet: svg`<rect x="2.5" y="5.5" width="10" height="9" rx="1.5" /><path d="m12.5 9 5-2.500v7l-5-2.500z" />`,
	wiki: svg`<path d="M10 5.500c-2-1.5-4.5-1.7-7-1.500v11.500c2.5-.2 5 0 7 1.5 2-1.5 4.5-1.7 7-1.500V4c-2.5-.2-5 0-7 1.500zM10 5.500V17" />`,
	chat: svg`<path d="M2.5 3.500h10v7H7l-2.5 2.500v-2.500h-2zM8 13.500h6l2.5 2.500v-2.500h1v-7H15" />`,
	store: svg`<ellipse cx="10" cy="5" rx="6.5" ry="2.3" /><path d="M3.5 5v10c0 1.3 2.9 2.3 6.5 2.300s6.5-1 6.5-2.300V5M3.5 10c0 1.3 2.9 2.3 6.5 2.300s6.5-1 6.5-2.3" />`,
	other: svg`<rect x="3.5" y="3.5" width="5" height="5" rx="1" /><rect x="11.5" y="3.5" width="5" height="5" rx="1" /><rect x="3.5" y="11.5" width="5" height="5" rx="1" /><rect x="11.5" y="11.5" width="5" height="5" rx="1" />`,
} satisfies Record<ServiceKind, TemplateResult> & Record<string, TemplateResult>;

export function icon(name: keyof typeof drawings): TemplateResult {
	return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">${drawings[name]}</svg>`;
}
