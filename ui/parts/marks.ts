import { html, svg, type TemplateResult } from "lit";
import type { Step } from "../views.ts";
import type { Tone } from "../words/states.ts";

/** A shape for every state, told apart without colour: circle, ring, arrow, triangle, diamond. */
const shapes = {
	tick: svg`<circle class="full" cx="12" cy="12" r="9" /><path class="cut" d="m8 12.4 2.8 2.700L16 9.5" />`,
	ring: svg`<circle cx="12" cy="12" r="8.5" opacity=".3" /><path class="moving" d="M12 3.500a8.5 8.5 0 0 1 8.5 8.5" /><circle class="dot" cx="12" cy="12" r="3.5" />`,
	again: svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.300M19.5 3.500v4h-4" />`,
	back: svg`<path d="M8 5 4.5 8.5 8 12M4.5 8.500H14a5 5 0 0 1 0 10H9" />`,
	triangle: svg`<path class="full" d="M12 4 21 19.500H3z" /><path class="cut" d="M12 9.500v4.500M12 16.900v.01" />`,
	diamond: svg`<path class="full" d="m12 2.5 9.5 9.5-9.5 9.500L2.5 12z" /><path class="cut" d="M12 7.500v5.500M12 16.200v.01" />`,
	circle: svg`<circle cx="12" cy="12" r="6" />`,
};

const ofTone: Readonly<Record<Tone, keyof typeof shapes>> = {
	good: "tick",
	busy: "ring",
	attention: "triangle",
	bad: "diamond",
	still: "circle",
};

const ofStep: Readonly<Record<Step["state"], readonly [keyof typeof shapes, Tone]>> = {
	waiting: ["circle", "still"],
	running: ["ring", "busy"],
	retrying: ["again", "attention"],
	done: ["tick", "good"],
	failed: ["diamond", "bad"],
	undoing: ["back", "busy"],
	undone: ["back", "still"],
	stuck: ["diamond", "bad"],
};

/** The shape alone; a word always stands beside it. */
export function mark(tone: Tone): TemplateResult {
	return drawn(ofTone[tone], tone);
}

export function stepMark(state: Step["state"]): TemplateResult {
	return drawn(...ofStep[state]);
}

/** A state as shape and word. */
export function stateOf([word, tone]: readonly [string, Tone]): TemplateResult {
	return html`<span class="state ${tone}">${mark(tone)}${word}</span>`;
}

function drawn(shape: keyof typeof shapes, tone: Tone): TemplateResult {
	return html`<svg class="mark ${tone}" viewBox="0 0 24 24" aria-hidden="true">${shapes[shape]}</svg>`;
}
