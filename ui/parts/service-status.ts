import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import { Action } from "../controllers/action.ts";
import { Intention } from "../controllers/intention.ts";
import type { Panel } from "../panel.ts";
import { jobAddress } from "../routes.ts";
import type { Deployment, Probe, ServiceStatus as Status } from "../views.ts";
import { bytes, instant } from "../words/numbers.ts";
import { probeWord } from "../words/probes.ts";
import { serviceKind } from "../words/services.ts";
import { healthWord } from "../words/states.ts";
import "./copy-text.ts";
import { problem } from "./faces.ts";
import "./first-account.ts";
import { icon } from "./icons.ts";
import { stateOf } from "./marks.ts";
import { Part } from "./part.ts";
import { when } from "./when.ts";

/** One service of a deployment: where it is, how it is, its first account. */
export class ServiceStatus extends Part {
	static override properties = {
		panel: { attribute: false },
		deployment: { attribute: false },
		service: { attribute: false },
	};
	declare panel: Panel;
	declare deployment: Deployment;
	declare service: Status;
	readonly #intention = new Intention();

	readonly #restart = new Action(this, async () => {
		const call = { path: { id: this.deployment.id }, body: { service: this.service.name } };
		const { job } = await this.#intention.carry(call, (idempotencyKey) =>
			this.panel.api("POST /deployments/{id}/restart", { ...call, idempotencyKey }),
		);
		this.panel.go(jobAddress(this.deployment.domain, job));
	});

	protected override render() {
		const { service, deployment } = this;
		const serves = deployment.state === "serving";
		return html`<article class="card stack" aria-labelledby="service-${service.name}">
			<div class="line apart">
				<h3 class="line" id="service-${service.name}"><span class="tile">${icon(serviceKind(service.name))}</span>${service.title}</h3>
				${stateOf(healthWord(service.health))}
			</div>
			<dl class="facts">
				<dt>${msg("Address")}</dt><dd>${this.#address(serves)}</dd>
				${service.handle ? html`<dt>${msg("First account")}</dt><dd><copy-text plain .text=${service.handle} .what=${msg("the handle")}></copy-text></dd>` : nothing}
				${service.sizeBytes !== null ? html`<dt>${msg("Size")}</dt><dd class="numbers">${bytes(service.sizeBytes)}</dd>` : nothing}
			</dl>
			${serves ? html`<first-account .panel=${this.panel} .deployment=${deployment} .service=${service}></first-account>` : nothing}
			${problem(this.#restart.error)}
			<div class="line apart">
				${this.#probes()}
				${
					serves
						? html`<button type="button" class="button small" aria-busy=${this.#restart.busy} ?disabled=${deployment.busy}
							@click=${() => this.#restart.run()}>${msg("Restart")}<span class="unseen"> ${service.title}</span></button>`
						: nothing
				}
			</div>
		</article>`;
	}

	#address(serves: boolean): TemplateResult {
		const { address } = this.service;
		return serves ? html`<a href=${address}>${address}</a>` : html`<span class="quiet">${address}</span>`;
	}

	#probes(): TemplateResult | typeof nothing {
		const { probes, checkedAt, health } = this.service;
		if (probes.length === 0) return html`<span></span>`;
		return html`<details class="grow" ?open=${health === "unwell"}>
			<summary>${checkedAt ? msg(html`Checked ${when(checkedAt, "fromNow")}`) : msg("Checks")}</summary>
			<ul class="rows">${probes.map(probeRow)}</ul>
		</details>`;
	}
}

function probeRow({ what, ok, detail, milliseconds }: Probe): TemplateResult {
	const time = instant(milliseconds);
	return html`<li class="row small">
		${stateOf(ok ? [msg("answers"), "good"] : [msg("does not answer"), "bad"])}
		<span class="grow">${probeWord(what)}${detail ? html` <span class="quiet">${detail}</span>` : nothing}</span>
		<span class="quiet numbers">${msg(str`in ${time}`)}</span>
	</li>`;
}

customElements.define("service-status", ServiceStatus);
