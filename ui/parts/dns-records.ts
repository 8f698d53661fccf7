import { msg, str } from "@lit/localize";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Poll } from "../controllers/poll.ts";
import { Task } from "../controllers/task.ts";
import type { Panel } from "../panel.ts";
import type { DnsRecord, Records } from "../views.ts";
import { serviceTitle } from "../words/params.ts";
import { recordWord } from "../words/states.ts";
import { clockTime } from "../words/times.ts";
import "./copy-text.ts";
import { failed, note, waiting } from "./faces.ts";
import { stateOf } from "./marks.ts";
import { Part } from "./part.ts";

/** The records a choice of services needs, each with what the name server says of it now; asked again all the time. */
export class DnsRecords extends Part {
	static override properties = { panel: { attribute: false }, domain: {}, services: { attribute: false } };
	declare panel: Panel;
	declare domain: string;
	declare services: readonly string[];

	readonly #task = new Task<Records>(this, (signal) =>
		this.panel.api("GET /domains/{domain}/records", {
			path: { domain: this.domain },
			query: { services: this.services.join(",") },
			signal,
		}),
	);

	constructor() {
		super();
		new Poll(this, () => (this.#task.value?.ready ? 30 : 5), this.#task.run);
	}

	protected override updated(changed: PropertyValues<this>): void {
		if (changed.get("domain") !== undefined || changed.get("services") !== undefined) void this.#task.run();
	}

	protected override render() {
		return this.#task.render({ ready: (records) => this.#all(records), loading: () => waiting(3), failed });
	}

	#all({ records, managed, ready }: Records): TemplateResult {
		if (managed) return this.#managed(records);
		const wrong = records.filter(({ state }) => state !== "right").length;
		return html`<div class="stack">
			${
				ready
					? note("good", html`<p>${msg("All records are right.")}</p>`)
					: note(
							"attention",
							html`<p>${msg(str`Set these records where you manage ${this.domain}; ${wrong} of ${records.length} are not right yet.`)}</p>
							<p class="small quiet">${msg("They are looked up again every few seconds. A change can take from a minute to some hours to arrive.")}</p>`,
						)
			}
			${this.#table(records)}
		</div>`;
	}

	#managed(records: readonly DnsRecord[]): TemplateResult {
		const { name } = this.panel.provider;
		return html`<div class="stack tight">
			<p>${msg(str`${name} holds this zone and sets the records for you.`)}</p>
			<details><summary>${msg(str`Which ones: ${records.length}`)}</summary>${this.#table(records)}</details>
		</div>`;
	}

	#table(records: readonly DnsRecord[]): TemplateResult {
		return html`<table class="records" role="table">
			<caption class="unseen">${msg(str`Records of ${this.domain}`)}</caption>
			<thead role="rowgroup"><tr role="row">
				<th scope="col" role="columnheader">${msg("Type")}</th><th scope="col" role="columnheader">${msg("Name")}</th>
				<th scope="col" role="columnheader">${msg("Value")}</th><th scope="col" role="columnheader">${msg("State")}</th>
			</tr></thead>
			<tbody role="rowgroup">${records.map(row)}</tbody>
		</table>`;
	}
}

/** The roles stand there because a table that is laid out as a grid is none any more to some browsers. */
function row(record: DnsRecord): TemplateResult {
	const { type, name, value, purpose } = record;
	return html`<tr role="row">
		<td role="cell" class="kind"><b>${type}</b><br /><span class="quiet">${purpose === "ownership" ? msg("shows it is yours") : serviceTitle(purpose)}</span></td>
		<td role="cell" class="name" data-label=${msg("Name")}><copy-text .text=${name} .what=${msg(str`the name ${name}`)}></copy-text></td>
		<td role="cell" class="value" data-label=${msg("Value")}><copy-text .text=${value} .what=${msg(str`the value for ${name}`)}></copy-text></td>
		<td role="cell" class="state-of">${stateOf(recordWord(record.state))}${seen(record)}</td>
	</tr>`;
}

/** What was found instead, by whom and when. */
function seen({ state, seen: found, server, checkedAt }: DnsRecord): TemplateResult | typeof nothing {
	if (state === "right" || !checkedAt) return nothing;
	const time = clockTime(checkedAt);
	return html`<div class="quiet small">
		${state === "wrong" ? html`<div>${msg(str`found: ${found.join(", ")}`)}</div>` : nothing}
		${server ? msg(str`asked ${server} at ${time}`) : nothing}
	</div>`;
}

customElements.define("dns-records", DnsRecords);
