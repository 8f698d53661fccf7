import { msg } from "@lit/localize";
import { html, type TemplateResult } from "lit";
import { duration } from "../words/numbers.ts";
import { stepSentence } from "../words/steps.ts";
import { mark, stateOf, stepMark } from "./marks.ts";

const steps = [
	{ verb: "records", service: null, title: "Point the domain here", seconds: 0.8 },
	{ verb: "get", service: "snac", title: "", seconds: 3.2 },
	{ verb: "start", service: "snac", title: "", seconds: 0.3 },
	{ verb: "check", service: "snac", title: "", seconds: 0.4 },
];

/** What a finished piece of work looks like, drawn with the parts that show the real ones. */
export function specimen(): TemplateResult {
	return html`<figure class="specimen" aria-label=${msg("An example: how setting up a service looks when it is done")}>
		<div class="line apart" aria-hidden="true"><b>choir.example</b>${stateOf([msg("all well"), "good"])}</div>
		<ol class="timeline" aria-hidden="true">
			${steps.map(
				(step) => html`<li data-state="done">${stepMark("done")}
					<span class="what">${stepSentence(step)}</span><span class="took numbers">${duration(step.seconds)}</span></li>`,
			)}
			<li data-state="done">${mark("good")}<span class="what"><b>https://social.choir.example</b></span></li>
		</ol>
	</figure>`;
}
