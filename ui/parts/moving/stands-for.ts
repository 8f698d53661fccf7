import { msg, str } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Entitlement, MoveIn } from "../../views.ts";
import { mebibytes } from "../../words/numbers.ts";
import { serviceTitle } from "../../words/params.ts";
import { day } from "../../words/times.ts";

/** What a migration token stands for: which domain, which services, how much room. */
export function standsFor(
	{ services, diskMiB }: Pick<MoveIn, "services" | "diskMiB">,
	domain: string | null | undefined,
): TemplateResult {
	return html`<dl class="facts">
		${
			domain === undefined
				? nothing
				: html`<dt>${msg("Domain")}</dt><dd>${domain ?? msg("any; you are asked once more when one comes")}</dd>`
		}
		<dt>${msg("Services")}</dt><dd>${services.length > 0 ? services.map(serviceTitle).join(", ") : msg("all that can run here")}</dd>
		<dt>${msg("Room")}</dt><dd class="numbers">${mebibytes(diskMiB)}</dd>
	</dl>`;
}

/** Which voucher a token is for; a choice only where there is one. */
export function voucherChoice(free: readonly Entitlement[]): TemplateResult {
	const [only] = free;
	if (!only) return html``;
	if (free.length === 1) return standsFor(only, undefined);
	return html`<div class="field">
		<label for="move-in-voucher">${msg("Voucher")}</label>
		<select class="input" id="move-in-voucher" name="entitlement">
			${free.map((one) => html`<option value=${one.id}>${voucherName(one)}</option>`)}
		</select>
	</div>`;
}

function voucherName({ services, diskMiB, redeemedAt }: Entitlement): string {
	const what = services.length > 0 ? services.map(serviceTitle).join(", ") : msg("all services");
	return msg(str`${mebibytes(diskMiB)} for ${what}, of ${day(redeemedAt)}`);
}
